import { readSite } from '../categories/typed-site.ts';
import type { YamlDocument } from '../config/yaml-document.ts';
import { isWithin } from '../kernel/host.ts';
import { isDate } from '../kernel/local-time.ts';
import { type Compiling, report } from './compile-entries.ts';
import { unknownLevel } from './compile-rules.ts';
import { type PolicyChange, compare } from './diff-rules.ts';
import type { TopicDocument } from './document.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** What a topic needs, looked through beforehand: what a request for an unblock may start from. It opens nothing by itself. */
export interface TopicPack {
  /** Name of its file, such as `holocaust-ks3`. */
  readonly id: string;
  readonly title: string;
  readonly subject: string;
  /** Names of levels. */
  readonly keyStages: readonly string[];
  /** Canonical hosts. */
  readonly sites: readonly string[];
  readonly categories: readonly string[];
  /** What a teacher should know first; empty: nothing. */
  readonly note: string;
  /** `on`: a date such as `2026-11-22`. */
  readonly reviewed: { readonly by: string; readonly on: string };
}

/** Compiles `topics/`. What is left out is left out, so that the same files keep their hash. */
export function compileTopics(
  to: Compiling,
  topics: ReadonlyMap<string, YamlDocument<TopicDocument>>,
  levelIds: ReadonlySet<string>,
  never: PolicySnapshot['never'],
): Pick<PolicySnapshot, 'topics'> {
  if (topics.size === 0) return {};
  return { topics: [...topics].map(([id, document]) => compileTopic(to, id, document, levelIds, never)) };
}

function compileTopic(
  to: Compiling,
  id: string,
  document: YamlDocument<TopicDocument>,
  levelIds: ReadonlySet<string>,
  never: PolicySnapshot['never'],
): TopicPack {
  const { title, subject, keyStages, sites = [], categories = [], note = '', reviewed } = document.value;
  if (sites.length + categories.length === 0) report(to, document, ['title'], 'a topic pack names at least one site');
  for (const [i, level] of keyStages.entries()) {
    if (!levelIds.has(level)) report(to, document, ['keyStages', i], unknownLevel(level));
  }
  for (const [i, category] of categories.entries()) {
    const traits = to.categories.get(category);
    if (traits === undefined) report(to, document, ['categories', i], `"${category}" is not a category`);
    else if (traits.locked) report(to, document, ['categories', i], `"${category}" is locked: nobody can open it`);
  }
  if (!isDate(reviewed.on)) {
    report(to, document, ['reviewed', 'on'], `"${reviewed.on}" is not a date that exists; write it as "2026-09-01"`);
  }
  const hosts = sites.flatMap((site, i) => {
    const host = readSite(site);
    const closed = typeof host === 'string' && never.some((one) => one.path === null && isWithin(host, one.host));
    if (typeof host !== 'string') report(to, document, ['sites', i], host.reason);
    else if (closed)
      report(to, document, ['sites', i], `"${site}" is on the school’s never-list, which no unblock passes`);
    return typeof host === 'string' ? [host] : [];
  });
  return { id, title, subject, keyStages, sites: hosts, categories, note, reviewed };
}

/** Packs that came, went, or say something else. They open nothing, so nothing is loosened. */
export function diffTopics(before: PolicySnapshot, after: PolicySnapshot): PolicyChange[] {
  const texts = ({ topics = [] }: PolicySnapshot): string[] =>
    topics.map(
      ({ title, subject, sites, categories }) => `${title} (${subject}): ${[...sites, ...categories].join(', ')}`,
    );
  const { added, removed } = compare(texts(before), texts(after));
  return [
    ...added.map((text) => ({ text: `Topic pack for requests: ${text}`, loosens: false })),
    ...removed.map((text) => ({ text: `Topic pack taken away: ${text}`, loosens: false })),
  ];
}
