import { zstdCompressSync } from 'node:zlib';
import type { AccessRecord, KeptRecord } from '../../src/events/access-record.ts';
import { importSegment } from '../../src/history/import-segment.ts';
import { readRecords } from '../../src/history/read-records.ts';
import type { UnreadableSegment } from '../../src/history/read-segments.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';

export type Line = AccessRecord | { readonly opening: AccessRecord } | string;

export function packSegment(...lines: Line[]): Uint8Array {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  return zstdCompressSync(`${text.join('\n')}\n`);
}

export function segmentName(at: number, worker = 0): string {
  return `hall-${worker}-${createIdMaker(() => at)()}`;
}

/** Stores records as a worker would have: a segment for each `size` of them, begun with its first. Names of the segments. */
export async function storeSegments(folder: string, records: readonly AccessRecord[], size: number): Promise<string[]> {
  const names: string[] = [];
  for (let from = 0; from < records.length; from += size) {
    const part = records.slice(from, from + size);
    const name = segmentName(Date.parse(part[0]!.at));
    await importSegment(folder, { name, bytes: packSegment(...part) });
    names.push(name);
  }
  return names;
}

/** Everything that is read of a span, in the order of its texts without ids, which a conversion may leave out. */
export async function readHistory(folder: string, from: number, until: number) {
  const unreadable: UnreadableSegment[] = [];
  const records: KeptRecord[] = [];
  for await (const found of readRecords(folder, from, until, (problem) => unreadable.push(problem)))
    records.push(found);
  return { records, texts: textsOf(records), unreadable };
}

export function textsOf(records: readonly (AccessRecord | KeptRecord)[]): string[] {
  return records
    .map((record) => Object.entries(record).filter(([name]) => name !== 'id'))
    .map((entries) => JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort();
}
