import type { AccessRecord } from '../events/access-record.ts';
import { type LessonNotice, lessonNotice } from '../policy/lesson-lists.ts';
import type { GatewayContext } from './context.ts';
import { warningOf } from './warning-ticket.ts';

/** A refusal as the front desk is told of it. */
export interface ToldRecord extends AccessRecord {
  /** The lesson lists that bind the person now, where such a list refused it. */
  readonly lesson?: LessonNotice;
  /** What the button of a warning carries (see `warning-ticket`). */
  readonly ticket?: string;
}

/** With what is known at `now` (ms since the epoch): a list may have been prolonged or ended since it refused something. */
export function toldRefusal(
  { snapshots, warnings }: Pick<GatewayContext, 'snapshots' | 'warnings'>,
  record: AccessRecord,
  now: number,
): ToldRecord {
  const warning = warningOf(record);
  if (warning !== null) return { ...record, ticket: warnings.make(warning) };
  if (record.reason !== 'lesson') return record;
  const { policy, live, identify } = snapshots;
  const [verified, signedIn] = record.identified === 'proxy-auth' ? [record.user, null] : [null, record.user];
  const lesson = lessonNotice(policy, live, identify(record.client, verified, signedIn), now);
  return lesson === null ? record : { ...record, lesson };
}
