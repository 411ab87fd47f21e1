import type { AccessRecord, KeptRecord } from '../events/access-record.ts';
import { NO_END, type SegmentLine } from './segment.ts';

/** What a cell of a row may hold. */
export type Cell = string | number | boolean | null;

/** One line of a segment as columns, in the order of COLUMNS. */
export type Row = readonly Cell[];

/** A column, how it travels (`kind`), and as what it is kept in Parquet. */
export interface Column {
  readonly name: string;
  readonly kind: 'number' | 'text' | 'flag';
  readonly kept: 'BIGINT' | 'INTEGER' | 'VARCHAR' | 'BOOLEAN';
}

const big = (name: string): Column => ({ name, kind: 'number', kept: 'BIGINT' });
const small = (name: string): Column => ({ name, kind: 'number', kept: 'INTEGER' });
const text = (name: string): Column => ({ name, kind: 'text', kept: 'VARCHAR' });
const flag = (name: string): Column => ({ name, kind: 'flag', kept: 'BOOLEAN' });

/**
 * The columns of a history row. `at`: ms since the epoch. `tunnel`: `opening` of a tunnel whose record had not come, or the record of one
 * whose opening may lie elsewhere (`late`). `id`: only where something may refer to it, because ten bytes of chance cannot be compressed.
 * `target` and `sni` are empty where they say no more than `host` does; lists are joined by line feeds. `more`: JSON of what newer
 * gateways say besides.
 */
export const COLUMNS: readonly Column[] = [
  big('at'),
  text('tunnel'),
  text('id'),
  text('gateway'),
  small('worker'),
  text('client'),
  text('user'),
  text('identified'),
  text('account'),
  text('level'),
  text('method'),
  text('target'),
  text('host'),
  text('verdict'),
  text('action'),
  text('reason'),
  text('step'),
  text('category'),
  text('categories'),
  text('lists'),
  flag('flagged'),
  flag('locked'),
  text('rule'),
  text('policy'),
  big('serial'),
  small('status'),
  big('up'),
  big('down'),
  big('ms'),
  text('retarget'),
  text('sni'),
  flag('ech'),
  text('error'),
  text('more'),
];

/** The columns as a query names them; all numbers as DOUBLE, which holds every integer we record. */
export const AS_TRAVELLED = COLUMNS.map(({ name, kind }) =>
  kind === 'number' ? `"${name}"::DOUBLE AS "${name}"` : `"${name}"`,
).join(', ');
/** The columns as they are kept. */
export const AS_KEPT = COLUMNS.map(({ name, kept }) => `"${name}"::${kept} AS "${name}"`).join(', ');

const KNOWN = new Set(COLUMNS.map(({ name }) => name));

/** `late`: a record whose opening may lie in another segment. `keepId` false: the id goes where nothing refers to it. */
export function rowOf({ kind, record }: SegmentLine, late: boolean, keepId: boolean): Row {
  const { at, host, target, sni, categories, lists } = record;
  const tunnel = kind === 'opening' ? 'opening' : late ? 'late' : null;
  const cells: Readonly<Record<string, unknown>> = {
    ...record,
    at: Date.parse(at),
    tunnel,
    id: keepId || tunnel !== null || record.flagged ? record.id : null,
    target: target === usualTarget(record.method, host) ? '' : target,
    sni: sni === undefined ? null : sni === host ? '' : sni,
    categories: categories.join('\n'),
    lists: lists.join('\n'),
    more: moreOf(record),
  };
  return COLUMNS.map(({ name, kind: travels }) => cellOf(cells[name], travels));
}

/** The record that a row was made of. An opening without its record says so in `error`. */
export function recordOf(row: Row): KeptRecord {
  const cells: Record<string, Cell> = {};
  COLUMNS.forEach(({ name }, index) => (cells[name] = row[index]!));
  const { tunnel, more, ...plain } = cells;
  const host = cells['host'] as string | null;
  const record: Record<string, unknown> = {
    ...(more === null ? {} : (JSON.parse(more as string) as object)),
    ...plain,
    at: new Date(cells['at'] as number).toISOString(),
    target: cells['target'] === '' ? usualTarget(cells['method'] as string, host) : cells['target'],
    categories: listOf(cells['categories']!),
    lists: listOf(cells['lists']!),
  };
  if (cells['sni'] === '') record['sni'] = host;
  if (tunnel === 'opening') record['error'] ??= NO_END;
  for (const name of ABSENT_WHEN_NULL) if (record[name] === null) delete record[name];
  return record as unknown as KeptRecord;
}

const ABSENT_WHEN_NULL = ['account', 'retarget', 'sni', 'ech', 'error'];

function usualTarget(method: string, host: string | null): string | null {
  return method === 'CONNECT' && host !== null ? `${host}:443` : null;
}

/** A text or flag of a newer gateway may be of another kind in an optional field: it is then not understood, and left out. */
function cellOf(value: unknown, kind: Column['kind']): Cell {
  if (kind === 'number') return typeof value === 'number' ? value : null;
  if (kind === 'flag') return typeof value === 'boolean' ? value : null;
  return typeof value === 'string' ? value : null;
}

function moreOf(record: AccessRecord): string | null {
  const unknown = Object.entries(record).filter(([name]) => !KNOWN.has(name) || name === 'tunnel' || name === 'more');
  return unknown.length === 0 ? null : JSON.stringify(Object.fromEntries(unknown));
}

function listOf(joined: Cell): string[] {
  return joined === '' ? [] : (joined as string).split('\n');
}
