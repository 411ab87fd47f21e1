import { openSpan } from '../history/open-span.ts';
import type { UnreadableSegment } from '../history/read-segments.ts';
import { type Ask, countWeek } from '../reports/count-week.ts';
import { searchTerm } from '../safeguarding/concerns/search-terms.ts';
import { childProcess } from './child-process.ts';
import type { CountAnswer, CountOrders } from './count-apart.ts';

childProcess(async (orders, link) => {
  // What is counted for nobody is only in the way of others.
  link.onGone(() => process.exit(1));
  const { folder, span, settings } = orders as CountOrders;
  const unreadable: UnreadableSegment[] = [];
  const history = await openSpan(folder, span.from, span.until, (problem) => unreadable.push(problem));
  try {
    const ask = ((sql) => history.duck.rows(sql)) as Ask;
    const counts = await countWeek(ask, span, settings, searchTerm);
    link.tell({ type: 'counted', counts, unreadable } satisfies CountAnswer);
  } finally {
    history.close();
  }
});
