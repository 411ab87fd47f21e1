/** What a column or figure holds; renderers decide how it looks. `bytes` whole bytes, `share` 0 to 1. */
export type ValueKind = 'text' | 'count' | 'bytes' | 'share';
export type Cell = string | number;

export interface Figure {
  readonly id: string;
  readonly label: string;
  readonly kind: ValueKind;
  readonly value: number;
  /** What the number means, in a few words. */
  readonly note: string;
}

export interface Column {
  readonly title: string;
  readonly kind: ValueKind;
}

export interface ReportTable {
  readonly id: string;
  readonly title: string;
  /** What is counted and what is left out. */
  readonly note: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** Pages of the console that the rows lead to, in their order; null: none. */
  readonly links?: readonly (string | null)[];
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

/** A report as all renderers take it. Times are texts on the school's clocks. */
export interface Report {
  readonly title: string;
  readonly period: string;
  readonly school: string | null;
  readonly made: string;
  readonly figures: readonly Figure[];
  readonly missing: ReportTable;
  readonly tables: readonly ReportTable[];
  /** What it was made from, and what its words mean. */
  readonly about: string;
}

/** The report without what it says of whoever reads it: nobody looks into themselves. */
export function withoutReader(report: Report, userName: string): Report {
  const tables = report.tables.map((table) => {
    if (table.namesPeople !== true) return table;
    const stays = (_row: unknown, i: number): boolean => table.rows[i]![0] !== userName;
    return { ...table, rows: table.rows.filter(stays), ...(table.links && { links: table.links.filter(stays) }) };
  });
  return { ...report, tables };
}
