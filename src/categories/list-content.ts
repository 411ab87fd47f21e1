import type { Problem } from '../kernel/errors.ts';
import type { LineSink } from './accept-entry.ts';
import { readRange, type AddressRange } from './address-range.ts';
import { createEntryTable, type EntryTable } from './entry-table.ts';
import { parseExpressions } from './expression.ts';
import { lineParser } from './parse-list.ts';
import { readLines, type SourceFile } from './read-source.ts';

/** What a list came to when it was read. Entries = accepted + duplicates + rejected. */
export interface ListCounts {
  readonly entries: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
}

/**
 * A list's entries, canonical and without doubles, one a line: a host, or a host and its path; after `!` one that the list excepts, after
 * `=` a range of addresses, after `~` a regular expression.
 */
export interface ListContent extends ListCounts {
  readonly text: Buffer;
}

/** Told of each rejected line with its place. */
export type OnRejected = (problem: Problem) => void;

export interface ReadListOptions {
  readonly onRejected: OnRejected;
  /** Told now and then how many entries have been seen. */
  readonly onEntries: (entries: number) => void;
  /** Told the hex SHA-256 of each file as it was read. */
  readonly onFile: (path: string, sha256: string) => void;
  /** Most bytes of entries; 256 MiB if not given. */
  readonly maxBytes?: number;
}

/** Ten million names and more. What unpacks to more was made to fill the memory, and would stop every build after it. */
const MAX_BYTES = 256 << 20;

const PROGRESS_STEP = 20_000;
const EXCEPTION = '!';
const RANGE = '=';
const EXPRESSION = '~';

/** Reads the files of a list. Rejects with what the file system or the decompressor says, and when there is more than anybody could mean. */
export async function readList(files: readonly SourceFile[], options: ReadListOptions): Promise<ListContent> {
  const writer = textWriter(options.maxBytes ?? MAX_BYTES);
  const counts = { accepted: 0, duplicates: 0, rejected: 0 };
  const total = (): number => counts.accepted + counts.duplicates + counts.rejected;
  const place = { file: '', line: 0 };
  const count = (kind: keyof typeof counts): void => {
    counts[kind]++;
    if (total() % PROGRESS_STEP === 0) options.onEntries(total());
  };
  const keep = (isNew: boolean, mark: string, entry: string): void => {
    if (isNew) writer.add(mark + entry);
    count(isNew ? 'accepted' : 'duplicates');
  };
  const seen = seenEntries();
  const keepEntry = (table: EntryTable, mark: string, host: string, path: string | null): void => {
    const entry = path === null ? host : host + path;
    keep(table.add(entry), mark, entry);
  };
  const sink: LineSink = {
    accept: (host, path) => keepEntry(seen.listed, '', host, path),
    except: (host, path) => keepEntry(seen.excepted, EXCEPTION, host, path),
    acceptRange: (range) => keep(seen.listed.addRange(readRange(range)), RANGE, range),
    acceptExpression: (source) => keep(seen.isNewExpression(source), EXPRESSION, source),
    reject: (reason) => {
      count('rejected');
      options.onRejected({ ...place, reason });
    },
  };
  for (const { path, format } of files) {
    const parse = format === 'expressions' ? parseExpressions() : lineParser(format);
    place.file = path;
    const sha256 = await readLines(path, (text, number) => {
      place.line = number;
      if (text === null) sink.reject('is too long to be an entry');
      else parse(text, sink);
    });
    options.onFile(path, sha256);
  }
  return { entries: total(), ...counts, text: writer.end() };
}

/** What a list holds so far, as hashes; expressions are few and kept as they are. */
function seenEntries(): {
  readonly listed: EntryTable;
  readonly excepted: EntryTable;
  readonly isNewExpression: (source: string) => boolean;
} {
  const [listed, excepted] = [0, 0].map(() => {
    const table = createEntryTable({ a: 0, b: 0 });
    table.beginList(0);
    return table;
  }) as [EntryTable, EntryTable];
  const expressions = new Set<string>();
  return { listed, excepted, isNewExpression: (source) => expressions.size < expressions.add(source).size };
}

/** Told what a list's text holds; an entry is what stands in `lines` from `start` to `end`, a host or a host and its path. */
export interface EntryVisitor {
  readonly entry?: (lines: string, start: number, end: number) => void;
  readonly exception?: (lines: string, start: number, end: number) => void;
  readonly range?: (range: AddressRange) => void;
  readonly expression?: (source: string) => void;
}

/** Visits the entries of a list's text in their order. Of millions of lines no string is made. */
export function forEachEntry(text: Buffer, visitor: EntryVisitor): void {
  const lines = text.toString('latin1');
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf('\n', start);
    const mark = lines[start];
    if (mark === EXCEPTION) visitor.exception?.(lines, start + 1, end);
    else if (mark === RANGE) visitor.range?.(readRange(lines.slice(start + 1, end)));
    else if (mark === EXPRESSION) visitor.expression?.(lines.slice(start + 1, end));
    else visitor.entry?.(lines, start, end);
    start = end + 1;
  }
}

/** Everything here is ASCII; it is kept as bytes so that a list of millions is not millions of strings. */
function textWriter(maxBytes: number): { add(line: string): void; end(): Buffer } {
  const chunks: Buffer[] = [];
  let open: string[] = [];
  let bytes = 0;
  const close = (): void => {
    if (open.length > 0) chunks.push(Buffer.from(`${open.join('\n')}\n`, 'latin1'));
    open = [];
  };
  return {
    add: (line) => {
      bytes += line.length + 1;
      if (bytes > maxBytes)
        throw new RangeError(`it holds more than ${maxBytes.toLocaleString('en-GB')} bytes of entries`);
      if (open.push(line) === 4096) close();
    },
    end: () => {
      close();
      return Buffer.concat(chunks);
    },
  };
}
