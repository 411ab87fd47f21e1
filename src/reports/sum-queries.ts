// requests ──► some hours at a time: navigations ──► visits ──► sums, with the names of people and sites
import { NAVIGATION_MS } from '../kernel/navigation.ts';
import type { Span } from './ports.ts';
import { HOUR_MS, DAY_MS } from '../kernel/clock.ts';

/** A statement and what it is for. */
export interface Query {
  readonly title: string;
  readonly sql: string;
}

const WHO = 'coalesce("user", client)';
/** The category that decided; else the first that the lists know the site by. */
const CATEGORY = `coalesce(category, nullif(split_part(categories, chr(10), 1), ''))`;
const KIND = `verdict, identified, "level", reason, ${CATEGORY}, flagged, locked, "user" IS NOT NULL`;
/** What makes a kind of answer, by the names of its columns. */
export const KIND_COLUMNS = 'verdict, identified, "level", reason, category, flagged, locked, known';

/** A text as SQL has it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The form of `SUMS`: sums of another form are made anew. */
export const SUMS_VERSION = 1;

/**
 * Where sums are collected: those of any times can be put together. Nothing of a request is left but who asked which site and how it was
 * answered, how often in a quarter of an hour, faults of ours, and addresses that may hold a search. Times are ms.
 */
export const SUMS: readonly Query[] = [
  {
    title: 'What one person (or device) did at one site and was answered alike: all tables are sums over these',
    sql: `CREATE TABLE sums.visits ("who" VARCHAR, host VARCHAR, verdict VARCHAR, identified VARCHAR, "level" VARCHAR, reason VARCHAR, category VARCHAR,
  flagged BOOLEAN, locked BOOLEAN, known BOOLEAN, requests BIGINT, navigations BIGINT, bytes BIGINT, tunnels BIGINT, endless BIGINT)`,
  },
  {
    title: 'Requests, and navigations that began, by the quarter of an hour',
    sql: 'CREATE TABLE sums.quarters (begin BIGINT, requests BIGINT, navigations BIGINT, refused BIGINT)',
  },
  {
    title: 'Faults of the filter',
    sql: 'CREATE TABLE sums.faults (gateway VARCHAR, worker INTEGER, requests BIGINT, "first" BIGINT, "last" BIGINT)',
  },
  {
    title: 'Addresses that may hold a search: plain http only',
    sql: 'CREATE TABLE sums.searches (target VARCHAR, categories VARCHAR, "who" VARCHAR, times BIGINT)',
  },
];
export const SUMS_TABLES = ['visits', 'quarters', 'faults', 'searches'] as const;

/**
 * The statements that stand before those of a span's hours, on one view, `requests`, with the columns of the access history. Names stand
 * beside `visits`, which hold 64 bits of each: sorting and grouping numbers is what makes a week of a large school countable in memory.
 * That no two names have the same number is checked (`CLASHES`).
 */
export function prepareQueries({ from, until }: Span): readonly Query[] {
  return [
    {
      title: 'Requests of people and devices: those by which the filter is tested (identity/identify.ts) are nobody’s',
      sql: `CREATE OR REPLACE TEMP VIEW requests AS SELECT * FROM memory.main.requests
WHERE "at" >= ${from} AND "at" < ${until} AND NOT coalesce(starts_with("user", 'self-test:'), false)`,
    },
    ...NAMES,
  ];
}

