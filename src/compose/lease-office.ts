import type { LeaseOffice } from '../gateway/leases.ts';
import type { ProcessLink } from './process-link.ts';

/** How long a connection waits for the supervisor's answer, ms. */
const WAIT_MS = 5_000;
/** How long an answer is waited for at all: a supervisor that is stopped that long has other troubles. */
const LATEST_MS = 10 * 60_000;

/** A worker's way to the supervisor's book of connection limits. No answer in time counts as none free. */
export function leaseOffice(link: ProcessLink, waitMs = WAIT_MS): LeaseOffice {
  return {
    ask: async (key, count) => {
      const answer = link.ask({ type: 'lease', key, count }, LATEST_MS).then(Number, () => 0);
      const granted = await inTime(answer, waitMs);
      if (granted !== null) return granted;
      // The book counts these as this worker's, and nobody here waits for them any more.
      void answer.then((late) => late > 0 && link.tell({ type: 'lease-back', key, count: late }));
      return 0;
    },
    giveBack: (key, count) => link.tell({ type: 'lease-back', key, count }),
  };
}

async function inTime<T>(answer: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
