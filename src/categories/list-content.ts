import type { Problem } from '../kernel/errors.ts';
import { lineParser, type LineSink } from './parse-list.ts';
import { createEntryTable, type Entry } from './entry-table.ts';
import { readLines, type SourceFile } from './read-source.ts';

/** What a list came to when it was read. */
export interface ListCounts {
  readonly entries: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** Regular expressions of a squidGuard folder, which this version does not read; they are not among the entries. */
  readonly expressionsNotRead: number;
}

/** A list's entries, canonical and without doubles, one a line: a host, or a host and its path. */
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
}

const PROGRESS_STEP = 20_000;

/** Reads the files of a list. Rejects with what the file system or the decompressor says. */
export async function readList(files: readonly SourceFile[], options: ReadListOptions): Promise<ListContent> {
  const seen = createEntryTable({ a: 0, b: 0 });
  seen.beginList(0);
  const writer = textWriter();
  let duplicates = 0;
  let rejected = 0;
  let expressionsNotRead = 0;
  const count = (): number => seen.hosts + seen.urls + duplicates + rejected;
  for (const { path, format } of files) {
    let line = 0;
    const reject = (reason: string): void => {
      rejected++;
      options.onRejected({ file: path, line, reason });
    };
    const sink: LineSink = {
      reject,
      accept: (host, urlPath) => {
        if (seen.add({ host, path: urlPath })) writer.add(urlPath === null ? host : host + urlPath);
        else duplicates++;
        if (count() % PROGRESS_STEP === 0) options.onEntries(count());
      },
    };
    const parse = format === 'expressions' ? null : lineParser(format);
    const sha256 = await readLines(path, (text, number) => {
      line = number;
      if (parse === null) expressionsNotRead += text?.trim() === '' ? 0 : 1;
      else if (text === null) reject('is too long to be an entry');
      else parse(text, sink);
    });
    options.onFile(path, sha256);
  }
  const accepted = seen.hosts + seen.urls;
  return { entries: count(), accepted, duplicates, rejected, expressionsNotRead, text: writer.end() };
}

/** Visits the entries of a list's text in their order. */
export function forEachEntry(text: Buffer, visit: (entry: Entry) => void): void {
  const lines = text.toString('latin1');
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf('\n', start);
    const line = lines.slice(start, end);
    const slash = line.indexOf('/');
    visit(slash < 0 ? { host: line, path: null } : { host: line.slice(0, slash), path: line.slice(slash) });
    start = end + 1;
  }
}

/** Canonical entries are ASCII; they are kept as bytes so that a list of millions is not millions of strings. */
function textWriter(): { add(line: string): void; end(): Buffer } {
  const chunks: Buffer[] = [];
  let open: string[] = [];
  const close = (): void => {
    if (open.length > 0) chunks.push(Buffer.from(`${open.join('\n')}\n`, 'latin1'));
    open = [];
  };
  return {
    add: (line) => {
      if (open.push(line) === 4096) close();
    },
    end: () => {
      close();
      return Buffer.concat(chunks);
    },
  };
}
