import type { DocumentPath, YamlDocument } from '../config/yaml-document.ts';
import type { DirectorySnapshot } from '../identity/directory-snapshot.ts';
import { GUEST } from '../identity/identify.ts';
import { canonicalUser } from '../identity/user-name.ts';
import { isoTime, DAY_MS } from '../kernel/clock.ts';
import type { Problem } from '../kernel/errors.ts';
import { isWithin } from '../kernel/ip.ts';
import { instantOf, localInput } from '../kernel/local-time.ts';
import type { LevelDocument, PolicyDocuments } from './document.ts';
import { findShadowed } from './find-shadowed.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** What the files do not say, and decides whether a rule can have an effect. */
export interface Surroundings {
  /** Categories that a list of the catalogue is about, whether or not it is switched on. */
  readonly listed: ReadonlySet<string>;
  /** Whom rosters name. */
  readonly people: DirectorySnapshot;
  /** Ms since the epoch. */
  readonly now: number;
}

type Find = (documents: PolicyDocuments, snapshot: PolicySnapshot, around: Surroundings) => Problem[];

/**
 * Everything in valid documents that is merely pointless, with file and line: what can never have an effect, or says what holds
 * without it; and the last term's end, which makes a calendar pointless. `snapshot` is what the documents compiled to.
 */
export const findPointless: Find = (documents, snapshot, around) =>
  FINDERS.flatMap((find) => find(documents, snapshot, around)).sort(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || (a.line ?? 0) - (b.line ?? 0),
  );

function warning(document: YamlDocument<unknown>, path: DocumentPath, reason: string): Problem {
  return { file: document.file, line: document.lineOf(path), reason };
}

/** A level that nothing gives to anybody, and that no level builds upon. */
const unusedLevels: Find = ({ levels }, { strictestLevel, identity, people }) => {
  const used = new Set([
    strictestLevel,
    GUEST,
    ...identity.ranges.map(({ level }) => level),
    ...Object.values(people).map(({ level }) => level),
    ...Object.values(identity.levels?.years ?? {}),
    ...Object.values(identity.levels?.roles ?? {}),
    ...[...levels.values()].flatMap(({ value }) => value.extends ?? []),
  ]);
  return [...levels].flatMap(([id, document]) =>
    used.has(id)
      ? []
      : [warning(document, [], `nobody can get level "${id}": give it to a year, a role, a range or a person`)],
  );
};

/** Actions for categories that no list is about. */
const unlistedCategories: Find = ({ levels, rules }, _snapshot, { listed }) => {
  const owners = [
    ...[...levels.values()].flatMap((document) => withTimes(document, [], document.value)),
    ...(rules?.value.groups ?? []).flatMap((group, i) => withTimes(rules!, ['groups', i], group)),
  ];
  return owners.flatMap(({ document, path, said }) =>
    Object.keys(said.categories ?? {}).flatMap((id) =>
      listed.has(id)
        ? []
        : [
            warning(
              document,
              [...path, 'categories', id],
              `"${id}" decides nothing: no list of the catalogue is about it`,
            ),
          ],
    ),
  );
};

/** What is said of categories, at all times or at some. */
interface Said {
  readonly categories?: Readonly<Record<string, unknown>>;
}

/** What somebody's rules say, and what each of their times does. */
function withTimes(
  document: YamlDocument<unknown>,
  path: DocumentPath,
  owner: Said & { readonly times?: readonly Said[] },
): { readonly document: YamlDocument<unknown>; readonly path: DocumentPath; readonly said: Said }[] {
  const times = (owner.times ?? []).map((said, i) => ({ document, path: [...path, 'times', i], said }));
  return [{ document, path, said: owner }, ...times];
}

/** Places that no rule holds at. Slots that none names are no such case: requests for an unblock may be for them. */
const unusedPlaces: Find = ({ school, levels, rules }) => {
  const owners = [
    ...[...levels.values()].map(({ value }) => value),
    ...(rules?.value.groups ?? []),
    ...(rules?.value.people ?? []),
  ];
  const used = new Set(owners.flatMap(({ times = [] }) => times.flatMap(({ where = [] }) => where)));
  return Object.keys(school.value.places ?? {}).flatMap((name) =>
    used.has(name)
      ? []
      : [
          warning(
            school,
            ['places', name],
            `no rule holds at "${name}": name it under "where" of a time, or remove it`,
          ),
        ],
  );
};

/** How long before the last term ends a school is told. */
const TERMS_MS = 30 * DAY_MS;

/** The end of the last term, after which every day counts as holidays. */
const endingTerms: Find = ({ school }, { calendar, timeZone }, { now }) => {
  const last = calendar?.terms.reduce((one, other) => (other.to > one.to ? other : one));
  if (last === undefined || instantOf(`${last.to}T00:00`, timeZone)! - TERMS_MS > now) return [];
  const isOver = localInput(now, timeZone).slice(0, 10) > last.to;
  const told = isOver ? `ended on ${last.to}, and every day since` : `ends on ${last.to}, and every day after it`;
  const reason = `"${last.name}" is the last term: it ${told} counts as holidays; add the next terms`;
  return [warning(school, ['calendar', 'terms', calendar!.terms.indexOf(last)], reason)];
};

