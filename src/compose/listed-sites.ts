import { type LiveIndex, openLiveIndex } from '../categories/live-index.ts';
import type { ExplainedIndex } from '../categories/match.ts';
import type { DataLayout } from '../config/data-layout.ts';

/** The category index for pages of the console; null while there is none. */
export type OpenIndex = () => Promise<ExplainedIndex | null>;

/** Opens the index when it is first asked for, and looks each time whether there is a newer one. */
export function createOpenIndex(layout: DataLayout): OpenIndex {
  let opened: LiveIndex | null = null;
  let opening = Promise.resolve();
  const renew = async (): Promise<void> => {
    if (opened === null) opened = await openLiveIndex(layout);
    else await opened.renew();
  };
  return async () => {
    // One after the other; without an index nothing can be told, and the next asker may have more luck.
    opening = opening.then(renew).catch(() => {});
    await opening;
    return opened?.index ?? null;
  };
}
