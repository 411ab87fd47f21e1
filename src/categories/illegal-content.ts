import type { LineSink } from './accept-entry.ts';
import { hashEntry, type KeyedEntry, urlEntries } from './illegal-entry.ts';
import type { IllegalFormat } from './illegal-format.ts';
import type { IllegalKeys } from './illegal-keys.ts';
import { lineParser } from './parse-list.ts';

/** Takes the lines of one illegal list. Only keyed values are kept; a line's text goes when the next one comes. */
export interface IllegalReader {
  /** As `OnLine` of `read-source`. */
  readonly line: (text: string | null, number: number) => void;
  readonly end: () => IllegalContent;
}

export interface IllegalContent extends KeyedCounts {
  readonly entries: readonly KeyedEntry[];
}

/** What is told of a list's lines. */
export interface KeyedCounts {
  /** Different entries; `all` = accepted + duplicates + rejected. */
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** Numbers of the first rejected lines: their text is told to nobody. */
  readonly rejectedLines: readonly number[];
}

export function illegalReader(keys: IllegalKeys, format: IllegalFormat, maxRejected: number): IllegalReader {
  const entries = new Map<string, KeyedEntry>();
  const rejectedLines: number[] = [];
  const counts = { accepted: 0, duplicates: 0, rejected: 0 };
  let at = 0;
  const reject = (): void => {
    counts.rejected++;
    if (rejectedLines.length < maxRejected) rejectedLines.push(at);
  };
  const accept = (made: readonly KeyedEntry[]): void => {
    if (entries.has(entryKey(made[0]!))) counts.duplicates++;
    else counts.accepted++;
    for (const entry of made) entries.set(entryKey(entry), entry);
  };
  const parseUrl = lineParser('urls');
  // A URL list has hosts and paths; whatever else a line may come to is none of an illegal list's entries.
  const sink: LineSink = {
    reject,
    accept: (host, path) => accept(urlEntries(keys, host, path)),
    except: reject,
    acceptRange: reject,
    acceptExpression: reject,
  };
  const parse = (text: string): void => {
    if (format === 'illegal-urls') {
      return parseUrl(text, sink);
    }
    const digits = text.replace(/#.*$/, '').trim();
    if (/^[0-9a-f]{64}$/i.test(digits)) accept([hashEntry(keys, digits.toLowerCase())]);
    else if (digits !== '') reject();
  };
  return {
    line: (text, number) => {
      at = number;
      if (text === null) reject();
      else parse(text);
    },
    end: () => ({ entries: [...entries.values()], ...counts, rejectedLines }),
  };
}

/** Tells one entry of a list from another. */
export function entryKey({ kind, seal }: KeyedEntry): string {
  return kind + Buffer.from(seal.buffer, seal.byteOffset, seal.byteLength).toString('latin1');
}
