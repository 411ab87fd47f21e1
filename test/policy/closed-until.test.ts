import * as fc from 'fast-check';
import t from 'tap';
import type { Who } from '../../src/identity/who.ts';
import { opensText } from '../../src/gateway/words/opens.ts';
import { closedUntil } from '../../src/policy/closed-until.ts';
import { NO_LIVE, preparePolicy } from '../../src/policy/prepare.ts';
import { decide } from '../../src/policy/decide.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { SCHOOL, at, snapshotOf } from './small-school.ts';

const CALENDAR = `
places:
  Hall: [10.3.0.0/16]
calendar:
  terms:
    - { name: Autumn term, from: 2026-09-01, to: 2026-12-18 }
  slots:
    - { name: break, from: "11:00", to: "11:20" }
    - { name: lunch, from: "12:20", to: "13:10" }
`;

function withTimes(level: string, rules = ''): PolicySnapshot {
  const senior = `title: Senior\nextends: junior\n${level}`;
  return snapshotOf({
    'school.yaml': SCHOOL + CALENDAR,
    'levels/senior.yaml': senior,
    ...(rules === '' ? {} : { 'rules.yaml': rules }),
  });
}

const WHO: Who = {
  user: 'ann',
  identified: 'session',
  level: 'senior',
  groups: ['9x'],
  client: '10.1.0.1',
  needs: 'nothing',
};
const MATCH = { categories: [], lists: [] };

await t.test('until when the web is closed', (t) => {
  const hours = 'hours: [{ days: [mon, tue, wed, thu, fri], from: "08:30", to: "16:00" }]';
  const detention = (when: string): string =>
    `groups:\n  - { name: 9x, times: [{ name: Detention, when: ${when}, closed: true }] }\n`;
  const table: [string, PolicySnapshot, string, string | null, Partial<Who>?][] = [
    [
      'at a break',
      withTimes('times: [{ name: Off, when: [break], closed: true }]'),
      '2026-11-23T11:05:00Z',
      '2026-11-23T11:20:00Z',
    ],
    ['not closed', withTimes('times: [{ name: Off, when: [break], closed: true }]'), '2026-11-23T10:59:00Z', null],
    [
      'at another place',
      withTimes('times: [{ name: Off, when: [break], where: [Hall], closed: true }]'),
      '2026-11-23T11:05:00Z',
      null,
    ],
    [
      'at that place',
      withTimes('times: [{ name: Off, when: [break], where: [Hall], closed: true }]'),
      '2026-11-23T11:05:00Z',
      '2026-11-23T11:20:00Z',
      { client: '10.3.0.9' },
    ],
    ['before school', withTimes(hours), '2026-11-23T07:00:00Z', '2026-11-23T08:30:00Z'],
    ['over the weekend', withTimes(hours), '2026-11-27T16:00:00Z', '2026-11-30T08:30:00Z'],
    // The eighth day was not looked at, so that a whole hour later was said.
    [
      'on the same day of next week',
      withTimes('hours: [{ days: [sat], from: "00:15", to: "01:15" }]'),
      '2026-03-28T20:07:00Z',
      '2026-04-03T23:15:00Z',
    ],
    ['never', withTimes('hours: []'), '2026-11-23T11:05:00Z', null],
    [
      'one time after another',
      withTimes(`${hours}\ntimes: [{ name: Late, when: [{ from: "08:00", to: "09:15" }], closed: true }]`),
      '2026-11-23T07:00:00Z',
      '2026-11-23T09:15:00Z',
    ],
    ['a class', withTimes('', detention('[lunch]')), '2026-11-23T12:30:00Z', '2026-11-23T13:10:00Z'],
    ['somebody of another class', withTimes('', detention('[lunch]')), '2026-11-23T12:30:00Z', null, { groups: [] }],
    [
      'a night on which the clock jumps',
      withTimes('times: [{ name: Nights, when: [{ from: "22:00", to: "01:30" }], closed: true }]'),
      '2026-03-28T23:00:00Z',
      '2026-03-29T01:00:00Z',
    ],
  ];
  for (const [what, policy, now, wanted, who] of table) {
    const found = closedUntil(policy, { ...WHO, ...who }, at(now));
    t.equal(
      found === null ? null : new Date(found).toISOString(),
      wanted === null ? null : at(wanted) && new Date(at(wanted)).toISOString(),
      what,
    );
  }
  t.end();
});

await t.test('it is the first instant at which the gateways’ own rules open', (t) => {
  const time = fc
    .integer({ min: 0, max: 95 })
    .map(
      (quarter) =>
        `"${String(Math.floor(quarter / 4)).padStart(2, '0')}:${String((quarter % 4) * 15).padStart(2, '0')}"`,
    );
  const window = fc
    .tuple(time, time, fc.subarray(['mon', 'tue', 'sat', 'sun'], { minLength: 1 }))
    .map(([from, to, days]) => `{ days: [${days.join(', ')}], from: ${from}, to: ${to} }`);
  const start = fc.constantFrom(...['2026-03-28T20:07:00Z', '2026-10-24T21:00:00Z', '2026-11-23T11:00:00Z'].map(at));
  fc.assert(
    fc.property(fc.array(window, { minLength: 1, maxLength: 3 }), fc.boolean(), start, (windows, closed, now) => {
      const list = `[${windows.join(', ')}]`;
      let policy: PolicySnapshot;
      try {
        policy = withTimes(closed ? `times: [{ name: Off, when: ${list}, closed: true }]` : `hours: ${list}`);
      } catch {
        return true; // a window of no length is refused
      }
      const prepared = preparePolicy(policy);
      const request = {
        host: 'nowhere.example',
        path: null,
        who: { ...WHO, groups: [] },
        match: MATCH,
        violation: null,
      };
      const isClosed = (when: number): boolean => decide(prepared, NO_LIVE, request, when).reason === 'schedule';
      const found = closedUntil(policy, request.who, now);
      if (!isClosed(now)) return found === null;
      for (let when = now; when < (found ?? now + 6 * 86_400_000); when += 5 * 60_000)
        if (!isClosed(when)) return false;
      return found === null || !isClosed(found);
    }),
    { numRuns: 60 },
  );
  t.end();
});

await t.test('as a sentence', (t) => {
  const zone = 'Europe/London';
  t.equal(opensText(at('2026-07-01T12:20:00Z'), at('2026-07-01T11:00:00Z'), zone), 'It opens again at 13:20.');
  t.equal(
    opensText(at('2026-11-30T08:30:00Z'), at('2026-11-27T16:00:00Z'), zone),
    'It opens again on Mon 30 Nov 2026, 08:30.',
  );
  t.end();
});
