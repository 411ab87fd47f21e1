import { setPriority } from 'node:os';
import { convertHistory } from '../history/convert-history.ts';
import { keepSums } from '../history/day-sums.ts';
import { childProcess } from './child-process.ts';
import { SUMMING } from './count-span.ts';
import type { ConvertAnswer, ConvertOrders } from './convert-apart.ts';

/** Behind everything that somebody waits for. */
const LOW_PRIORITY = 10;

childProcess(async (orders, link) => {
  // A conversion without anybody to tell of it is no harm, but two at once would be.
  link.onGone(() => process.exit(1));
  setPriority(LOW_PRIORITY);
  const { folder, arrivedBefore } = orders as ConvertOrders;
  const report = await convertHistory(folder, arrivedBefore);
  const problems = [...report.problems, ...(await keepSums(folder, arrivedBefore, SUMMING))];
  link.tell({ type: 'converted', ...report, problems } satisfies ConvertAnswer);
});
