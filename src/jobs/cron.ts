import { createTask, parse, schedule, validate } from 'node-cron';
import { SchoolgateError } from '../kernel/errors.ts';
import { MINUTE_MS } from '../kernel/clock.ts';

/** A time in a timetable, ready to be compared with any instant. */
export interface Slots {
  /** True when the minute that holds `instant` (ms) is one of them. */
  includes(instant: number): boolean;
  close(): void;
}

/** Something that beats about once a minute until it is stopped. */
export type Heartbeat = (beat: () => void) => { stop(): void };

/**
 * What is wrong with a time: not five-field cron, or a local hour that does not exist one night a year and comes twice another
 * (Europe/London changes its clocks at 01:00 UTC). Null: nothing.
 */
export function cronFault(cron: string, zone: string): string | null {
  if (!validate(cron) || cron.trim().split(/\s+/).length !== 5) return 'is not five-field cron';
  if (zone === 'UTC' || !parse(cron).hour.includes(1)) return null;
  return 'must not run between 01:00 and 02:00 local time, an hour that is missing or comes twice when clocks change';
}

/** Reads five-field cron in a zone. Throws a SchoolgateError for a time with a fault. */
export function readSlots(name: string, cron: string, zone: string): Slots {
  const fault = cronFault(cron, zone);
  if (fault !== null) throw new SchoolgateError('bad_timetable', 'us', `The time of ${name}, "${cron}", ${fault}.`);
  const task = createTask(cron, () => undefined, { timezone: zone });
  return {
    includes: (instant) => task.match(new Date(Math.floor(instant / 60_000) * 60_000)),
    close: () => void task.destroy(),
  };
}

/** Each minute of UTC. A beat that comes late or not at all (a busy process, a sleeping machine) is no harm: the next looks back. */
export const everyMinute: Heartbeat = (beat) => {
  const task = schedule('* * * * *', beat, { timezone: 'UTC', suppressMissedWarning: true });
  return { stop: () => void task.destroy() };
};

/** How far a time is looked for, ms. */
const SEARCH_MS = 35 * 86_400_000;

/** The first minute after `instant` (ms) that a time names; null: none within 35 days. Throws as `readSlots` does. */
export function slotAfter(cron: string, zone: string, instant: number): number | null {
  return searchSlot(cron, zone, Math.floor(instant / MINUTE_MS) * MINUTE_MS + MINUTE_MS, MINUTE_MS);
}

/** The last minute up to `instant` (ms) that a time names; null: none within 35 days. Throws as `readSlots` does. */
export function slotBefore(cron: string, zone: string, instant: number): number | null {
  return searchSlot(cron, zone, Math.floor(instant / MINUTE_MS) * MINUTE_MS, -MINUTE_MS);
}

function searchSlot(cron: string, zone: string, from: number, step: number): number | null {
  const slots = readSlots('a search', cron, zone);
  try {
    for (let at = from; Math.abs(at - from) <= SEARCH_MS; at += step) if (slots.includes(at)) return at;
    return null;
  } finally {
    slots.close();
  }
}