const NAMES: readonly Query[] = [
  {
    title: 'People, or devices where nobody is known',
    sql: `CREATE OR REPLACE TEMP TABLE people AS SELECT DISTINCT hash(${WHO}) AS id, ${WHO} AS name FROM requests`,
  },
  {
    title: 'Sites',
    sql: `CREATE OR REPLACE TEMP TABLE sites AS SELECT DISTINCT hash(host) AS id, host AS name FROM requests`,
  },
  {
    title: 'Kinds of answers',
    sql: `CREATE OR REPLACE TEMP TABLE kinds AS SELECT DISTINCT hash(${KIND}) AS id, verdict, identified, "level", reason, ${CATEGORY} AS category, flagged, locked,
  "user" IS NOT NULL AS known FROM requests`,
  },
  {
    title: 'Every request of one person to one site that was answered alike',
    sql: `CREATE OR REPLACE TEMP TABLE visits ("who" UBIGINT, site UBIGINT, kind UBIGINT, requests BIGINT, navigations BIGINT, bytes BIGINT,
  tunnels BIGINT, endless BIGINT)`,
  },
  {
    title: 'Navigations that go on over the end of the hours that are looked at',
    sql: 'CREATE OR REPLACE TEMP TABLE carried ("at" BIGINT, "who" UBIGINT, site UBIGINT, refused BOOLEAN, kind UBIGINT)',
  },
];

/** Rows: names that could be taken for each other. There are none, but for one case in ten thousand million. */
export const CLASHES = `SELECT id FROM people GROUP BY id HAVING count(*) > 1 UNION ALL SELECT id FROM sites GROUP BY id HAVING count(*) > 1
UNION ALL SELECT id FROM kinds GROUP BY id HAVING count(*) > 1`;

/** Requests by hour of the span, counted from its begin. */
export function hoursQuery({ from }: Span): Query {
  return {
    title: 'Requests by the hour',
    sql: `SELECT (("at" - ${from}) // ${HOUR_MS})::DOUBLE AS hour, count(*)::DOUBLE FROM requests GROUP BY hour ORDER BY hour`,
  };
}

/** More than the milliseconds of the longest span (a quarter of a year and more): parts a row's number from its time in one integer. */
const SHIFT = 2 ** 34;
const QUARTER = '"at" // 900000 * 900000';

/**
 * The statements for some hours of a span. A navigation lasts NAVIGATION_MS from its first request; the next request of the same person
 * to the same site with the same verdict begins another, and so does midnight (UTC), so that every day can be summed by itself. It counts
 * for the kind of its first request. Requests with less than that between them are a run: its first begins a navigation, and so may later
 * ones, which are few and looked at one by one.
 */
