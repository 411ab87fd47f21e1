import * as fc from 'fast-check';
import t from 'tap';
import { isWithin } from '../../src/kernel/host.ts';
import { HostTable } from '../../src/policy/host-table.ts';
import { createLocalMinute, isTimeZone, isWithinWindows } from '../../src/policy/schedule.ts';
import { winningRule, writtenTable } from '../../src/policy/written.ts';
import { at } from './small-school.ts';

const label = fc.stringMatching(/^[ab]{1,2}$/);
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));

await t.test('a host table finds what stands under the host and its parents, the longest first', async (t) => {
  const hosts = fc.array(host, { maxLength: 12 });
  const agrees = (listed: string[], asked: string): boolean => {
    const table = new HostTable(listed.map((name, i) => [name, { name, i }]));
    const expected = listed
      .map((name, i) => ({ name, i }))
      .filter(({ name }) => isWithin(asked, name))
      .sort((a, b) => b.name.length - a.name.length || a.i - b.i);
    return table.has(asked) === expected.length > 0 && JSON.stringify(table.find(asked)) === JSON.stringify(expected);
  };
  fc.assert(fc.property(hosts, host, agrees), { numRuns: 1000 });
  // These two have the same 32-bit hash (read from the right, with a factor of 31): they must still be told apart.
  const table = new HostTable([['aA.test', 1]]);
  t.equal(table.has('BB.test'), false);
  t.equal(table.has('aA.test'), true);
});

await t.test('of written rules the longest host wins, then the longest path, then the one that blocks', async (t) => {
  const entry = fc.record({ host, path: fc.constantFrom(null, '/a', '/a/b', '/a/b?x=1') });
  const asked = fc.record({ host, path: fc.constantFrom(null, '/', '/a', '/a/b', '/ab', '/a/b?x=1&y=2') });
  const length = (rule: { entry: { host: string; path: string | null } }): number =>
    rule.entry.host.length * 1000 + (rule.entry.path?.length ?? 0);
  fc.assert(
    fc.property(fc.array(entry), fc.array(entry), asked, (allow, block, { host, path }) => {
      const withRule = (entries: typeof allow): { host: string; path: string | null; rule: string }[] =>
        entries.map((one) => Object.assign({ rule: '' }, one));
      const winner = winningRule([writtenTable({ allow: withRule(allow), block: withRule(block) })], host, path);
      const matches = [
        ...allow.map((one) => ({ entry: one, allows: true })),
        ...block.map((one) => ({ entry: one, allows: false })),
      ]
        .filter((one) => isWithin(host, one.entry.host))
        .filter(({ entry: { path: prefix } }) => prefix === null || (path !== null && isUnder(path, prefix)));
      if (winner === null) return matches.length === 0;
      return matches.every(
        (other) =>
          length(other) < length(winner) || (length(other) === length(winner) && (!winner.allows || other.allows)),
      );
    }),
    { numRuns: 1000 },
  );
  t.equal(winningRule([], 'a.test', null), null);
});

function isUnder(path: string, prefix: string): boolean {
  const ends = prefix.includes('?') ? ['&'] : ['/', '?'];
  return path === prefix || ends.some((end) => path.startsWith(prefix + end));
}

await t.test('the school’s clock, over every change of 2026 and 2027', async (t) => {
  const minute = createLocalMinute('Europe/London');
  const table: [string, number, string][] = [
    ['2026-03-29T00:59:59Z', 6, '00:59'], // Sunday: the clock jumps from 01:00 to 02:00
    ['2026-03-29T01:00:00Z', 6, '02:00'],
    ['2026-10-25T00:59:59Z', 6, '01:59'], // Sunday: from 02:00 back to 01:00
    ['2026-10-25T01:00:00Z', 6, '01:00'],
    ['2026-10-25T01:59:59Z', 6, '01:59'],
    ['2026-10-25T02:00:00Z', 6, '02:00'],
    ['2027-03-28T00:59:59Z', 6, '00:59'],
    ['2027-03-28T01:00:00Z', 6, '02:00'],
    ['2027-10-31T00:59:59Z', 6, '01:59'],
    ['2027-10-31T01:00:00Z', 6, '01:00'],
    ['2026-06-21T22:59:59Z', 6, '23:59'], // the last minute of a summer Sunday, and the first of Monday
    ['2026-06-21T23:00:00Z', 0, '00:00'],
    ['2026-12-31T23:59:59Z', 3, '23:59'],
    ['2027-01-01T00:00:00Z', 4, '00:00'],
    ['1969-12-31T22:59:00Z', 2, '23:59'], // before the epoch, when London kept summer time all year
  ];
  for (const [iso, day, clock] of table) {
    const [hours, minutes] = clock.split(':').map(Number) as [number, number];
    t.equal(minute(at(iso)), day * 1440 + hours * 60 + minutes, iso);
  }
});

await t.test('other zones, and instants in any order', async (t) => {
  const zones = [
    'Europe/London',
    'Asia/Kathmandu',
    'America/St_Johns',
    'Pacific/Auckland',
    'Australia/Lord_Howe',
    'UTC',
  ];
  const instant = fc.integer({ min: at('2020-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') });
  const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
  for (const timeZone of zones) {
    const minute = createLocalMinute(timeZone);
    const format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    const agrees = (now: number): boolean => {
      const part = Object.fromEntries(format.formatToParts(now).map(({ type, value }) => [type, value]));
      return minute(now) === days.indexOf(part['weekday']!) * 1440 + Number(part['hour']) * 60 + Number(part['minute']);
    };
    fc.assert(fc.property(instant, agrees), { numRuns: 200 });
  }
  t.equal(isTimeZone('Europe/London'), true);
  t.equal(isTimeZone('Europe/Londn'), false);
});

await t.test('windows hold from their first minute to before their last', async (t) => {
  const windows = [
    { days: [0, 2], from: 480, to: 960 },
    { days: [0], from: 1080, to: 1440 },
  ];
  const table: [number, boolean][] = [
    [479, false],
    [480, true],
    [959, true],
    [960, false],
    [1439, true],
    [1440 + 600, false],
    [2 * 1440 + 600, true],
    [2 * 1440 + 1100, false],
  ];
  for (const [minuteOfWeek, expected] of table)
    t.equal(isWithinWindows(windows, minuteOfWeek), expected, `${minuteOfWeek}`);
  t.equal(isWithinWindows([], 600), false);
});
