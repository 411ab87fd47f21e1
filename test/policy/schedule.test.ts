import * as fc from 'fast-check';
import t from 'tap';
import { createMomentAt, datesWithoutSchool, isTermTime, windowAt } from '../../src/policy/schedule.ts';
import type { Calendar, DayWindow } from '../../src/policy/snapshot.ts';
import { at } from './small-school.ts';

const timeZone = 'Europe/London';
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];
const DAY_NAMES = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

const calendar: Calendar = {
  terms: [
    { name: 'Autumn term', from: '2026-09-01', to: '2026-12-18' },
    { name: 'Spring term', from: '2027-01-04', to: '2027-03-25' },
  ],
  holidays: [
    { name: 'Half-term', from: '2026-10-26', to: '2026-10-30' },
    { name: 'INSET day', from: '2027-01-04', to: '2027-01-04' },
  ],
  slots: [],
};

const inTerm = createMomentAt({ timeZone, calendar });

/** Whether a window holds at an instant. */
function holds(window: Partial<DayWindow>, iso: string, momentAt = inTerm): boolean {
  return windowAt([{ days: EVERY_DAY, from: 0, to: 1440, ...window }], momentAt(at(iso))) !== undefined;
}

await t.test('the school’s clock, over every change of 2026 and 2027', async (t) => {
  const table: [string, string, string, string][] = [
    ['2026-03-29T00:59:59Z', '2026-03-29', 'Sun', '00:59'], // the clock jumps from 01:00 to 02:00
    ['2026-03-29T01:00:00Z', '2026-03-29', 'Sun', '02:00'],
    ['2026-10-25T00:59:59Z', '2026-10-25', 'Sun', '01:59'], // from 02:00 back to 01:00
    ['2026-10-25T01:00:00Z', '2026-10-25', 'Sun', '01:00'],
    ['2026-10-25T01:59:59Z', '2026-10-25', 'Sun', '01:59'],
    ['2026-10-25T02:00:00Z', '2026-10-25', 'Sun', '02:00'],
    ['2027-03-28T00:59:59Z', '2027-03-28', 'Sun', '00:59'],
    ['2027-03-28T01:00:00Z', '2027-03-28', 'Sun', '02:00'],
    ['2027-10-31T00:59:59Z', '2027-10-31', 'Sun', '01:59'],
    ['2027-10-31T01:00:00Z', '2027-10-31', 'Sun', '01:00'],
    ['2026-06-21T22:59:59Z', '2026-06-21', 'Sun', '23:59'], // the last minute of a summer Sunday, and the first of Monday
    ['2026-06-21T23:00:00Z', '2026-06-22', 'Mon', '00:00'],
    ['2026-12-31T23:59:59Z', '2026-12-31', 'Thu', '23:59'],
    ['2027-01-01T00:00:00Z', '2027-01-01', 'Fri', '00:00'],
    ['1969-12-31T22:59:00Z', '1969-12-31', 'Wed', '23:59'], // before the epoch, when London kept summer time all year
  ];
  for (const [iso, date, weekday, clock] of table) {
    const { today, yesterday, minute } = inTerm(at(iso));
    const [hours, minutes] = clock.split(':').map(Number) as [number, number];
    t.equal(minute, hours * 60 + minutes, iso);
    t.equal(today.date, date, iso);
    t.equal(DAY_NAMES[today.weekday], weekday, iso);
    t.equal(yesterday.weekday, (today.weekday + 6) % 7, iso);
  }
});

await t.test('other zones, and instants in any order', async () => {
  const instant = fc.integer({ min: at('2020-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') });
  for (const zone of ['Asia/Kathmandu', 'America/St_Johns', 'Pacific/Auckland', 'Australia/Lord_Howe', 'UTC']) {
    const momentAt = createMomentAt({ timeZone: zone });
    const format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      weekday: 'short',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    const agrees = (now: number): boolean => {
      const part = Object.fromEntries(format.formatToParts(now).map(({ type, value }) => [type, value]));
      const { today, minute } = momentAt(now);
      return (
        today.date === `${part['year']}-${part['month']}-${part['day']}` &&
        DAY_NAMES[today.weekday] === part['weekday']!.slice(0, 3) &&
        minute === Number(part['hour']) * 60 + Number(part['minute'])
      );
    };
    fc.assert(fc.property(instant, agrees), { numRuns: 200 });
  }
});

await t.test('one minute is one object, so that nothing is worked out twice in it', async (t) => {
  const momentAt = createMomentAt({ timeZone, calendar });
  const first = momentAt(at('2026-11-23T09:00:00Z'));
  t.equal(momentAt(at('2026-11-23T09:00:59.999Z')), first);
  t.not(momentAt(at('2026-11-23T09:01:00Z')), first);
});

await t.test('a window holds from its first minute to before its last', async (t) => {
  const table: [Partial<DayWindow>, string, boolean][] = [
    [{ from: 480, to: 960 }, '2026-11-23T07:59:59Z', false],
    [{ from: 480, to: 960 }, '2026-11-23T08:00:00Z', true],
    [{ from: 480, to: 960 }, '2026-11-23T15:59:59Z', true],
    [{ from: 480, to: 960 }, '2026-11-23T16:00:00Z', false],
    [{ days: [1], from: 480, to: 960 }, '2026-11-23T10:00:00Z', false],
    [{ days: [0], from: 1080, to: 1440 }, '2026-11-23T23:59:59Z', true],
    [{ days: [0], from: 1080, to: 1440 }, '2026-11-24T00:00:00Z', false],
  ];
  for (const [window, iso, expected] of table) t.equal(holds(window, iso), expected, iso);
  t.equal(windowAt([], inTerm(0)), undefined);
});

