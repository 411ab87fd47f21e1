// Backup while a school works, the machine lost, and the same school on another one.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { journey } from '../helpers/journey.ts';
import { asStaff, HEAD, joinBoth, MANAGER } from '../helpers/staff.ts';
import { runCommand, inherited, Stack } from '../helpers/stack.ts';

const around = await journey(t);
const school = around.makeSchool('school', { lists: { gambling: ['bets.test'] } });

void t.test('everything comes back but what was done since', async (t) => {
  const stack = await new Stack({ school }).start();
  t.teardown(() => stack.stop());
  await joinBoth(stack);
  const as = (user: string, ...args: string[]) => asStaff(stack, user, args);
  const file = join(around.folder, 'school.age');
  t.match(await as(MANAGER, 'backup', file), { code: 1, stderr: /There is none yet|there is none yet/ });
  t.notOk(existsSync(file));
  t.match(await as(MANAGER, 'backup'), { code: 2, stderr: /FILE to write, or --new-key/ });

  const made = await as(HEAD, 'backup', '--new-key');
  t.match(made, { code: 0, stdout: /^AGE-SECRET-KEY-1[0-9A-Z]{58}\n$/, stderr: /safe/ });
  const secret = made.stdout.trim();
  const kept = readdirSync(stack.layout.root, { recursive: true, encoding: 'utf8' });
  t.notOk(
    kept.some((name) => isHeldBy(join(stack.layout.root, name), secret)),
    'the key lies nowhere',
  );

  const backup = as(MANAGER, 'backup', file);
  const over = new AbortController();
  void backup.finally(() => over.abort());
  const statuses: number[] = [];
  while (!over.signal.aborted) statuses.push(await around.httpStatus(stack, 'bets.test'));
  t.same((await backup).stderr, '');
  t.match(await backup, { code: 0, stdout: /\d+ bytes/ });
  t.ok(
    statuses.every((status) => status === 403),
    'and the filter works meanwhile',
  );
  t.notOk(readFileSync(file).includes('SQLite format'), 'nothing stands in it in clear');
  t.same(
    readdirSync(stack.layout.run).filter((name) => name.startsWith('backup-')),
    [],
    'no copy stays behind',
  );
  const rows = stack.rows('SELECT count(*) AS n FROM audit')[0]!['n'];
  const serial = Number(stack.rows("SELECT serial FROM snapshot_serials WHERE kind = 'policy'")[0]!['serial']);
  await stack.kill();

  const dataDir = join(around.folder, 'other-machine');
  const env = { ...inherited(), ...stack.env, SCHOOLGATE_DATA_DIR: dataDir };
  const restore = (key: string) => runCommand(['restore', file], env, `${key}\n`);
  t.match(await restore('AGE-SECRET-KEY-1'), { code: 1, stderr: /recovery key/i });
  t.notOk(existsSync(dataDir), 'nothing half-restored');
  t.match(await restore(secret), { code: 0, stdout: /audit rows are intact/ });
  t.match(await restore(secret), { code: 1, stderr: /is not empty/ });

  const again = await new Stack({ school, dataDir }).start();
  t.teardown(() => again.stop());
  t.same(again.firstLinks.size, 0, 'both accounts are there');
  t.equal(await around.httpStatus(again, 'bets.test'), 403);
  t.equal(await around.httpStatus(again, 'open.test'), 200);
  t.match(await again.run(['audit', 'verify']), { code: 0, stdout: /intact/ });
  t.ok(Number(again.rows('SELECT count(*) AS n FROM audit')[0]!['n']) > Number(rows) / 2);
  t.match(again.rows("SELECT actor FROM audit WHERE action = 'backup.restored'"), [{ actor: 'console' }]);
  t.match(again.rows("SELECT actor FROM audit WHERE action = 'backup.made'"), [{ actor: MANAGER }]);
  const later = Number(again.rows("SELECT serial FROM snapshot_serials WHERE kind = 'policy'")[0]!['serial']);
  t.ok(later > serial + 999_999, 'gateways take what it publishes');
  const listed = await asStaff(again, HEAD, ['unblock', 'list']);
  t.equal(listed.code, 0, 'passwords and codes are the same');
});

/** Whether a file holds a text; what is no file holds nothing. */
function isHeldBy(path: string, text: string): boolean {
  try {
    return readFileSync(path).includes(text);
  } catch {
    return false;
  }
}
