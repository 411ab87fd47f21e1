// sums, with the names of people and sites ──► the same in numbers, which the tables of the report are asked of
import { KIND_COLUMNS, type Query, quoted } from './sum-queries.ts';
import type { CountSettings } from './week-counts.ts';

/** The statements that stand before those of a report's tables (`table-queries`). Names stand beside `visits`, as where they were summed. */
export const NUMBER: readonly Query[] = [
  {
    title: 'People, or devices where nobody is known',
    sql: `CREATE OR REPLACE TEMP TABLE people AS SELECT hash("who") AS id, "who" AS name, bool_or(known AND identified IN ('proxy-auth', 'session')) AS signed_in
FROM sums.visits GROUP BY ALL`,
  },
  {
    title: 'Sites',
    sql: 'CREATE OR REPLACE TEMP TABLE sites AS SELECT DISTINCT hash(host) AS id, host AS name FROM sums.visits',
  },
  {
    title: 'Kinds of answers',
    sql: `CREATE OR REPLACE TEMP TABLE kinds AS SELECT DISTINCT hash(${KIND_COLUMNS}) AS id, ${KIND_COLUMNS} FROM sums.visits`,
  },
  {
    title: 'Every request of one person to one site that was answered alike',
    sql: `CREATE OR REPLACE TEMP TABLE visits AS SELECT hash("who") AS "who", hash(host) AS site, hash(${KIND_COLUMNS}) AS kind, sum(requests)::BIGINT AS requests,
  sum(navigations)::BIGINT AS navigations, sum(bytes)::BIGINT AS bytes FROM sums.visits GROUP BY ALL`,
  },
];

/** Who is in which school year. */
export function yearsQuery({ years }: CountSettings): Query {
  const rows = Object.entries(years).map(([name, year]) => `(${quoted(name)}, ${quoted(year)})`);
  const values = rows.length === 0 ? 'SELECT NULL, NULL WHERE false' : `VALUES ${rows.join(', ')}`;
  return {
    title: 'School years, from the directory as it stands',
    sql: `CREATE OR REPLACE TEMP TABLE years AS SELECT name::VARCHAR AS name, "year"::VARCHAR AS "year" FROM (${values}) y(name, "year")`,
  };
}
