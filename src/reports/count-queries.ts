// requests ──► some hours at a time: navigations ──► visits (who × site × kind) ──► the tables of the report
import { NAVIGATION_MS } from '../kernel/navigation.ts';
import type { Span } from './ports.ts';

/** A statement and what it is for. They stand on one view, `requests`, with the columns of the access history; `at` is ms. */
export interface Query {
  readonly title: string;
  readonly sql: string;
}

const WHO = 'coalesce("user", client)';
/** The category that decided; else the first that the lists know the site by. */
const CATEGORY = `coalesce(category, nullif(split_part(categories, chr(10), 1), ''))`;
const KIND = `verdict, identified, "level", reason, ${CATEGORY}, flagged, locked`;

/**
 * Names stand beside `visits`, which hold 64 bits of each: sorting and grouping numbers is what makes a week of a large school
 * countable in memory. That no two names have the same number is checked (`CLASHES`).
 */
export const PREPARE: readonly Query[] = [
  {
    title: 'Requests of people and devices: those by which the filter is tested (identity/identify.ts) are nobody’s',
    sql: `CREATE TEMP VIEW requests AS SELECT * FROM memory.main.requests WHERE NOT coalesce(starts_with("user", 'self-test:'), false)`,
  },
  {
    title: 'People, or devices where nobody is known',
    sql: `CREATE TEMP TABLE people AS SELECT hash(${WHO}) AS id, ${WHO} AS name, bool_or("user" IS NOT NULL AND identified IN ('proxy-auth', 'session')) AS signed_in
FROM requests GROUP BY ALL`,
  },
  { title: 'Sites', sql: `CREATE TEMP TABLE sites AS SELECT DISTINCT hash(host) AS id, host AS name FROM requests` },
  {
    title: 'Kinds of answers',
    sql: `CREATE TEMP TABLE kinds AS SELECT DISTINCT hash(${KIND}) AS id, verdict, identified, "level", reason, ${CATEGORY} AS category, flagged, locked
FROM requests`,
  },
  {
    title: 'Every request of one person to one site that was answered alike: all tables are sums over these',
    sql: 'CREATE TEMP TABLE visits ("who" UBIGINT, site UBIGINT, kind UBIGINT, requests BIGINT, navigations BIGINT, bytes BIGINT)',
  },
  {
    title: 'Navigations by the hour in which they began',
    sql: 'CREATE TEMP TABLE hours (hour BIGINT, navigations BIGINT, refused BIGINT)',
  },
  {
    title: 'Navigations that go on over the end of those hours',
    sql: 'CREATE TEMP TABLE carried ("at" BIGINT, "who" UBIGINT, site UBIGINT, refused BOOLEAN, kind UBIGINT)',
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

export const HOUR_MS = 3_600_000;
/** More than the milliseconds of the longest span (a quarter of a year and more): parts a row's number from its time in one integer. */
const SHIFT = 2 ** 34;

/**
 * The statements for some hours of a span. A navigation lasts NAVIGATION_MS from its first request; the next request of the same person
 * to the same site with the same verdict begins another, and it counts for the kind of its first request. Requests with less than that
 * between them are a run: its first begins a navigation, and so may later ones, which are few and looked at one by one.
 */
export function batchQueries({ from, until }: Span, begin: number): readonly Query[] {
  return [
    {
      title: 'The requests of some hours, and what was carried over from those before',
      sql: `CREATE OR REPLACE TEMP TABLE seen AS
SELECT "at", hash(${WHO}) AS "who", hash(host) AS site, verdict = 'block' AS refused, hash(${KIND}) AS kind, up + down AS bytes, 1::UTINYINT AS n
FROM requests WHERE "at" >= ${from} AND "at" < ${until}
UNION ALL SELECT "at", "who", site, refused, kind, 0, 0 FROM carried`,
    },
    {
      title: 'Runs: their first requests, and those that came later than a navigation lasts, with when their run began',
      sql: `CREATE OR REPLACE TEMP TABLE runs AS SELECT * EXCLUDE (row) FROM (
  SELECT *, max(CASE WHEN begins THEN row * ${SHIFT} + ("at" - ${from - NAVIGATION_MS}) END) OVER (ROWS UNBOUNDED PRECEDING) % ${SHIFT} + ${from - NAVIGATION_MS} AS begun
  FROM (SELECT *, row_number() OVER () AS row,
      coalesce(same <> lag(same) OVER () OR "at" - lag("at") OVER () >= ${NAVIGATION_MS}, true) AS begins
    FROM (SELECT hash("who", site, refused) AS same, "at", "who", site, refused, kind, n FROM seen ORDER BY same, "at", n, kind)))
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
      sql: `INSERT INTO visits SELECT "who", site, kind, sum(requests), sum(navigations), sum(bytes) FROM (
  SELECT "who", site, kind, sum(n) AS requests, 0 AS navigations, sum(bytes) AS bytes FROM seen GROUP BY ALL
  UNION ALL SELECT "who", site, kind, 0, sum(n), 0 FROM navigations GROUP BY ALL)
GROUP BY ALL HAVING sum(requests) + sum(navigations) > 0`,
    },
    {
      title: 'Into the hours',
      sql: `INSERT INTO hours SELECT ("at" - ${begin}) // ${HOUR_MS}, count(*), count(*) FILTER (refused) FROM navigations WHERE n = 1 GROUP BY 1`,
    },
    {
      title: 'What the next hours go on from',
      sql: `CREATE OR REPLACE TEMP TABLE carried AS SELECT "at", "who", site, refused, kind FROM navigations WHERE "at" >= ${until - NAVIGATION_MS}`,
    },
  ];
}

/** Adds up what several hours left. */
export const COMPACT: Query = {
  title: 'Visits of all hours as one',
  sql: `CREATE OR REPLACE TEMP TABLE visits AS SELECT "who", site, kind, sum(requests)::BIGINT AS requests, sum(navigations)::BIGINT AS navigations, sum(bytes)::BIGINT AS bytes
FROM visits GROUP BY ALL`,
};
