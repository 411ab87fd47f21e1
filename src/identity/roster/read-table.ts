import type { Problem } from '../../kernel/errors.ts';
import { readCsv } from './read-csv.ts';
import type { RosterFile } from './roster.ts';

/** One line of a table, by column. */
export interface TableRow {
  readonly file: string;
  readonly line: number;
  /** The value of a column, trimmed; empty where the file has no such column. */
  get(column: string): string;
  has(column: string): boolean;
}

/** Which columns a table must have, which it may have and we do not need, and how it is called. */
export interface Columns {
  readonly required: readonly string[];
  readonly optional?: readonly string[];
  /** Known to the format and of no use to us; not worth a note. */
  readonly passedOver?: readonly string[];
}

/** What reading collects besides rows. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly notes: string[] = [];
  lines = 0;
  /** Records that could not be read at all: whoever stood there may look as if they had left. */
  unread = 0;

  report(row: Pick<TableRow, 'file' | 'line'>, reason: string): void {
    this.problems.push({ file: row.file, line: row.line, reason });
  }
}

/** Columns are told apart without capitals, spaces, `_` and `-`. */
export function columnKey(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}

/** The names of a file's columns as keys; null where the file is empty or no CSV. */
export async function headerOf(file: RosterFile): Promise<ReadonlySet<string> | null> {
  // A header is one record at the beginning; the rest need not be looked at.
  for await (const first of readCsv({ name: file.name, text: file.text.slice(0, 64 * 1024) })) {
    return 'values' in first ? new Set(first.values.map(columnKey)) : null;
  }
  return null;
}

/**
 * Reads a table by its header: unknown columns are passed over with one note, a missing one is a problem and no row is given. A
 * line with more values than the header is a problem and is left out; values that are missing at its end are empty.
 */
export async function* readTable(file: RosterFile, columns: Columns, findings: Findings): AsyncGenerator<TableRow> {
  let positions: Map<string, number> | null = null;
  let width = 0;
  for await (const record of readCsv(file)) {
    const at = { file: file.name, line: record.line };
    if ('fault' in record) {
      findings.unread++;
      findings.report(at, record.fault);
    } else if (positions === null) {
      positions = readHeader(file, record.values, columns, findings);
      width = record.values.length;
      if (positions === null) return;
    } else {
      findings.lines++;
      if (record.values.length !== width && record.values.slice(width).some((value) => value !== '')) {
        findings.unread++;
        findings.report(at, `has ${record.values.length} values and the header ${width} columns; the line is left out`);
        continue;
      }
      const [places, { values }] = [positions, record];
      yield {
        ...at,
        get: (column) => values[places.get(columnKey(column)) ?? -1] ?? '',
        has: (column) => places.has(columnKey(column)),
      };
    }
  }
  if (positions === null)
    findings.report({ file: file.name, line: 1 }, 'is empty; it needs a line with the names of its columns');
}

function readHeader(
  { name }: RosterFile,
  values: readonly string[],
  { required, optional = [], passedOver = [] }: Columns,
  findings: Findings,
): Map<string, number> | null {
  const positions = new Map<string, number>();
  const doubles = values.filter(
    (value, i) => value !== '' && values.findIndex((one) => columnKey(one) === columnKey(value)) < i,
  );
  for (const [i, value] of values.entries()) if (!positions.has(columnKey(value))) positions.set(columnKey(value), i);
  const missing = required.filter((column) => !positions.has(columnKey(column)));
  const known = new Set([...required, ...optional, ...passedOver].map(columnKey));
  const unknown = values.filter(
    (value) => value !== '' && !known.has(columnKey(value)) && columnKey(value) !== 'password',
  );
  const at = { file: name, line: 1 };
  if (missing.length > 0) findings.report(at, `the column ${missing.join(', ')} is missing, so the file was not read`);
  if (doubles.length > 0) findings.report(at, `the column ${doubles.join(', ')} stands twice; the first is read`);
  if (unknown.length > 0) findings.notes.push(`${name}: columns that are not read: ${unknown.join(', ')}.`);
  if (positions.has('password')) findings.notes.push(`${name}: passwords are never read from a roster.`);
  if (missing.length === 0) return positions;
  findings.unread++;
  return null;
}
