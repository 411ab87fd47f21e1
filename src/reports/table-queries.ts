import { HOUR_MS } from '../kernel/clock.ts';
import type { Span } from './ports.ts';
import { type Query, quoted } from './sum-queries.ts';
import type { CountSettings } from './week-counts.ts';

/** Rows of a report's table that stand by themselves. */
export const TOP_SITES = 25;
export const TOP_DEVICES = 10;
export const TOP_VOLUMES = 20;

const COUNTED = 'visits v JOIN kinds k ON k.id = v.kind';
/** In the order of `tallyOf`. */
const SUMS = `coalesce(sum(navigations) FILTER (verdict = 'allow'), 0)::DOUBLE AS allowed, coalesce(sum(navigations) FILTER (verdict = 'block'), 0)::DOUBLE AS refused,
  coalesce(sum(requests), 0)::DOUBLE AS requests, coalesce(sum(bytes), 0)::DOUBLE AS bytes, count(DISTINCT "who")::DOUBLE AS people`;
const MOST_FIRST = 'allowed + refused DESC, requests DESC';
const UNIDENTIFIED = `identified = 'none'`;
const ALLOWED = `verdict = 'allow'`;
const REFUSED = `verdict = 'block'`;

/** The queries of a report's tables over a span, by what they answer. */
export function tableQueries({ from }: Span, { background, circumvention }: CountSettings) {
  const isBackground = isOneOf('category', background);
  return {
    all: sums('All together', 'true'),
    flagged: sums('Flagged: navigations an adult should know of', 'flagged'),
    unidentified: sums('Unidentified', UNIDENTIFIED),
    signedIn: {
      title: 'People who had signed in',
      sql: 'SELECT count(*)::DOUBLE FROM people WHERE signed_in',
    },
    hours: {
      title: 'Requests, navigations, and those that were refused, by the hour from the begin',
      sql: `SELECT (greatest(begin - ${from}, 0) // ${HOUR_MS})::DOUBLE AS hour, sum(requests)::DOUBLE, sum(navigations)::DOUBLE, sum(refused)::DOUBLE FROM sums.quarters
GROUP BY hour ORDER BY hour`,
    },
    seen: {
      title: 'Encrypted requests, and connections without a recorded end',
      sql: 'SELECT coalesce(sum(tunnels), 0)::DOUBLE, coalesce(sum(endless), 0)::DOUBLE FROM sums.visits',
    },
    faults: {
      title: 'Faults of the filter',
      sql: `SELECT gateway, worker::DOUBLE, sum(requests)::DOUBLE, min("first")::DOUBLE, max("last")::DOUBLE FROM sums.faults GROUP BY gateway, worker ORDER BY gateway, worker`,
    },
    levels: by('By level', '"level"'),
    years: {
      title: 'By school year',
      sql: `SELECT "year", ${SUMS} FROM ${COUNTED} JOIN people p ON p.id = v."who" LEFT JOIN years y ON known AND y.name = p.name GROUP BY "year"`,
    },
    categories: by('By category', 'category'),
    identities: by('How people were known', 'identified'),
    reasons: by('Why requests were refused', 'reason', REFUSED),
    sites: ranking('Most visited sites', BY_SITE, ALLOWED, TOP_SITES, isBackground),
    refusedSites: ranking('Most refused sites', BY_SITE, REFUSED, TOP_SITES, isBackground),
    circumvention: ranking('Ways round the filter', BY_SITE, isOneOf('category', circumvention), TOP_SITES),
    unidentifiedDevices: ranking('Unidentified devices', BY_PERSON, UNIDENTIFIED, TOP_DEVICES),
    volumes: ranking('Most data, by person', { ...BY_PERSON, order: 'bytes DESC, requests DESC' }, 'true', TOP_VOLUMES),
    mostFrom: {
      title: 'Where most of it came from, by person',
      sql: `SELECT any_value(p.name), count(DISTINCT v.site)::DOUBLE, arg_max(s.name, {bytes: v.bytes, name: s.name}), max(v.bytes)::DOUBLE
FROM (SELECT "who", site, sum(bytes) AS bytes FROM visits GROUP BY ALL) v JOIN sites s ON s.id = v.site
JOIN (SELECT * FROM (SELECT "who", sum(bytes) AS bytes, sum(requests) AS requests FROM visits GROUP BY ALL) b JOIN people p ON p.id = b."who"
  ORDER BY bytes DESC, requests DESC, name LIMIT ${TOP_VOLUMES}) p ON p.id = v."who" GROUP BY v."who"`,
    },
    pairs: ranking('Most data, by person and site', BY_PAIR, 'true', TOP_VOLUMES),
    searches: {
      title: 'Addresses that may hold a search: plain http only',
      sql: `SELECT target, categories, "who", sum(times)::DOUBLE FROM sums.searches GROUP BY target, categories, "who" ORDER BY target, categories, "who"`,
    },
  } as const satisfies Readonly<Record<string, Query>>;
}

