import type { Who } from '../identity/who.ts';
import { addressRanges } from '../kernel/ip.ts';
import { dateAfter, instantOf, localInput } from '../kernel/local-time.ts';
import { createMomentAt, type Moment, windowAt } from './schedule.ts';
import type { DayWindow, PolicySnapshot, TimedRules } from './snapshot.ts';
import { HOUR_MS } from '../kernel/clock.ts';

const DAY_MINUTES = 1440;
/** Further ahead nobody waits. */
const DAYS_AHEAD = 7;

/** A rule about times, and whether it closes when they hold or when they do not. */
interface Closing {
  readonly when: readonly DayWindow[];
  readonly closesThen: boolean;
}

/**
 * When the web opens for somebody to whom it is closed at `now` by hours or by a time that closes it; both ms since the epoch. Null: it is
 * not closed so, or does not open within a week.
 */
export function closedUntil(policy: PolicySnapshot, who: Who, now: number): number | null {
  const closings = closingsOf(policy, who);
  const momentAt = createMomentAt(policy);
  const isClosed = (at: number): boolean => closings.some((one) => closes(one, momentAt(at)));
  if (!isClosed(now)) return null;
  return changesAfter(closings, policy.timeZone, now).find((at) => !isClosed(at)) ?? null;
}

function closes({ when, closesThen }: Closing, moment: Moment): boolean {
  return (windowAt(when, moment) !== undefined) === closesThen;
}

/** What closes the web to somebody where they are, now or at other times. */
function closingsOf({ levels, people, groups }: PolicySnapshot, who: Who): Closing[] {
  const level = levels[who.level];
  const owners = [
    level,
    who.user === null ? null : people[who.user]?.rules,
    ...who.groups.map((group) => groups[group]),
  ];
  const timed = owners.flatMap((owner) => owner?.times ?? []).filter((one) => one.closed && isAt(one, who.client));
  const hours = level?.hours ?? null;
  return [
    ...(hours === null ? [] : [{ when: hours.windows, closesThen: false }]),
    ...timed.map(({ when }) => ({ when, closesThen: true })),
  ];
}

function isAt({ where }: TimedRules, client: string): boolean {
  return where === undefined || addressRanges(where.cidrs).has(client);
}

/** Every instant of the days ahead at which a window may begin or end, in order: whole hours are where clocks are changed and days begin. */
function changesAfter(closings: readonly Closing[], zone: string, now: number): number[] {
  const ends = closings.flatMap(({ when }) => when.flatMap(({ from, to }) => [from, to % DAY_MINUTES]));
  const hours = Array.from({ length: DAYS_AHEAD * 24 }, (_, i) => (Math.floor(now / HOUR_MS) + 1 + i) * HOUR_MS);
  const today = localInput(now, zone).slice(0, 10);
  // A week from the middle of a day ends in the middle of the eighth.
  const dates = Array.from({ length: DAYS_AHEAD + 1 }, (_, i) => dateAfter(today, i));
  const local = dates.flatMap((date) => [...new Set(ends)].map((end) => instantOf(`${date}T${clockText(end)}`, zone)!));
  const last = now + DAYS_AHEAD * 24 * HOUR_MS;
  return [...new Set([...hours, ...local])].filter((at) => at > now && at <= last).sort((a, b) => a - b);
}

function clockText(minute: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
