import type { DocumentPath, YamlDocument } from '../config/yaml-document.ts';
import { suffixKind } from '../categories/public-suffix.ts';
import type { Problem } from '../kernel/errors.ts';
import { rangeBits } from '../kernel/ip.ts';
import { entryText, isRange, parseEntry } from './entry.ts';
import type { CategoryTraits, DayWindow, Entries, Entry } from './snapshot.ts';
import type { Action } from './verdict.ts';

/** What every part of compile shares: the categories, times and places there are, and where problems go. */
export interface Compiling {
  readonly categories: ReadonlyMap<string, CategoryTraits>;
  readonly times: TimeWords;
  /** CIDRs by a place's name. */
  readonly places: ReadonlyMap<string, readonly string[]>;
  readonly problems: Problem[];
}

/** Words for times, such as `lunch` and `holidays`. */
export type TimeWords = ReadonlyMap<string, { readonly windows: readonly DayWindow[]; readonly wholeDays: boolean }>;

/** Where problems go. */
export type Reporting = Pick<Compiling, 'problems'>;

export type CategoryActions = Readonly<Record<string, { readonly action: Action; readonly rule: string }>>;

export const NO_ENTRIES: Entries = { allow: [], block: [] };

/** Notes a problem at a path of a document. */
export function report(to: Reporting, document: YamlDocument<unknown>, path: DocumentPath, reason: string): void {
  to.problems.push({ file: document.file, line: document.lineOf(path), reason });
}

/** Compiles one list of written entries; `rulePrefix` such as `levels/ks2.yaml#block`. */
export function compileEntries(
  to: Compiling,
  document: YamlDocument<unknown>,
  path: DocumentPath,
  texts: readonly string[],
  rulePrefix: string,
): Entry[] {
  const seen = new Set<string>();
  const entries: Entry[] = [];
  for (const [i, text] of texts.entries()) {
    const parsed = parseEntry(text);
    if (typeof parsed === 'string') {
      report(to, document, [...path, i], parsed);
      continue;
    }
    const canonical = entryText(parsed);
    if (seen.has(canonical)) report(to, document, [...path, i], `"${text}" stands in this list twice; keep one`);
    else entries.push({ ...parsed, rule: `${rulePrefix}.${canonical}` });
    seen.add(canonical);
  }
  return entries;
}

/** Compiles an allow and a block list that belong together: nothing may stand in both. `path` is where both lists stand. */
export function compileBothWays(
  to: Compiling,
  document: YamlDocument<unknown>,
  path: DocumentPath,
  lists: { readonly allow?: readonly string[] | undefined; readonly block?: readonly string[] | undefined },
  rulePrefix: string,
): Entries {
  const allow = compileEntries(to, document, [...path, 'allow'], lists.allow ?? [], `${rulePrefix}allow`);
  const block = compileEntries(to, document, [...path, 'block'], lists.block ?? [], `${rulePrefix}block`);
  const blocked = new Set(block.map(entryText));
  for (const entry of allow) {
    const at = [...path, 'allow', indexOfEntry(lists.allow ?? [], entry)];
    if (entry.path === null && isOpenSuffix(entry)) {
      report(to, document, at, `"${entry.host}" would allow every site under it; name single sites`);
    }
    if (isRange(entry) && rangeBits(entry.host) < LEAST_BITS[entry.host.includes(':') ? 'ipv6' : 'ipv4']) {
      report(to, document, at, `"${entry.host}" would allow a good part of all addresses; name smaller ranges`);
    }
    if (blocked.has(entryText(entry))) {
      report(
        to,
        document,
        [...path, 'allow'],
        `"${entryText(entry)}" is both allowed and blocked; keep one of the two`,
      );
    }
  }
  return { allow, block };
}

/** Where in a written list an entry stands. */
export function indexOfEntry(texts: readonly string[], entry: Entry): number {
  return texts.findIndex((text) => {
    const parsed = parseEntry(text);
    return typeof parsed !== 'string' && entryText(parsed) === entryText(entry);
  });
}

/** Suffixes whose registry takes only public bodies: "allow everything under nhs.uk" is a thing a school may mean. */
const CLOSED_REGISTRIES: ReadonlySet<string> = new Set(['ac.uk', 'gov.uk', 'mod.uk', 'nhs.uk', 'police.uk', 'sch.uk']);

/** What no registry gives to one owner is no range that a school means to open, bits as `rangeBits` counts. */
const LEAST_BITS = { ipv4: 96 + 8, ipv6: 16 } as const;

/** Whether anybody can have a site under this name. */
function isOpenSuffix({ host }: Entry): boolean {
  return !/[:/]/.test(host) && suffixKind(host) === 'icann' && !CLOSED_REGISTRIES.has(host);
}

/** Compiles `categories:` of a level or group. Unknown ids and locked ones are problems. */
export function compileCategories(
  to: Compiling,
  document: YamlDocument<unknown>,
  path: DocumentPath,
  actions: Readonly<Record<string, Action>>,
  rulePrefix: string,
): CategoryActions {
  const compiled: [string, { action: Action; rule: string }][] = [];
  for (const [id, action] of Object.entries(actions)) {
    const traits = to.categories.get(id);
    if (traits === undefined) {
      report(
        to,
        document,
        [...path, 'categories', id],
        `"${id}" is not a category; see categories.yaml for their names`,
      );
    } else if (traits.locked) {
      report(
        to,
        document,
        [...path, 'categories', id],
        `"${id}" is locked: it is always blocked for everybody, and no policy can name it; remove this line`,
      );
    }
    compiled.push([id, { action, rule: `${rulePrefix}categories.${id}` }]);
  }
  return Object.fromEntries(compiled);
}
