import type { CatalogueList } from './catalogue.ts';
import { createEntryTable, type EntryCounts } from './entry-table.ts';
import { expressionBudget } from './expression.ts';
import type { Seed } from './hash.ts';
import { encodeIndex, type IndexedExpression, type ListName } from './index-file.ts';
import { forEachEntry } from './list-content.ts';

/** What the index has to know of a list. */
export type CompiledList = Pick<CatalogueList, 'id' | 'category' | 'format'>;

/** Makes the bytes of an index from the entries of lists, one list after the other. */
export interface IndexCompiler {
  /** `text` as `ListContent` has it. */
  addList(list: CompiledList, text: Buffer): void;
  readonly counts: EntryCounts & { readonly expressions: number };
  /** One sentence for each list whose expressions had to be left out. */
  readonly alarms: readonly string[];
  /** Throws a SchoolgateError when the lists overlap in more ways than a slot can name. */
  encode(): Uint8Array;
}

export function createIndexCompiler(seed: Seed): IndexCompiler {
  const table = createEntryTable(seed);
  const names: ListName[] = [];
  const expressions: IndexedExpression[] = [];
  const budget = expressionBudget();
  const alarms: string[] = [];
  return {
    alarms,
    addList({ id, category, format }, text) {
      const position = names.push({ id, category, ...(format === 'cidr' && { ofAddresses: true }) }) - 1;
      let hasExceptions = false;
      const sources: string[] = [];
      table.beginList(position);
      forEachEntry(text, {
        entry: (lines, start, end) => table.add(lines, start, end),
        range: (range) => table.addRange(range),
        expression: (source) => sources.push(source),
        exception: () => (hasExceptions = true),
      });
      if (budget.takes(sources)) expressions.push(...sources.map((source) => ({ list: position, source })));
      else
        alarms.push(
          `List "${id}": its expressions are not searched for; with those of the lists before they cost too much.`,
        );
      if (!hasExceptions) return;
      // What a list excepts is a list of its own, which an answer then takes away.
      table.beginList(names.push({ id, category, excepts: position }) - 1);
      forEachEntry(text, { exception: (lines, start, end) => table.add(lines, start, end) });
    },
    get counts() {
      return { ...table.counts, expressions: expressions.length };
    },
    encode: () => encodeIndex(table, { lists: names, expressions }),
  };
}
