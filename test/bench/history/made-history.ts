// A history as a large school leaves it, made in SQL: to make fifty million requests one by one would take an hour.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { COLUMNS } from '../../../src/history/columns.ts';
import { type KeptFile, replaceContents } from '../../../src/history/contents.ts';
import { writeParquet } from '../../../src/history/write-parquet.ts';
import { type Duck, openDuck } from '../../../src/history/duck.ts';
import { createIdMaker } from '../../../src/kernel/ids.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SCHOOL_DAYS = 5;
const SCHOOL_HOURS = 8;
export const HISTORY_DAYS = 90;
/** Of days that nobody asks about. */
const OTHER_ROWS = 1_000;

/** The week from `monday` (ms) with `requests` in its forty school hours, and the days before it, so that there are ninety. */
export async function makeHistory(folder: string, monday: number, requests: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const duck = await openDuck(folder);
  const newId = createIdMaker(() => monday);
  try {
    await duck.rows('SELECT setseed(0.42)');
    for (let day = SCHOOL_DAYS - HISTORY_DAYS; day < SCHOOL_DAYS; day++) {
      const midnight = monday + day * DAY_MS;
      const hours = day < 0 ? 1 : SCHOOL_HOURS;
      const rows = day < 0 ? OTHER_ROWS : Math.ceil(requests / SCHOOL_DAYS / SCHOOL_HOURS);
      const files: KeptFile[] = [];
      for (let hour = 0; hour < hours; hour++) {
        files.push(await makeHour(duck, folder, midnight + (8 + hour) * HOUR_MS, rows, newId()));
      }
      replaceContents(folder, dateOf(midnight), { version: 1, files });
    }
  } finally {
    duck.close();
  }
}

async function makeHour(duck: Duck, folder: string, from: number, rows: number, id: string): Promise<KeptFile> {
  const day = join(folder, dateOf(from));
  mkdirSync(day, { recursive: true });
  const columns = COLUMNS.map(({ name, kept }) => `(${VALUES[name] ?? 'NULL'})::${kept} AS "${name}"`);
  await duck.rows(`CREATE OR REPLACE TEMP TABLE hour AS SELECT ${columns.join(', ')} FROM (${requestsOf(from, rows)})`);
  return { ...(await writeParquet(duck, day, `${id}.parquet`, 'hour')), segments: [] };
}

/**
 * 1,500 people open pages; a page is four requests to its site within four seconds, three to hosts that many sites share, one to an
 * advertiser. A person has forty sites of their own, some of which they like best.
 */
function requestsOf(from: number, rows: number): string {
  return `SELECT person, (${from} + least(${HOUR_MS - 1}, begun + random() * 4000))::BIGINT AS time, random() AS size,
    CASE WHEN part < 4 THEN (person * 7 + favourite * favourite) % 3000 WHEN part < 7 THEN 3000 + (favourite * 13 + part) % 200
      ELSE 4000 + (person + favourite) % 50 END AS host
  FROM (SELECT (random() * 1499)::INTEGER AS person, (random() * ${HOUR_MS})::BIGINT AS begun, (power(random(), 3) * 40)::INTEGER AS favourite
    FROM range(${Math.ceil(rows / 8)})), range(8) parts(part)`;
}

/** What stands in each column, of the columns of `requestsOf`. */
const VALUES: Readonly<Record<string, string>> = {
  at: 'time',
  gateway: `'hall'`,
  worker: 'person % 2',
  client: `'10.20.' || (person // 256) || '.' || (person % 256)`,
  user: `'pupil-' || person`,
  identified: `'session'`,
  level: `CASE person % 5 WHEN 0 THEN 'ks4' ELSE 'ks3' END`,
  method: `'CONNECT'`,
  target: `''`,
  host: `'www.site-' || host || '.example'`,
  verdict: `CASE WHEN host % 10 = 3 THEN 'block' ELSE 'allow' END`,
  action: `CASE WHEN host % 10 = 3 THEN 'block' ELSE 'allow' END`,
  reason: `'category'`,
  step: `'level'`,
  category: `CASE host % 7 WHEN 0 THEN NULL ELSE 'category-' || (host % 30) END`,
  categories: `CASE host % 7 WHEN 0 THEN '' ELSE 'category-' || (host % 30) END`,
  lists: `CASE host % 7 WHEN 0 THEN '' ELSE 'list-' || (host % 30) END`,
  flagged: 'host % 10 = 3',
  locked: 'false',
  policy: `'policy-of-the-week'`,
  serial: '7',
  status: '200',
  up: 'size * 4000',
  down: 'power(size, 4) * 2000000',
  ms: 'power(size, 3) * 120000',
  sni: `''`,
};

function dateOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}