export type TableQueries = ReturnType<typeof tableQueries>;

/** What a ranking is over: columns of `visits` and `kinds`, and where their names stand. */
interface Ranked {
  readonly keys: readonly string[];
  readonly names: string;
  readonly joins: string;
  readonly order: string;
  /** Why it was refused; of people that would be a list for each of hundreds of thousands of pairs. */
  readonly why: string;
}

const BY_SITE: Ranked = {
  keys: ['site', 'locked'],
  names: 's.name, locked',
  joins: 'LEFT JOIN sites s ON s.id = r.site',
  order: MOST_FIRST,
  why: 'list(DISTINCT {reason: reason, category: category})',
};
const BY_PERSON: Ranked = {
  keys: ['"who"'],
  names: 'p.name, NULL',
  joins: 'LEFT JOIN people p ON p.id = r."who"',
  order: MOST_FIRST,
  why: 'NULL',
};
const BY_PAIR: Ranked = {
  keys: ['"who"', 'site', 'locked'],
  names: 'p.name, CASE WHEN locked THEN NULL ELSE s.name END',
  joins: 'LEFT JOIN people p ON p.id = r."who" LEFT JOIN sites s ON s.id = r.site',
  order: 'bytes DESC, requests DESC',
  why: 'NULL',
};

function sums(title: string, where: string): Query {
  return { title, sql: `SELECT NULL, ${SUMS} FROM ${COUNTED} WHERE ${where}` };
}

function by(title: string, column: string, where = 'true'): Query {
  return {
    title,
    sql: `SELECT ${column}, ${SUMS} FROM ${COUNTED} WHERE ${where} GROUP BY ${column} ORDER BY ${MOST_FIRST}, ${column}`,
  };
}

/** Parts of a ranking: `top` rows, `others` (how many in the second column), `apart`, `total`. Everybody and everything is in one of the first three. */
function ranking(
  title: string,
  { keys, names, joins, order, why }: Ranked,
  where: string,
  most: number,
  apart = 'false',
): Query {
  const own = keys.join(', ');
  return {
    title,
    sql: `WITH asked AS (SELECT v.*, k.* EXCLUDE (id), coalesce(${apart}, false) AS apart FROM ${COUNTED} WHERE ${where}),
grouped AS (SELECT ${own}, ${SUMS}, ${why} AS why FROM asked WHERE NOT apart GROUP BY ${own}),
ranked AS (SELECT r.*, ${names.replace(', ', ' AS name1, ')} AS name2, row_number() OVER (ORDER BY ${order}, name1, name2) AS place
  FROM grouped r ${joins}),
first AS (SELECT * FROM ranked WHERE place <= ${most})
SELECT 'top' AS part, name1, CAST(name2 AS VARCHAR), allowed, refused, requests, bytes, people, to_json(why)::VARCHAR FROM (SELECT * FROM first ORDER BY place)
UNION ALL SELECT 'others', (SELECT count(*) FROM ranked WHERE place > ${most})::VARCHAR, NULL, ${SUMS}, NULL FROM asked ANTI JOIN first USING (${own}) WHERE NOT apart
UNION ALL SELECT 'apart', NULL, NULL, ${SUMS}, NULL FROM asked WHERE apart
UNION ALL SELECT 'total', NULL, NULL, ${SUMS}, NULL FROM asked`,
  };
}

function isOneOf(column: string, values: readonly string[]): string {
  return values.length === 0 ? 'false' : `${column} IN (${values.map(quoted).join(', ')})`;
}
