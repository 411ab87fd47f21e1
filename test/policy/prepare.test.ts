import * as fc from 'fast-check';
import t from 'tap';
import { isWithin } from '../../src/kernel/host.ts';
import { HostTable } from '../../src/policy/host-table.ts';
import { winningRule, writtenTable } from '../../src/policy/written.ts';

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
      const table = writtenTable({ allow: withRule(allow), block: withRule(block) });
      const winner = winningRule([table], { host, path, addresses: [] });
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
  t.equal(winningRule([], { host: 'a.test', path: null, addresses: [] }), null);
});

await t.test(
  'ranges: below every name, the longest first, any address where they block and all where they allow',
  (t) => {
    const entries = (...hosts: string[]) => hosts.map((host) => ({ host, path: null, rule: host }));
    const table = writtenTable({
      allow: entries('named.test', '203.0.113.0/25', '2001:db8:1::/48', '203.0.113.200'),
      block: entries('203.0.113.0/24', '2001:db8::/32', '198.51.100.0/24', '192.0.2.0/24'),
    });
    const rows: [host: string, addresses: string[], winner: string | null][] = [
      ['a.test', [], null],
      ['a.test', ['203.0.113.130'], '203.0.113.0/24'],
      ['a.test', ['203.0.113.7'], '203.0.113.0/25'],
      ['a.test', ['203.0.113.7', '203.0.113.130'], '203.0.113.0/24'],
      ['a.test', ['203.0.113.7', '9.9.9.9'], '203.0.113.0/24'],
      ['a.test', ['9.9.9.9', '198.51.100.1'], '198.51.100.0/24'],
      ['named.test', ['198.51.100.1'], 'named.test'],
      ['www.named.test', ['2001:db8::1'], 'named.test'],
      ['203.0.113.200', ['203.0.113.200'], '203.0.113.200'],
      ['a.test', ['2001:db8:1::1'], '2001:db8:1::/48'],
      ['a.test', ['2001:db9::1'], null],
    ];
    for (const [host, addresses, expected] of rows) {
      const winner = winningRule([table], { host, path: null, addresses });
      t.equal(winner?.entry.host ?? null, expected, `${host} at ${addresses.join(' and ')}`);
    }
    t.end();
  },
);

function isUnder(path: string, prefix: string): boolean {
  const ends = prefix.includes('?') ? ['&'] : ['/', '?'];
  return path === prefix || ends.some((end) => path.startsWith(prefix + end));
}
