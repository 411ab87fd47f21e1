import type { Table, TableColumn, TableValue } from 'fastify';
import { csvText } from '../kernel/csv.ts';
import { localInput } from '../kernel/local-time.ts';

/** Rows of one page. */
const PAGE_ROWS = 50;
/** Of anything typed into an address. */
const MOST_TYPED = 200;

/** What the address of a table asks for. Whatever it asks for that there is not is as if it were not asked. */
export interface TableState {
  readonly search: string;
  readonly sort: { readonly column: string; readonly isDescending: boolean };
  /** From 1; the last one where there are fewer. */
  readonly page: number;
  /** By filter; the first option where none was chosen. */
  readonly chosen: Readonly<Record<string, string>>;
}

/** A table as its macro (views/table.njk) shows it. */
export interface TableView {
  readonly path: string;
  readonly caption: string;
  readonly search: string | null;
  readonly searchLabel: string;
  readonly filters: readonly {
    readonly id: string;
    readonly label: string;
    readonly options: readonly { readonly value: string; readonly text: string; readonly selected: boolean }[];
  }[];
  readonly isFiltered: boolean;
  /** What the form keeps besides what is typed into it. */
  readonly kept: readonly { readonly name: string; readonly value: string }[];
  readonly heads: readonly {
    readonly title: string;
    readonly href: string;
    readonly order: 'ascending' | 'descending' | 'none';
    readonly isNumber: boolean;
  }[];
  readonly rows: readonly { readonly cells: readonly TableCell[]; readonly item: unknown }[];
  /** Rows that fit, and of all. */
  readonly found: number;
  readonly all: number;
  readonly from: number;
  readonly until: number;
  readonly pages: readonly { readonly number: number; readonly href: string; readonly isCurrent: boolean }[];
  readonly previous: string | null;
  readonly next: string | null;
  readonly csv: string;
  readonly empty: { readonly text: string; readonly href?: string; readonly linkText?: string };
}

interface TableCell {
  readonly value: TableValue;
  readonly href: string | null;
  readonly tag: string | null;
  readonly isTime: boolean;
  readonly isNumber: boolean;
}

type Query = Readonly<Record<string, unknown>>;

/** Reads the state of a table out of its address. */
export function tableState<Row>(table: Table<Row>, query: Query): TableState {
  const sort = textOf(query['sort']);
  const column = table.columns.find(({ id }) => id === sort.replace(/^-/, ''));
  const page = /^[1-9]\d{0,5}$/.test(textOf(query['page'])) ? Number(query['page']) : 1;
  const chosen = (table.filters ?? []).map(({ id, options }) => {
    const value = textOf(query[id]);
    return [id, options.some((option) => option.value === value) ? value : options[0]!.value] as const;
  });
  return {
    search: table.search === undefined ? '' : textOf(query['q']).trim(),
    sort: { column: (column ?? table.columns[0]!).id, isDescending: column !== undefined && sort.startsWith('-') },
    page,
    chosen: Object.fromEntries(chosen),
  };
}

function textOf(value: unknown): string {
  const one = Array.isArray(value) ? (value.at(-1) as unknown) : value;
  return typeof one === 'string' ? one.slice(0, MOST_TYPED) : '';
}

/** The rows that fit, in order. Every word that is searched for must stand in what a row is found by. */
export function rowsThatFit<Row>(table: Table<Row>, rows: readonly Row[], state: TableState): Row[] {
  const { search, filters = [] } = table;
  const words = plain(state.search).split(/\s+/).filter(Boolean);
  const active = filters.flatMap(({ id, accepts }) =>
    accepts === undefined ? [] : [{ accepts, value: state.chosen[id]! }],
  );
  const fits = (row: Row): boolean => {
    if (!active.every(({ accepts, value }) => accepts(row, value))) return false;
    if (words.length === 0 || search === undefined) return true;
    const text = plain(search.of(row));
    return words.every((word) => text.includes(word));
  };
  return inOrder(table, rows.filter(fits), state);
}

/** Small letters without accents: `Zoë` is found by `zoe`. */
function plain(text: string): string {
  // Most names are plain already, and a school has thousands.
  return /^[\x20-\x7e]*$/.test(text)
    ? text.toLowerCase()
    : text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
}

/** By keys made once: comparing as a language does costs ten times as much. What is empty stands last, either way. */
function inOrder<Row>(table: Table<Row>, rows: readonly Row[], { sort }: TableState): Row[] {
  const column = table.columns.find(({ id }) => id === sort.column)!;
  const way = sort.isDescending ? -1 : 1;
  return rows
    .map((row) => ({ row, key: sortKey(column.sortBy?.(row) ?? column.value(row)) }))
    .sort((a, b) => {
      if (a.key === b.key) return 0;
      if (a.key === '' || b.key === '') return a.key === '' ? 1 : -1;
      return a.key < b.key ? -way : way;
    })
    .map(({ row }) => row);
}

