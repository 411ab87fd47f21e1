import { Readable } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import type { RosterFile } from './roster.ts';

/** One record of a CSV file (RFC 4180): its values by position, and the line it begins on, from 1. */
export interface CsvRecord {
  readonly line: number;
  readonly values: readonly string[];
}

/** A place that is no CSV; the record there could not be read. */
export interface CsvFault {
  readonly line: number;
  readonly fault: string;
}

/** A longer record is no line of a roster: a quote was opened somewhere and never closed. Characters. */
const LONGEST_RECORD = 64 * 1024;
const PIECE = 64 * 1024;

/**
 * Reads CSV piece by piece: quoted values with commas, quotes and line ends in them, a byte order mark, CRLF, LF or CR. Empty
 * lines are passed over; values are trimmed. A fault is told in its place and reading goes on where it can. Never throws.
 */
export async function* readCsv({ text }: RosterFile): AsyncGenerator<CsvRecord | CsvFault> {
  const faults: CsvFault[] = [];
  const parser = parse({
    bom: true,
    info: true,
    record_delimiter: '\n',
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: LONGEST_RECORD,
    on_skip: (error) => {
      if (error !== undefined) faults.push(faultOf(error));
      return undefined;
    },
  });
  try {
    for await (const { record, info } of Readable.from(pieces(text)).pipe(parser)) {
      const values = record as string[];
      const line = info.lines - values.reduce((sum, value) => sum + value.split('\n').length - 1, 0);
      // The parser runs ahead of its reader.
      while (faults.length > 0 && faults[0]!.line < line) yield faults.shift()!;
      if (values.some((value) => value.trim() !== '')) yield { line, values: values.map((value) => value.trim()) };
    }
  } catch (error) {
    faults.push(faultOf(error as CsvError));
  }
  yield* faults;
}

/** Line ends become LF: the library counts a quoted CRLF as two lines. */
function* pieces(text: string): Generator<string> {
  const plain = text.replace(/\r\n?/g, '\n');
  for (let at = 0; at < plain.length; at += PIECE) yield plain.slice(at, at + PIECE);
}

function faultOf(error: CsvError): CsvFault {
  const line = typeof error['lines'] === 'number' ? error['lines'] : 1;
  if (error.code === 'CSV_MAX_RECORD_SIZE' || error.code === 'CSV_QUOTE_NOT_CLOSED') {
    return { line, fault: 'a quotation mark is opened here or before and never closed, so the rest was not read' };
  }
  return { line, fault: 'a quotation mark stands where none may; write "" for one inside a quoted value' };
}
