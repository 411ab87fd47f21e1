import * as fc from 'fast-check';
import t from 'tap';
import { instantOf, localInput, localText } from '../../src/kernel/local-time.ts';

const LONDON = 'Europe/London';
const utc = (text: string): number => Date.parse(`${text}:00Z`);

void t.test('what the school’s clock shows', async (t) => {
  const table: [local: string, utc: string | null][] = [
    ['2026-11-23T09:00', '2026-11-23T09:00'],
    ['2026-11-23 09:00', '2026-11-23T09:00'],
    ['2026-06-30T09:00', '2026-06-30T08:00'],
    ['2026-03-29T00:59', '2026-03-29T00:59'],
    // An hour that is left out counts as much later as the clock jumps, one that comes twice is the first.
    ['2026-03-29T01:30', '2026-03-29T01:30'],
    ['2026-03-29T02:00', '2026-03-29T01:00'],
    ['2026-10-25T00:59', '2026-10-24T23:59'],
    ['2026-10-25T01:30', '2026-10-25T00:30'],
    ['2026-10-25T02:00', '2026-10-25T02:00'],
    ['2026-02-29T09:00', null],
    ['2028-02-29T09:00', '2028-02-29T09:00'],
    ['2026-13-01T09:00', null],
    ['2026-11-23T24:00', null],
    ['2026-11-23T09:60', null],
    ['2026-11-23', null],
    ['', null],
    ['2026-11-23T09:00Z', null],
    ['23/11/2026 09:00', null],
  ];
  for (const [local, expected] of table)
    t.equal(instantOf(local, LONDON), expected === null ? null : utc(expected), local);
});

void t.test('there and back, in any zone, but for the hour that comes twice', async () => {
  const zone = fc.constantFrom(LONDON, 'Europe/Dublin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia', 'UTC');
  const minute = fc.integer({ min: utc('2000-01-01T00:00') / 60_000, max: utc('2060-01-01T00:00') / 60_000 });
  fc.assert(
    fc.property(zone, minute, (zone, minute) => {
      const ms = minute * 60_000;
      const back = instantOf(localInput(ms, zone), zone);
      return back === ms || (back !== null && back < ms && localInput(back, zone) === localInput(ms, zone));
    }),
  );
});

void t.test('an instant for people', async (t) => {
  t.equal(localText(utc('2026-06-30T23:05'), LONDON), 'Wed 1 Jul 2026, 00:05');
  t.equal(localInput(utc('2026-06-30T23:05') + 59_999, LONDON), '2026-07-01T00:05');
});
