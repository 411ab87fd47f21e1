import type { AccessRecord } from '../events/access-record.ts';
import { type LessonNotice, lessonNotice } from '../policy/lesson-lists.ts';
import type { Snapshots } from './snapshots.ts';

/** A refusal as the front desk is told of it. `lesson`: the lesson lists that bind the person now, where such a list refused it. */
export interface ToldRecord extends AccessRecord {
  readonly lesson?: LessonNotice;
}

/** With what is known at `now` (ms since the epoch): a list may have been prolonged or ended since it refused something. */
export function toldRefusal({ policy, live, identify }: Snapshots, record: AccessRecord, now: number): ToldRecord {
  if (record.reason !== 'lesson') return record;
  const [verified, signedIn] = record.identified === 'proxy-auth' ? [record.user, null] : [null, record.user];
  const lesson = lessonNotice(policy, live, identify(record.client, verified, signedIn), now);
  return lesson === null ? record : { ...record, lesson };
}
