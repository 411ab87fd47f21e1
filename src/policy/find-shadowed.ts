import type { DocumentPath, YamlDocument } from '../config/yaml-document.ts';
import { canonicalUser } from '../identity/user-name.ts';
import type { Problem } from '../kernel/errors.ts';
import { NO_ENTRIES, indexOfEntry } from './compile-entries.ts';
import type { PolicyDocuments } from './document.ts';
import { entryText } from './entry.ts';
import type { Entries, Entry, PolicySnapshot, TimedRules } from './snapshot.ts';
import { type WrittenTable, widerRule, writtenTable } from './written.ts';

/** Whose other entries decide whether one has an effect. */
interface Around {
  /** What is asked together with the list: the longest entry of it speaks. */
  readonly beside: WrittenTable;
  /** What is asked before it, and closes. */
  readonly before: readonly WrittenTable[];
}

/** One list of entries as it stands in a file. */
interface WrittenList {
  readonly document: YamlDocument<unknown>;
  readonly path: DocumentPath;
  readonly texts: readonly string[] | undefined;
  readonly entries: readonly Entry[];
  readonly allows: boolean;
  readonly around: Around;
}

/**
 * Entries that never have an effect: what the never-list closes for everybody, a person's allowed sites that their own block
 * closes, and what an entry for a wider name (here, or in a level that is extended) says already. The documents are those that
 * compiled to the snapshot.
 */
export function findShadowed(documents: PolicyDocuments, snapshot: PolicySnapshot): Problem[] {
  const { school, rules } = documents;
  const never = writtenTable({ block: snapshot.never });
  const neverList: WrittenList = {
    document: school,
    path: ['never'],
    texts: school.value.never,
    entries: snapshot.never,
    allows: false,
    around: { beside: never, before: [] },
  };
  const lists = [
    neverList,
    ...levelLists(documents, snapshot, never),
    ...(rules === null ? [] : rulesLists(rules, snapshot, never)),
  ];
  return lists.flatMap((list) =>
    list.entries.flatMap((entry) => {
      const reason = whyPointless(list, entry);
      if (reason === null) return [];
      const line = list.document.lineOf([...list.path, indexOfEntry(list.texts ?? [], entry)]);
      return [{ file: list.document.file, line, reason }];
    }),
  );
}

function levelLists({ levels }: PolicyDocuments, snapshot: PolicySnapshot, never: WrittenTable): WrittenList[] {
  return [...levels].flatMap(([id, document]) => {
    const isOwn = ({ rule }: Entry): boolean => rule.startsWith(`${document.file}#`);
    const { allow, block } = snapshot.levels[id]!.entries;
    const own = { allow: allow.filter(isOwn), block: block.filter(isOwn) };
    const base = snapshot.levels[document.value.extends ?? '']?.entries ?? { allow: [], block: [] };
    // With what is extended, which the same entry said again would otherwise have replaced.
    const beside = writtenTable({ allow: [...base.allow, ...own.allow], block: [...base.block, ...own.block] });
    const around = { beside, before: [never] };
    return bothWays(document, [], document.value, own, { allow: around, block: around }).concat(
      timesLists(document, [], document.value.times, snapshot.levels[id]!.times, never),
    );
  });
}

/** Sites at certain times: each beside the others of its own entry alone, because others hold at other times. */
function timesLists(
  document: YamlDocument<unknown>,
  path: DocumentPath,
  written: readonly { readonly name: string; readonly allow?: string[]; readonly block?: string[] }[] = [],
  compiled: readonly TimedRules[] = [],
  never: WrittenTable,
): WrittenList[] {
  return written.flatMap((entry, i) => {
    const rules = compiled.find(({ name, rule }) => name === entry.name && rule.startsWith(`${document.file}#`));
    if (rules === undefined) return [];
    const around = { beside: writtenTable(rules.entries), before: [never] };
    return bothWays(document, [...path, 'times', i], entry, rules.entries, { allow: around, block: around });
  });
}

function rulesLists(
  document: NonNullable<PolicyDocuments['rules']>,
  snapshot: PolicySnapshot,
  never: WrittenTable,
): WrittenList[] {
  const { groups = [], people = [], lessons = [] } = document.value;
  return [
    ...groups.flatMap((group, i) => {
      const { entries, times } = snapshot.groups[group.name]!;
      const around = { beside: writtenTable(entries), before: [never] };
      return bothWays(document, ['groups', i], group, entries, { allow: around, block: around }).concat(
        timesLists(document, ['groups', i], group.times, times, never),
      );
    }),
    ...people.flatMap((person, i) => {
      const { entries = NO_ENTRIES, times } = snapshot.people[canonicalUser(person.name)!]!.rules ?? {};
      const [allow, block] = [writtenTable({ allow: entries.allow }), writtenTable({ block: entries.block })];
      // A person's own block passes over what they are allowed, however long its name.
      const around = { allow: { beside: allow, before: [never, block] }, block: { beside: block, before: [never] } };
      return bothWays(document, ['people', i], person, entries, around).concat(
        timesLists(document, ['people', i], person.times, times, never),
      );
    }),
    ...lessons.map(({ sites }, i): WrittenList => {
      const { sites: entries } = snapshot.lessons[i]!;
      const around = { beside: writtenTable({ allow: entries }), before: [never] };
      return { document, path: ['lessons', i, 'sites'], texts: sites, entries, allows: true, around };
    }),
  ];
}

function bothWays(
  document: YamlDocument<unknown>,
  path: DocumentPath,
  texts: { readonly allow?: readonly string[]; readonly block?: readonly string[] },
  entries: Entries,
  around: Readonly<Record<'allow' | 'block', Around>>,
): WrittenList[] {
  return (['allow', 'block'] as const).map((way) => ({
    document,
    path: [...path, way],
    texts: texts[way],
    entries: entries[way],
    allows: way === 'allow',
    around: around[way],
  }));
}

function whyPointless({ allows, around }: WrittenList, entry: Entry): string | null {
  const site = `"${entryText(entry)}"`;
  const earlier = around.before.map((table) => widerRule(table, entry)).find((rule) => rule !== null);
  if (earlier) {
    const closes = `${earlier.entry.rule} closes it and is asked first`;
    return allows ? `${site} is never opened: ${closes}; remove one of the two` : `${site} changes nothing: ${closes}`;
  }
  const wider = widerRule(around.beside, entry);
  if (wider === null || wider.allows !== allows) return null;
  return `${site} changes nothing: ${wider.entry.rule} says the same already; remove this line`;
}
