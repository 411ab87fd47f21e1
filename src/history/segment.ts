import { idTime } from '../kernel/ids.ts';
import type { AccessRecord } from '../events/access-record.ts';
import { isObject, parseObject } from '../kernel/json.ts';
import { DAY_MS } from '../kernel/clock.ts';

/** One line of a segment: a record that ended, or the opening of a tunnel whose record follows under the same id. */
export type SegmentLine =
  | { readonly kind: 'record'; readonly record: AccessRecord }
  | { readonly kind: 'opening'; readonly record: AccessRecord };

/** `error` of a record made from an opening whose end was never recorded: its bytes and duration are not known. */
export const NO_END = 'no_end_recorded';

/** The ULID is what makes a name unique, and no part of a name may leave the folder it is put in. */
const SEGMENT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,150}-([0-7][0-9A-HJKMNP-TV-Z]{25})$/;

/** The instant in a segment's name (`<gateway>-<worker>-<ulid>`), ms since the epoch; null if it is not such a name. */
export function segmentTime(name: string): number | null {
  const match = SEGMENT_NAME.exec(name);
  return match === null ? null : idTime(match[1]!);
}

/** `2026-11-22`, in UTC. */
export function utcDay(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}

/** What lies in a day's folder beside segments and Parquet. */
export const CONTENTS_FILE = 'contents.json';
export const SUMS_FILE = 'sums.duckdb';

/** So long after a day gateways have delivered what they had, ms. */
export const SETTLED_MS = 3 * 3_600_000;

/** When a day such as `2026-11-22` begins and when it is over, UTC, ms. */
export function dayBegan(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}
export function dayEnded(day: string): number {
  return dayBegan(day) + DAY_MS;
}

/**
 * The day folders that can hold what began in [from, until), ms. A day more on either side, because a segment lies under
 * the day it was begun and a tunnel is written when it ends; one that outlives that is known by its opening.
 */
export function daysAround(from: number, until: number): string[] {
  const days: string[] = [];
  const last = utcDay(until - 1 + DAY_MS);
  for (let at = from - DAY_MS; days.at(-1) !== last && utcDay(at) <= last; at += DAY_MS) days.push(utcDay(at));
  return days;
}

/** Reads one line; null if it is not a line of a segment. */
export function parseLine(text: string): SegmentLine | null {
  const value = parseObject(text);
  if (value === null) return null;
  if (isObject(value['opening'])) {
    return isRecord(value['opening']) ? { kind: 'opening', record: value['opening'] } : null;
  }
  return isRecord(value) ? { kind: 'record', record: value } : null;
}

/** When a line was written, ms: a record when it ended, an opening when it began. */
export function writtenAt(line: SegmentLine): number {
  return Date.parse(line.record.at) + (line.kind === 'record' ? line.record.ms : 0);
}

const TEXTS = ['id', 'gateway', 'client', 'identified', 'level', 'method', 'reason', 'step', 'policy'];
const TEXTS_OR_NULL = ['user', 'target', 'host', 'category', 'rule'];
const COUNTS = ['worker', 'status', 'serial', 'up', 'down', 'ms'];

function isRecord(value: unknown): value is AccessRecord {
  if (!isObject(value)) return false;
  return (
    TEXTS.every((name) => typeof value[name] === 'string') &&
    TEXTS_OR_NULL.every((name) => value[name] === null || typeof value[name] === 'string') &&
    COUNTS.every((name) => isCount(value[name])) &&
    typeof value['at'] === 'string' &&
    isInstant(value['at']) &&
    (value['verdict'] === 'allow' || value['verdict'] === 'block') &&
    ['allow', 'monitor', 'warn', 'block'].includes(value['action'] as string) &&
    typeof value['flagged'] === 'boolean' &&
    typeof value['locked'] === 'boolean' &&
    isTexts(value['categories']) &&
    isTexts(value['lists'])
  );
}

function isInstant(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/.test(text) && !Number.isNaN(Date.parse(text));
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
