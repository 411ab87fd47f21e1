import type { Query } from './sum-queries.ts';

/** Queries as a script that DuckDB runs where a view `requests` over the access history stands, each under what it is for. */
export function explainText(queries: readonly Query[]): string {
  const begin = [
    '-- How this report counts the access history. "requests" is every request and tunnel of the period once, with the columns that',
    '-- src/history/columns.ts names ("at": ms since 1970 in UTC), from Parquet and from segments that are not converted yet.',
    '-- Days that are over were added up in the night, each by the same statements down to those into "sums", of the files that it still has.',
    '-- Unblocks, policy changes, lists, alarms and the end of the record of acts stand in the record and are shown as they are there.',
  ];
  return [...begin, ...queries.map(({ title, sql }, i) => `\n-- ${i + 1}. ${title}\n${sql};`), ''].join('\n');
}
