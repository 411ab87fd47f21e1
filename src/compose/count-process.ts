import type { UnreadableSegment } from '../history/read-segments.ts';
import { childProcess } from './child-process.ts';
import type { CountAnswer, CountOrders } from './count-apart.ts';
import { countSpan } from './count-span.ts';

childProcess(async (orders, link) => {
  // What is counted for nobody is only in the way of others.
  link.onGone(() => process.exit(1));
  const { folder, span, settings } = orders as CountOrders;
  const unreadable: UnreadableSegment[] = [];
  const counts = await countSpan(folder, span, settings, (problem) => unreadable.push(problem));
  link.tell({ type: 'counted', counts, unreadable } satisfies CountAnswer);
});
