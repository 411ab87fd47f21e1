import t from 'tap';
import { nextDayEnd, SignedInDevices } from '../../src/identity/signed-in-devices.ts';

const at = (text: string): number => Date.parse(text);

void t.test('the school day ends by the school’s clock, also where clocks change', async (t) => {
  const table: [now: string, minutes: number, end: string][] = [
    ['2026-11-23T09:00:00Z', 18 * 60, '2026-11-23T18:00:00Z'],
    ['2026-07-06T08:00:00Z', 18 * 60, '2026-07-06T17:00:00Z'],
    ['2026-11-23T18:00:00Z', 18 * 60, '2026-11-24T18:00:00Z'],
    ['2026-11-30T23:30:00Z', 18 * 60, '2026-12-01T18:00:00Z'],
    // On the evening before clocks go forward (29 March 2026) and back (25 October 2026).
    ['2026-03-28T19:00:00Z', 18 * 60, '2026-03-29T17:00:00Z'],
    ['2026-10-24T19:00:00Z', 18 * 60, '2026-10-25T18:00:00Z'],
    ['2026-10-24T23:30:00Z', 18 * 60, '2026-10-25T18:00:00Z'],
    // 01:30 is left out that night: the day ends as much later as the clock jumps.
    ['2026-03-28T23:00:00Z', 90, '2026-03-29T01:30:00Z'],
    ['2026-11-23T09:00:00Z', 0, '2026-11-24T00:00:00Z'],
  ];
  for (const [now, minutes, end] of table) {
    t.equal(new Date(nextDayEnd(at(now), minutes, 'Europe/London')).toISOString(), end.replace('Z', '.000Z'), now);
  }
});

void t.test('a session holds for its address, and ends by the asker’s clock', async (t) => {
  const devices = new SignedInDevices([
    { address: '10.0.0.1', user: 'ann', until: 1000 },
    { address: '2001:db8::1', user: 'bob', until: 2000 },
  ]);
  t.equal(devices.size, 2);
  t.equal(devices.userAt('10.0.0.1', 999), 'ann');
  t.equal(devices.userAt('10.0.0.1', 1000), null);
  t.equal(devices.userAt('2001:db8::1', 1000), 'bob');
  t.equal(devices.userAt('10.0.0.2', 0), null);
  t.same([...devices.endedBetween(0, 999)], []);
  t.same([...devices.endedBetween(999, 1000)], ['10.0.0.1']);
  t.same([...devices.endedBetween(1000, 3000)], ['2001:db8::1'], 'each once, whatever the steps of the clock');
});