export function batchQueries({ from, until }: Span): readonly Query[] {
  return [
    {
      title: 'The requests of some hours, and what was carried over from those before',
      sql: `CREATE OR REPLACE TEMP TABLE seen AS
SELECT "at", hash(${WHO}) AS "who", hash(host) AS site, verdict = 'block' AS refused, hash(${KIND}) AS kind, up + down AS bytes,
  "method" = 'CONNECT' AS tunnel, coalesce(error = 'no_end_recorded', false) AS endless, 1::UTINYINT AS n
FROM requests WHERE "at" >= ${from} AND "at" < ${until}
UNION ALL SELECT "at", "who", site, refused, kind, 0, false, false, 0 FROM carried`,
    },
    {
      title: 'Runs: their first requests, and those that came later than a navigation lasts, with when their run began',
      sql: `CREATE OR REPLACE TEMP TABLE runs AS SELECT * EXCLUDE (row) FROM (
  SELECT *, max(CASE WHEN begins THEN row * ${SHIFT} + ("at" - ${from - NAVIGATION_MS}) END) OVER (ROWS UNBOUNDED PRECEDING) % ${SHIFT} + ${from - NAVIGATION_MS} AS begun
  FROM (SELECT *, row_number() OVER () AS row,
      coalesce(same <> lag(same) OVER () OR "at" - lag("at") OVER () >= ${NAVIGATION_MS}, true) AS begins
    FROM (SELECT hash("who", site, refused, "at" // ${DAY_MS}) AS same, "at", "who", site, refused, kind, n FROM seen ORDER BY same, "at", n, kind)))
WHERE begins OR "at" - begun >= ${NAVIGATION_MS}`,
    },
    {
      title: 'Navigations that begin later in a run',
      sql: `CREATE OR REPLACE TEMP TABLE late AS
SELECT same, unnest(begins[2:]) AS "at" FROM (
  SELECT same, list_reduce(list(["at"] ORDER BY "at"), lambda a, x:
    CASE WHEN x[1] - a[-1] >= ${NAVIGATION_MS} THEN list_append(a, x[1]) ELSE a END, [begun]) AS begins
  FROM runs WHERE NOT begins GROUP BY same, begun)`,
    },
    {
      title: 'Navigations, each with the first of its requests',
      sql: `CREATE OR REPLACE TEMP TABLE navigations AS
SELECT "at", "who", site, refused, kind, n FROM runs WHERE begins
UNION ALL SELECT "at", min("who"), min(site), min(refused), min(kind), 1 FROM runs JOIN late USING (same, "at") WHERE NOT begins GROUP BY same, "at"`,
    },
    {
      title: 'Into the visits',
      sql: `INSERT INTO visits SELECT "who", site, kind, sum(requests), sum(navigations), sum(bytes), sum(tunnels), sum(endless) FROM (
  SELECT "who", site, kind, sum(n) AS requests, 0 AS navigations, sum(bytes) AS bytes, count(*) FILTER (tunnel) AS tunnels,
    count(*) FILTER (endless) AS endless FROM seen GROUP BY ALL
  UNION ALL SELECT "who", site, kind, 0, sum(n), 0, 0, 0 FROM navigations GROUP BY ALL)
GROUP BY ALL HAVING sum(requests) + sum(navigations) > 0`,
    },
    {
      title: 'Into the quarters of hours',
      sql: `INSERT INTO sums.quarters SELECT begin, sum(requests), sum(navigations), sum(refused) FROM (
  SELECT ${QUARTER} AS begin, sum(n) AS requests, 0 AS navigations, 0 AS refused FROM seen GROUP BY begin
  UNION ALL SELECT ${QUARTER} AS begin, 0, sum(n), coalesce(sum(n) FILTER (refused), 0) FROM navigations GROUP BY begin)
GROUP BY begin HAVING sum(requests) + sum(navigations) > 0`,
    },
    {
      title: 'What the next hours go on from',
      sql: `CREATE OR REPLACE TEMP TABLE carried AS SELECT "at", "who", site, refused, kind FROM navigations WHERE "at" >= ${until - NAVIGATION_MS}`,
    },
  ];
}

const VISIT_SUMS = ['requests', 'navigations', 'bytes', 'tunnels', 'endless']
  .map((name) => `sum(${name})::BIGINT AS ${name}`)
  .join(', ');

/** Adds up what several hours left. */
export const COMPACT: Query = {
  title: 'Visits of all hours as one',
  sql: `CREATE OR REPLACE TEMP TABLE visits AS SELECT "who", site, kind, ${VISIT_SUMS} FROM visits GROUP BY ALL`,
};

/** The statements that stand after those of a span's hours. */
export const INTO_SUMS: readonly Query[] = [
  {
    title: 'Visits, with the names',
    sql: `INSERT INTO sums.visits SELECT p.name, s.name, ${KIND_COLUMNS}, ${VISIT_SUMS}
FROM visits v JOIN people p ON p.id = v."who" JOIN sites s ON s.id = v.site JOIN kinds k ON k.id = v.kind GROUP BY ALL`,
  },
  {
    title: 'Faults of the filter',
    sql: `INSERT INTO sums.faults SELECT gateway, worker, count(*), min("at"), max("at") FROM requests WHERE reason = 'fault' GROUP BY gateway, worker`,
  },
  {
    title: 'Addresses that may hold a search',
    sql: `INSERT INTO sums.searches SELECT target, categories, ${WHO}, count(*) FROM requests WHERE target LIKE 'http://%?%' AND NOT locked GROUP BY ALL`,
  },
];
