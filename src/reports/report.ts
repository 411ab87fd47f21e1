import type { Week } from './week.ts';

/** What a column or figure holds; renderers decide how it looks. `bytes` whole bytes, `share` 0 to 1. */
export type Kind = 'text' | 'count' | 'bytes' | 'share';
export type Cell = string | number;

export interface Figure {
  readonly id: string;
  readonly label: string;
  readonly kind: Kind;
  readonly value: number;
  /** What the number means, in a few words. */
  readonly note: string;
}

export interface Column {
  readonly title: string;
  readonly kind: Kind;
}

export interface ReportTable {
  readonly id: string;
  readonly title: string;
  /** What is counted and what is left out. */
  readonly note: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** Rows that stand for many, such as all other sites; they count towards the total. */
  readonly rest: readonly (readonly Cell[])[];
  /** Sums of `rows` and `rest` (people: how many different ones); null for tables that are lists. */
  readonly total: readonly Cell[] | null;
  /** Columns drawn as one bar a row. */
  readonly bar: readonly { readonly column: number; readonly tone: 'allowed' | 'refused' }[];
  /** True: the first cell of a row is whom it is about, so that nobody is shown their own. */
  readonly namesPeople?: true;
  /** Said in place of a table without rows. */
  readonly whenEmpty: string;
}

/** A report as both renderers take it. Times are texts on the school's clocks. */
export interface WeeklyReport {
  /** Null: a period that is no week. */
  readonly week: Week | null;
  readonly title: string;
  readonly period: string;
  readonly school: string | null;
  readonly made: string;
  readonly figures: readonly Figure[];
  readonly missing: ReportTable;
  readonly tables: readonly ReportTable[];
}
