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
