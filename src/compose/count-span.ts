import { openSums, type Summing } from '../history/day-sums.ts';
import type { Duck } from '../history/duck.ts';
import type { OnUnreadable } from '../history/open-span.ts';
import { countWeek } from '../reports/count-week.ts';
import type { Span } from '../reports/ports.ts';
import { SUMS, SUMS_TABLES, SUMS_VERSION } from '../reports/sum-queries.ts';
import { type Ask, sumRequests } from '../reports/sum-requests.ts';
import type { CountSettings, WeekCounts } from '../reports/week-counts.ts';
import { searchTerm } from '../safeguarding/concerns/search-terms.ts';

/** How reports add up the access history. */
export const SUMMING: Summing = {
  version: SUMS_VERSION,
  form: SUMS.map(({ sql }) => sql),
  tables: SUMS_TABLES,
  add: (duck, span) => sumRequests(asking(duck), span),
};

function asking(duck: Duck): Ask {
  return ((sql) => duck.rows(sql)) as Ask;
}

/** Counts a span of the access history, with the help of what finished days add up to. What cannot be read is told to `onUnreadable`. */
export async function countSpan(
  folder: string,
  span: Span,
  settings: CountSettings,
  onUnreadable: OnUnreadable,
): Promise<WeekCounts> {
  const duck = await openSums(folder, span, SUMMING, onUnreadable);
  try {
    return await countWeek(asking(duck), span, settings, searchTerm);
  } finally {
    duck.close();
  }
}
