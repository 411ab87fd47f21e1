import { type FieldProblem, InvalidFieldsError } from '../kernel/errors.ts';
import { instantOf } from '../kernel/local-time.ts';
import type { TriedSample } from './self-test.ts';
import { DAY_MS } from '../kernel/clock.ts';

/** `not-tried`: nothing is known of the filter by it, such as while the internet is away. It is no failure, and no success either. */
export type CheckResult = 'passed' | 'failed' | 'not-tried';

export const RESULTS: Readonly<Record<CheckResult, string>> = {
  passed: 'Passed',
  failed: 'Failed',
  'not-tried': 'Could not be tried',
};
export const KINDS = { self: 'Self-test', human: 'By a person' } as const;

/** One line of the log. */
export interface Check {
  readonly id: string;
  readonly kind: keyof typeof KINDS;
  /** Ms since the epoch. */
  readonly at: number;
  /** A person's id; null: the timetable. */
  readonly by: string | null;
  /** A level of the policy; null: all of them. */
  readonly level: string | null;
  readonly device: string;
  readonly place: string;
  readonly tested: string;
  readonly result: CheckResult;
  /** What was done about it. */
  readonly action: string;
  readonly samples: readonly TriedSample[];
}

/** What a form brings. */
export interface TypedCheck {
  /** `YYYY-MM-DDTHH:MM` on the school's clock. */
  readonly when: string;
  /** A level, or `all`. */
  readonly level: string;
  readonly device: string;
  readonly place: string;
  readonly tested: string;
  readonly result: string;
  readonly action: string;
}

const MOST_LINE = 300;
const MOST_TEXT = 2000;

/** Throws an InvalidFieldsError with every field that is wrong. */
export function readCheck(
  typed: TypedCheck,
  { now, zone, levels }: { readonly now: number; readonly zone: string; readonly levels: readonly string[] },
): Omit<Check, 'id' | 'kind' | 'by' | 'samples'> {
  const problems: FieldProblem[] = [];
  const say = (field: string, reason: string): void => void problems.push({ field, reason });
  const text = (field: keyof TypedCheck, missing: string | null, most = MOST_LINE): string => {
    const value = typed[field]
      .replaceAll('\r\n', '\n')
      .replaceAll(/[^\P{Cc}\n]+/gu, ' ')
      .trim();
    if (value === '' && missing !== null) say(field, missing);
    if (value.length > most) say(field, `Say it in at most ${most} characters; this has ${value.length}.`);
    return value;
  };
  const at = instantOf(typed.when.trim(), zone);
  if (at === null || at > now) say('when', 'Give the day and time of the check; it cannot be to come.');
  if (typed.level !== 'all' && !levels.includes(typed.level)) say('level', 'Choose whose filter was checked.');
  const device = text('device', 'Say on which device, such as “iPad 12 of the trolley”.');
  const place = text('place', 'Say where, such as a room or at home.');
  const tested = text('tested', 'Say what was tried.', MOST_TEXT);
  const isResult = Object.hasOwn(RESULTS, typed.result);
  if (!isResult) say('result', 'Say what came of it.');
  const action = text(
    'action',
    typed.result === 'failed' ? 'Say what was done about it, or who will.' : null,
    MOST_TEXT,
  );
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  const level = typed.level === 'all' ? null : typed.level;
  return { at: at!, level, device, place, tested, result: typed.result as CheckResult, action };
}

/** How often people check, where the school says nothing: more often than each term, which is asked of schools in England. */
export const EVERY_DAYS = 30;
/** Over a week-end no self-test runs. */
const SELF_TEST_MS = 4 * DAY_MS;

/** The newest of each kind; null: there was none. `since`: when the log begins. */
export interface LastChecks {
  readonly human: number | null;
  readonly self: number | null;
  readonly since: number;
}

/** What is overdue at an instant, in sentences. */
export function overdueChecks({ human, self, since }: LastChecks, now: number, everyDays: number): readonly string[] {
  const isOver = (last: number | null, ms: number): boolean => now - (last ?? since) > ms;
  const lastText = human === null ? 'Nobody has' : `Nobody has for ${Math.floor((now - human) / DAY_MS)} days`;
  return [
    ...(isOver(human, everyDays * DAY_MS)
      ? [
          `${lastText} checked on a device that the filter does what it should. The school wants it every ${everyDays} days.`,
        ]
      : []),
    ...(isOver(self, SELF_TEST_MS) ? ['No self-test of the filter has come to a result for four days.'] : []),
  ];
}
