import type { Cell, Column, ReportTable } from './report.ts';
import type { Ranking, Tally } from './week-counts.ts';

export function text(title: string): Column {
  return { title, kind: 'text' };
}

export function count(title: string): Column {
  return { title, kind: 'count' };
}

export function bytes(title: string): Column {
  return { title, kind: 'bytes' };
}

type TableHead = Pick<ReportTable, 'id' | 'title' | 'note' | 'columns' | 'bar' | 'whenEmpty'>;

/** A row for each tally; the total is the sum of all. */
export function tallyTable(
  head: TableHead,
  tallies: readonly Tally[],
  total: Tally,
  cells: (tally: Tally, name: string) => Cell[],
  nameOf: (tally: Tally) => string,
): ReportTable {
  return {
    ...head,
    rows: tallies.map((tally) => cells(tally, nameOf(tally))),
    rest: [],
    total: tallies.length === 0 ? null : cells(total, 'All together'),
  };
}

/** The words that a ranking needs besides its rows: `others` such as `other sites`, after their number. */
export interface RankingWords {
  readonly others: string;
  readonly apart?: string;
  readonly total: string;
}

/** The first of a ranking as rows, all others as one, what is counted apart below. The total is over all. */
export function rankingTable<Row extends Tally>(
  head: TableHead,
  { top, more, others, apart, total }: Ranking<Row>,
  rowCells: (row: Row) => Cell[],
  sumCells: (sum: Tally, name: string) => Cell[],
  words: RankingWords,
): ReportTable {
  const below = others === null ? [] : [sumCells(others, `${more.toLocaleString('en-GB')} ${words.others}`)];
  const beside = apart === null ? [] : [sumCells(apart, words.apart ?? '')];
  return {
    ...head,
    rows: top.map(rowCells),
    rest: [...below, ...beside],
    total: total.requests === 0 ? null : sumCells(total, words.total),
  };
}

/** A table of texts, one thing a row. */
export function listTable(
  table: Pick<ReportTable, 'id' | 'title' | 'note' | 'columns' | 'rows' | 'whenEmpty'>,
): ReportTable {
  return { ...table, rest: [], total: null, bar: [] };
}