const SETTINGS = ['voice', 'uncategorised', 'safeSearch', 'youtube'] as const;

/** Settings of a level that repeat those of the level it extends. */
const inheritedSettings: Find = ({ levels }, snapshot) =>
  [...levels.values()].flatMap((document) => {
    const own = document.value;
    const base = own.extends === undefined ? undefined : snapshot.levels[own.extends];
    if (base === undefined) return [];
    const inherited: Pick<LevelDocument, (typeof SETTINGS)[number]> = {
      voice: base.voice,
      uncategorised: base.uncategorised.action,
      safeSearch: base.safeSearch!.value,
      youtube: base.youtube!.value,
    };
    const same = (path: DocumentPath, what: string): Problem =>
      warning(
        document,
        path,
        `"${what}" changes nothing: level ${own.extends} says the same already; remove this line`,
      );
    const settings = SETTINGS.filter((key) => own[key] !== undefined && own[key] === inherited[key]);
    const categories = Object.entries(own.categories ?? {}).filter(
      ([id, action]) => Object.hasOwn(base.categories, id) && base.categories[id]!.action === action,
    );
    return settings
      .map((key) => same([key], `${key}: ${own[key]}`))
      .concat(categories.map(([id, action]) => same(['categories', id], `${id}: ${action}`)));
  });

/** File endings that a shorter one of the same list refuses already: `.tar.gz` beside `.gz`. */
const coveredEndings: Find = ({ levels }) =>
  [...levels.values()].flatMap((document) => {
    const endings = document.value.downloads?.block ?? [];
    return endings.flatMap((ending, i) => {
      const shorter = endings.find(
        (one) => one.length < ending.length && ending.toLowerCase().endsWith(one.toLowerCase()),
      );
      const reason = `"${ending}" changes nothing: "${shorter}" refuses it already; remove this line`;
      return shorter === undefined ? [] : [warning(document, ['downloads', 'block', i], reason)];
    });
  });

/** Ranges from where nobody may use the proxy, and such as lie in a wider one that says the same. */
const idleRanges: Find = ({ school }, { identity, network }) =>
  identity.ranges.flatMap(({ cidr, level }, i) => {
    const path = ['identity', 'ranges', i];
    if (!network.clients.some((clients) => isWithin(cidr, clients) || isWithin(clients, cidr))) {
      return [warning(school, path, `"${cidr}" gives nobody a level: it lies outside "network.clients"`)];
    }
    const [next] = identity.ranges
      .filter((wider) => wider.cidr !== cidr && isWithin(cidr, wider.cidr))
      .sort((a, b) => (isWithin(a.cidr, b.cidr) ? -1 : 1));
    const reason = `"${cidr}" changes nothing: ${next?.cidr}, which holds it, has level ${level} already`;
    return next?.level === level ? [warning(school, path, reason)] : [];
  });

/** Classes and groups that nobody is in, and people whom no roster names. */
const missingPeople: Find = ({ rules }, snapshot, { people: { people } }) => {
  if (rules === null) return [];
  const groups = new Set([...Object.values(snapshot.people), ...people].flatMap((person) => person.groups));
  const known = new Set(people.map(({ name }) => name));
  return [
    ...(rules.value.groups ?? []).flatMap(({ name }, i) =>
      groups.has(name)
        ? []
        : [
            warning(
              rules,
              ['groups', i, 'name'],
              `nobody is in group "${name}": neither "people" nor a roster names it`,
            ),
          ],
    ),
    ...(rules.value.people ?? []).flatMap(({ name }, i) =>
      known.size === 0 || known.has(canonicalUser(name)!)
        ? []
        : [warning(rules, ['people', i, 'name'], `no roster names "${name}": see that the user name is right`)],
    ),
  ];
};

/** What has ended for good. */
const pastRules: Find = ({ rules }, snapshot, { now }) => {
  if (rules === null) return [];
  const ended = (path: DocumentPath, what: string, until: number): Problem[] =>
    until > now ? [] : [warning(rules, path, `${what} ended at ${isoTime(until)}; remove it`)];
  return [
    ...(rules.value.people ?? []).flatMap(({ name }, i) => {
      const until = snapshot.people[canonicalUser(name)!]!.rules?.suspended?.until ?? Infinity;
      return ended(['people', i, 'suspended'], `the suspension of "${name}"`, until);
    }),
    ...snapshot.lessons.flatMap(({ group, until }, i) => ended(['lessons', i], `the lesson list of "${group}"`, until)),
  ];
};

const FINDERS: readonly Find[] = [
  findShadowed,
  unusedLevels,
  unlistedCategories,
  unusedPlaces,
  endingTerms,
  inheritedSettings,
  coveredEndings,
  idleRanges,
  missingPeople,
  pastRules,
];
