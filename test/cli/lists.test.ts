import { PassThrough } from 'node:stream';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import t, { type Test } from 'tap';
import type { CliContext } from '../../src/cli/context.ts';
import { diskFault } from '../../src/cli/disk-fault.ts';
import { registerLists } from '../../src/cli/lists.ts';
import { SchoolgateError } from '../../src/kernel/errors.ts';

const MONDAY = Date.parse('2026-11-23T08:00:00Z');
const HOUR = 3_600_000;

const CATEGORIES = `categories:
  - { id: gambling, title: Gambling, description: Betting, uksic: Gambling, locked: false, flag: true }
  - { id: csam, title: Abuse, description: Illegal, uksic: Illegal, locked: true, flag: true }
`;

const CATALOGUE = `lists:
  - { id: bets, category: gambling, format: domains, source: ./bets.txt, enabled: true }
`;

interface Shell {
  readonly lists: string;
  /** What the command printed; rejects with what it threw. */
  run(args: string, at?: { now?: number; isTTY?: boolean }): Promise<string>;
}

function shell(t: Test): Shell {
  const root = t.testdir({
    policies: {},
    blocklists: {
      'categories.yaml': CATEGORIES,
      'catalogue.yaml': CATALOGUE,
      'bets.txt': 'bets.test\nbets.test\ncom\n',
    },
  });
  return {
    lists: join(root, 'blocklists'),
    run: async (args, { now = MONDAY, isTTY = false } = {}) => {
      const stdout = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream & PassThrough;
      const { stdin, stderr } = process;
      const context: CliContext = { env: {}, cwd: root, clock: () => now, stdin, stdout, stderr };
      const program = new Command('schoolgate').exitOverride();
      registerLists(program, context);
      await program.parseAsync(['node', 'schoolgate', 'lists', ...args.split(' ')]);
      return String(stdout.read() ?? '');
    },
  };
}

await t.test('lists build prints a summary, and rejected lines with their place', async (t) => {
  const s = shell(t);
  const text = await s.run('build');
  t.match(text, /^list +category +entries +accepted +duplicates +rejected$/m);
  t.match(text, /^bets +gambling +3 +1 +1 +1$/m);
  t.match(text, /blocklists\/bets\.txt:3: is a public suffix/);
  t.match(text, /^Index: 1 hosts and 0 URLs in \d+ bytes\.$/m);
  t.match(text, /^No illegal-content list is loaded\.$/m);
  t.notMatch(text, '\u001b', 'no control characters where there is no terminal');
});

await t.test('twenty rejected lines of a list, or all of them', async (t) => {
  const s = shell(t);
  writeFileSync(join(s.lists, 'bets.txt'), `bets.test\n${'com\n'.repeat(25)}`);
  const some = await s.run('build');
  t.equal(some.match(/bets\.txt:\d+:/g)?.length, 20);
  t.match(some, /and 5 more of bets; --rejected prints them all/);
  const all = await s.run('build --rejected');
  t.equal(all.match(/bets\.txt:\d+:/g)?.length, 25);
  t.notMatch(all, /more of bets/);
});

await t.test('progress on a terminal is wiped before the summary', async (t) => {
  const s = shell(t);
  writeFileSync(join(s.lists, 'bets.txt'), Array.from({ length: 20_000 }, (_, i) => `b${i}.test\n`).join(''));
  const text = await s.run('build', { isTTY: true });
  t.match(text, 'Reading bets: 20,000 entries\r\u001b[Klist ');
});

await t.test('a list that cannot be used is an error in words, after the summary', async (t) => {
  const s = shell(t);
  await s.run('build');
  rmSync(join(s.lists, 'bets.txt'));
  const refusal: unknown = await s.run('build', { now: MONDAY + 50 * HOUR }).catch((error: unknown) => error);
  t.type(refusal, SchoolgateError);
  t.match(refusal, { code: 'lists_incomplete', message: /List "bets".*last good copy, 2 days old/ });
  await t.rejects(s.run('status'), { code: 'lists_incomplete', message: /List "bets"/ });
});

await t.test('lists status', async (t) => {
  const s = shell(t);
  await t.rejects(s.run('status'), { code: 'no_index' });
  await s.run('build');
  const text = await s.run('status', { now: MONDAY + 5 * HOUR });
  t.match(text, /^bets +gambling +1 +5 hours +ok +local +-$/m);
  t.match(text, /^No illegal-content list is loaded\.$/m);
  t.notMatch(text, /have changed/);
  const catalogue = CATALOGUE.replace(
    'lists:',
    'lists:\n  - { id: illegal, category: csam, format: illegal-urls, source: ./i.txt, enabled: true }',
  );
  writeFileSync(join(s.lists, 'catalogue.yaml'), catalogue);
  writeFileSync(join(s.lists, 'i.txt'), 'listed.test/x\nother.test\n');
  t.match(await s.run('status'), /The lists on disk have changed since\. Run "schoolgate lists build"\./);
  await s.run('build');
  const status = await s.run('status');
  t.notMatch(status, /No illegal-content list/);
  t.match(
    status,
    /^illegal: enforced since .*; page-level entries enforced: plain HTTP only \(1 of 2\); canary not checked yet\.$/m,
  );
});

await t.test('a disk without room is told in a sentence that says what to do', async (t) => {
  const errorOf = (work: () => void): unknown => {
    try {
      return work();
    } catch (error) {
      return error;
    }
  };
  t.match(
    diskFault(errorOf(() => writeFileSync('/dev/full', 'x'))),
    /could not be used \(ENOSPC\): .* make some, and run/,
  );
  const denied = Object.assign(new Error('no'), { code: 'EACCES', syscall: 'open', path: '/data/keys' });
  t.match(diskFault(denied), /^\/data\/keys could not be used \(EACCES\): it is closed to this account/);
  t.equal(
    diskFault(errorOf(() => writeFileSync('/nowhere/x', 'x'))),
    null,
    'a path that is not there is another matter',
  );
  t.equal(diskFault(new TypeError('a fault of ours')), null);
});