/** `9x` stands before `10x`. */
function sortKey(value: TableValue): string | number {
  if (value === null) return '';
  return typeof value === 'number' ? value : plain(value).replaceAll(/\d+/g, (digits) => digits.padStart(12, '0'));
}

/** The page of a table that its address asks for. */
export function tableView<Row>(table: Table<Row>, rows: readonly Row[], state: TableState): TableView {
  const { path, caption, columns, filters = [], search } = table;
  const fitting = rowsThatFit(table, rows, state);
  const last = Math.max(1, Math.ceil(fitting.length / PAGE_ROWS));
  const page = Math.min(state.page, last);
  const address = (change: Partial<TableState>, extra = ''): string =>
    addressOf(table, { ...state, page, ...change }, extra);
  const shown = fitting.slice((page - 1) * PAGE_ROWS, page * PAGE_ROWS);
  const onPage = columns.filter(({ isOnlyInCsv = false }) => !isOnlyInCsv);
  const isFiltered = state.search !== '' || filters.some(({ id, options }) => state.chosen[id] !== options[0]!.value);
  return {
    path,
    caption,
    search: search === undefined ? null : state.search,
    searchLabel: search?.label ?? '',
    filters: filters.map(({ id, label, options }) => ({
      id,
      label,
      options: options.map((option) => ({ ...option, selected: option.value === state.chosen[id] })),
    })),
    isFiltered,
    kept: [
      ...new URLSearchParams(addressOf(table, { ...state, search: '', page: 1, chosen: {} }, '').split('?')[1]),
    ].map(([name, value]) => ({ name, value })),
    heads: onPage.map(({ id, title, isNumber = false }) => {
      const isSorted = state.sort.column === id;
      const sort = { column: id, isDescending: isSorted && !state.sort.isDescending };
      const order = !isSorted ? 'none' : state.sort.isDescending ? 'descending' : 'ascending';
      return { title, isNumber, order, href: address({ sort, page: 1 }) };
    }),
    rows: shown.map((row) => ({ item: row, cells: onPage.map((column) => cellOf(column, row)) })),
    found: fitting.length,
    all: rows.length,
    from: (page - 1) * PAGE_ROWS + 1,
    until: (page - 1) * PAGE_ROWS + shown.length,
    pages: pagesAround(page, last).map((number) => ({
      number,
      href: address({ page: number }),
      isCurrent: number === page,
    })),
    previous: page > 1 ? address({ page: page - 1 }) : null,
    next: page < last ? address({ page: page + 1 }) : null,
    csv: address({ page: 1 }, 'csv'),
    empty: table.empty,
  };
}

function cellOf<Row>({ value, href, tag, isTime = false, isNumber = false }: TableColumn<Row>, row: Row): TableCell {
  return { value: value(row), href: href?.(row) ?? null, tag: tag?.(row) ?? null, isTime, isNumber };
}

/** The first page, the last one, and those beside the current one. */
function pagesAround(page: number, last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1).filter((n) => n === 1 || n === last || Math.abs(n - page) <= 1);
}

/** Only what differs from the table as it opens, so that an address can be read and sent to a colleague. */
function addressOf<Row>(
  { path, columns, filters = [], keep = {} }: Table<Row>,
  state: TableState,
  format: string,
): string {
  const { search, sort, page, chosen } = state;
  const query = new URLSearchParams(keep);
  if (search !== '') query.set('q', search);
  for (const { id, options } of filters) {
    const value = chosen[id];
    if (value !== undefined && value !== options[0]!.value) query.set(id, value);
  }
  if (sort.isDescending || sort.column !== columns[0]!.id)
    query.set('sort', `${sort.isDescending ? '-' : ''}${sort.column}`);
  if (page > 1) query.set('page', String(page));
  if (format !== '') query.set('format', format);
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Every row that fits, on whatever page, as a file for a spreadsheet; instants by the clock of `zone`. */
export function tableCsv<Row>(table: Table<Row>, rows: readonly Row[], state: TableState, zone: string): string {
  const { columns } = table;
  const cell = ({ value, isTime = false }: TableColumn<Row>, row: Row): string | number => {
    const one = value(row);
    return isTime && typeof one === 'number' ? localInput(one, zone).replace('T', ' ') : (one ?? '');
  };
  const lines = rowsThatFit(table, rows, state).map((row) => columns.map((column) => cell(column, row)));
  return csvText([columns.map(({ title }) => title), ...lines]);
}