await t.test('a window over midnight belongs to the day on which it began', async (t) => {
  const friday = { days: [4], from: 22 * 60, to: 1440 + 6 * 60 };
  const table: [string, boolean][] = [
    ['2026-11-27T05:59:00Z', false], // Friday's early hours are Thursday's night
    ['2026-11-27T21:59:59Z', false],
    ['2026-11-27T22:00:00Z', true],
    ['2026-11-28T00:00:00Z', true],
    ['2026-11-28T05:59:59Z', true],
    ['2026-11-28T06:00:00Z', false],
    ['2026-11-28T22:00:00Z', false],
  ];
  for (const [iso, expected] of table) t.equal(holds(friday, iso), expected, iso);
  // The last evening of a term goes on into the first morning of the holidays, and the other way round.
  const night = { from: 22 * 60, to: 1440 + 6 * 60 };
  t.equal(holds({ ...night, on: 'term-time' }, '2026-12-19T02:00:00Z'), true);
  t.equal(holds({ ...night, on: 'holidays' }, '2026-12-19T02:00:00Z'), false);
  t.equal(holds({ ...night, on: 'holidays' }, '2027-01-05T02:00:00Z'), true, 'the INSET day’s evening');
});

await t.test('hours that come twice or never', async (t) => {
  const oneToTwo = { from: 60, to: 120 };
  const at59 = (iso: string): boolean[] =>
    [`${iso}T00:59:59Z`, `${iso}T01:00:00Z`].map((time) => holds(oneToTwo, time));
  t.strictSame(at59('2026-03-29'), [false, false], 'in March the clock goes from 00:59 to 02:00: never');
  t.strictSame(at59('2027-03-28'), [false, false]);
  for (const day of ['2026-10-25', '2027-10-31']) {
    const before = new Date(at(`${day}T00:00:00Z`) - 1).toISOString();
    const table: [string, boolean][] = [
      [before, false],
      [`${day}T00:00:00Z`, true],
      [`${day}T00:59:59Z`, true],
      [`${day}T01:00:00Z`, true],
      [`${day}T01:59:59Z`, true],
      [`${day}T02:00:00Z`, false],
    ];
    for (const [iso, expected] of table) t.equal(holds(oneToTwo, iso), expected, `in October it holds twice: ${iso}`);
  }
  const minutes = (from: string, to: string): number => {
    const night = { days: [5], from: 22 * 60, to: 1440 + 6 * 60 };
    let count = 0;
    for (let now = at(from); now < at(to); now += 60_000) if (holds(night, new Date(now).toISOString())) count++;
    return count;
  };
  t.equal(minutes('2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z'), 7 * 60, 'the night of March has an hour less');
  t.equal(minutes('2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z'), 9 * 60, 'that of October one more');
  t.equal(minutes('2026-11-21T12:00:00Z', '2026-11-22T12:00:00Z'), 8 * 60);
});

await t.test('terms and holidays, to the day', async (t) => {
  const table: [string, boolean][] = [
    ['2026-08-31', false],
    ['2026-09-01', true],
    ['2026-10-25', true], // a Sunday in a term is term time; rules about lessons name weekdays
    ['2026-10-26', false],
    ['2026-10-30', false],
    ['2026-10-31', true],
    ['2026-12-18', true],
    ['2026-12-19', false],
    ['2027-01-03', false],
    ['2027-01-04', false],
    ['2027-01-05', true],
    ['2027-03-25', true],
    ['2027-03-26', false],
    ['2030-01-01', false], // nobody wrote down further terms
  ];
  for (const [date, expected] of table) {
    t.equal(isTermTime(calendar, date), expected, date);
    t.equal(holds({ on: 'term-time' }, `${date}T12:00:00Z`), expected, date);
    t.equal(holds({ on: 'holidays' }, `${date}T12:00:00Z`), !expected, date);
  }
  // In summer time the day begins at 23:00 UTC.
  t.equal(holds({ on: 'term-time' }, '2026-08-31T22:59:59Z'), false);
  t.equal(holds({ on: 'term-time' }, '2026-08-31T23:00:00Z'), true);
  const halfTerm = { on: [{ from: '2026-10-26', to: '2026-10-30' }] };
  t.equal(holds(halfTerm, '2026-10-25T23:59:59Z'), false);
  t.equal(holds(halfTerm, '2026-10-26T00:00:00Z'), true);
  t.equal(holds(halfTerm, '2026-10-30T23:59:59Z'), true);
  t.equal(holds(halfTerm, '2026-10-31T00:00:00Z'), false);
  t.equal(isTermTime(undefined, '2026-11-23'), false, 'a school without a calendar has no term');
});

await t.test('dates without school, as far as the calendar goes', async (t) => {
  t.strictSame(datesWithoutSchool(calendar, '2026-10-24', '2026-11-01'), [
    '2026-10-26',
    '2026-10-27',
    '2026-10-28',
    '2026-10-29',
    '2026-10-30',
  ]);
  t.strictSame(datesWithoutSchool(calendar, '2026-12-18', '2026-12-20'), ['2026-12-19', '2026-12-20']);
  t.strictSame(datesWithoutSchool(calendar, '2027-01-01', '2027-01-05').at(-1), '2027-01-04');
  t.strictSame(datesWithoutSchool(calendar, '2026-08-20', '2026-09-02'), [], 'before the first term nothing is known');
  t.strictSame(datesWithoutSchool(calendar, '2027-03-25', '2027-04-30'), [], 'nor after the last');
});
