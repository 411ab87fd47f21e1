import type { OutgoingMail } from '../delivery/outgoing.ts';
import { dateAfter, instantOf, localTime } from '../kernel/local-time.ts';
import { AUDIT_ACTIONS, type AuditAction } from './entry.ts';

/** A month of the school's calendar. `from` inclusive, `until` exclusive: ms since the epoch. */
export interface Month {
  /** Such as `2026-11`. */
  readonly id: string;
  /** Its days, such as `2026-11-01` and `2026-11-30`. */
  readonly first: string;
  readonly last: string;
  readonly from: number;
  readonly until: number;
}

/** The month that was over at an instant. */
export function monthBefore(now: number, zone: string): Month {
  const next = `${localTime(now, zone).date.slice(0, 7)}-01`;
  const last = dateAfter(next, -1);
  const id = last.slice(0, 7);
  const first = `${id}-01`;
  return { id, first, last, from: instantOf(`${first}T00:00`, zone)!, until: instantOf(`${next}T00:00`, zone)! };
}

/** How often somebody did what. */
export type ActCounts = readonly { readonly action: AuditAction; readonly count: number }[];

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** What one person did in the console in a month, for whoever they answer to. Counts alone: reasons may name a pupil. */
export function monthMail(fullName: string, { id }: Pick<Month, 'id'>, counts: ActCounts, where: string): OutgoingMail {
  const month = `${MONTHS[Number(id.slice(5)) - 1]} ${id.slice(0, 4)}`;
  const width = Math.max(0, ...counts.map(({ count }) => String(count).length));
  const lines = [
    `What ${fullName}, who looks after the filter, did in ${month}:`,
    '',
    ...(counts.length === 0 ? ['Nothing that goes on the record.'] : []),
    ...counts.map(({ action, count }) => `${String(count).padStart(width)}  ${AUDIT_ACTIONS[action]}`),
    '',
    'Each act, and why it was done, is shown after signing in:',
    where,
    '',
  ];
  return { subject: `Schoolgate: the network manager’s ${month}`, text: lines.join('\n') };
}
