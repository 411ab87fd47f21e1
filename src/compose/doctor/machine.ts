import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { newestRows } from '../../audit/service.ts';
import type { DataLayout } from '../../config/data-layout.ts';
import type { Environment } from '../../config/environment.ts';
import { isoTime, DAY_MS } from '../../kernel/clock.ts';
import { openRecordReadOnly } from '../../store/database.ts';
import { readHighestInstant } from '../highest-instant.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

const NODE = 24;
/** Each tunnel has two; a school of 1,500 with 20 tunnels each comes to this. */
const OPEN_FILES = 65_536;
const GB = 2 ** 30;

export function nodeVersion(version: string): Finding {
  const major = Number(/^v(\d+)\./.exec(version)?.[1]);
  if (major === NODE) return ok(`Node ${version}`);
  return failed(`Node ${version} runs this; Schoolgate needs Node ${NODE}: run npm ci, which brings it.`);
}

/** `limits`: as /proc/self/limits has them; null where there is no such file. */
export function openFiles(limits: string | null): Finding {
  const found = /^Max open files\s+(\S+)/m.exec(limits ?? '')?.[1];
  if (found === undefined) return ok('the limit of open files is not told on this system');
  const limit = found === 'unlimited' ? Number.POSITIVE_INFINITY : Number(found);
  if (limit >= OPEN_FILES) return ok(`up to ${found} files and connections`);
  return warning(
    `from here only ${found} files and connections may be open at once, about ${Math.floor(limit / 2)} tunnels a worker; set LimitNOFILE=${OPEN_FILES} (systemd) or ulimit -n.`,
  );
}

export function readLimits(): string | null {
  return existsSync('/proc/self/limits') ? readFileSync('/proc/self/limits', 'utf8') : null;
}

/** Of the disk that a folder is on, or will be on once it is made. */
export function freeSpace(folder: string): Finding {
  if (!existsSync(folder)) return freeSpace(dirname(folder));
  const { bavail, blocks, bsize } = statfsSync(folder);
  return spaceFinding(folder, bavail * bsize, blocks * bsize);
}

/** Bytes. */
export function spaceFinding(folder: string, free: number, whole: number): Finding {
  const text = `${(free / GB).toFixed(1)} GB free in ${folder}`;
  if (free < GB / 2) return failed(`${text}: make room, or nothing can be recorded and connections are refused.`);
  const isShort = free < 5 * GB && free < whole / 10;
  return isShort ? warning(`${text}: make room before it fills.`) : ok(text);
}

/** A clock that was set back keeps unblocks open for longer by itself, which is why ours never goes back; it is wrong all the same. */
export function clockFinding(now: number, highest: number): Finding {
  if (now >= highest - 1000) return ok(isoTime(now));
  const behind = Math.round((highest - now) / 1000);
  return failed(`the clock stands ${behind} s before what was recorded last; set it by NTP.`);
}

/** The latest instant that gateway or record of this machine know, ms; 0: none. */
export function latestKnown(layout: DataLayout): number {
  return Math.max(readHighestInstant(layout), latestRow(layout));
}

function latestRow(layout: DataLayout): number {
  if (!existsSync(layout.record)) return 0;
  const record = openRecordReadOnly(layout.record);
  try {
    const row = record.read((tx) => newestRows(tx, null, 1)[0]);
    return row === undefined ? 0 : Date.parse(row.at);
  } finally {
    record.close();
  }
}

export function certificate({ certFile }: NonNullable<Environment['tls']>, now: number): Finding {
  const until = new X509Certificate(readFileSync(certFile)).validToDate.getTime();
  const days = Math.floor((until - now) / DAY_MS);
  if (days < 0) return failed(`${certFile} ended on ${isoTime(until)}; renew it.`);
  if (days < 30) return warning(`${certFile} ends in ${days} days, on ${isoTime(until)}; renew it.`);
  return ok(`good until ${isoTime(until)}`);
}
