import type { Cell, Column, ReportTable } from './report.ts';
import { mergeTallies, type Tally } from './tally.ts';

export function text(title: string): Column {
  return { title, kind: 'text' };
}

export function count(title: string): Column {
  return { title, kind: 'count' };
}

/** What a table of tallies needs to be told. `top`: how many rows stand by themselves. */
export interface TallyTable {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly columns: readonly Column[];
  readonly cells: (tally: Tally) => Cell[];
  readonly bar: ReportTable['bar'];
  readonly total: string;
  readonly whenEmpty: string;
  readonly top: number;
  /** Such as `other sites`, after their number. */
  readonly others: string;
}

/** The first `top` tallies as rows, all others as one; `apart` are rows of their own below. The total is over all. */
export function tallyTable(table: TallyTable, tallies: readonly Tally[], apart: readonly Tally[] = []): ReportTable {
  const { cells, top, others, total, ...rest } = table;
  const more = tallies.slice(top);
  const below = more.length === 0 ? [] : [mergeTallies(`${more.length.toLocaleString('en-GB')} ${others}`, more)];
  const everything = [...tallies, ...apart];
  return {
    ...rest,
    rows: tallies.slice(0, top).map(cells),
    rest: [...below, ...apart].map(cells),
    total: everything.length === 0 ? null : cells(mergeTallies(total, everything)),
  };
}

/** A table of texts, one thing a row. */
export function listTable(
  table: Pick<ReportTable, 'id' | 'title' | 'note' | 'columns' | 'rows' | 'whenEmpty'>,
): ReportTable {
  return { ...table, rest: [], total: null, bar: [] };
}
