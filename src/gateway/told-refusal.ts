import type { AccessRecord } from '../events/access-record.ts';
import { closedUntil } from '../policy/closed-until.ts';
import { type LessonNotice, lessonNotice } from '../policy/lesson-lists.ts';
import type { GatewayContext } from './context.ts';
import { warningOf } from './warning-ticket.ts';

/** A refusal as the front desk is told of it. */
export interface ToldRecord extends AccessRecord {
  /** The lesson lists that bind the person now, where such a list refused it. */
  readonly lesson?: LessonNotice;
  /** When the web opens again, where a time closed it that is not over; ms since the epoch. */
  readonly opens?: number;
  /** What the button of a warning carries (see `warning-ticket`). */
  readonly ticket?: string;
}

/** With what is known at `now` (ms since the epoch): a list may have been prolonged or ended since it refused something, and a time may be over. */
export function toldRefusal(
  { snapshots, warnings }: Pick<GatewayContext, 'snapshots' | 'warnings'>,
  record: AccessRecord,
  now: number,
): ToldRecord {
  const warning = warningOf(record);
  if (warning !== null) return { ...record, ticket: warnings.make(warning) };
  if (record.reason !== 'lesson' && record.reason !== 'schedule') return record;
  const { policy, live, identify } = snapshots;
  const [verified, signedIn] = record.identified === 'proxy-auth' ? [record.user, null] : [null, record.user];
  const who = identify(record.client, verified, signedIn);
  if (record.reason === 'schedule') {
    const opens = closedUntil(policy.snapshot, who, now);
    return opens === null ? record : { ...record, opens };
  }
  const lesson = lessonNotice(policy, live, who, now);
  return lesson === null ? record : { ...record, lesson };
}
