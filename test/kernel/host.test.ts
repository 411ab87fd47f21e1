import t from 'tap';
import { canonicalHost } from '../../src/kernel/host.ts';

t.test('every spelling of a host has one canonical form', async (t) => {
  const table: [string, string | null][] = [
    ['Example.COM.', 'example.com'],
    ['%62locked.test', 'blocked.test'],
  ];
  for (const [raw, expected] of table) t.equal(canonicalHost(raw)?.name ?? null, expected, raw);
});
