// The policy's way from the files to every worker: applied on save while one person is alone, by two people after that.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { journey } from '../helpers/journey.ts';
import { inherited, Stack } from '../helpers/stack.ts';
import { HEAD, joinBoth, MANAGER, signIn } from '../helpers/staff.ts';
import { until } from '../helpers/until.ts';

/** What the console's API tells of the policy, as far as it is looked at here. */
interface PolicyState {
  readonly published: { readonly serial: number; readonly author: string | null; readonly approver: string | null };
  readonly disk: 'same' | 'different' | 'invalid';
  readonly problems: readonly string[];
  readonly drafts: readonly { readonly id: string; readonly standsForFiles: boolean }[];
}

const { dns, isEverywhere, httpStatus, openTunnel, makeSchool } = await journey(t);
const school = makeSchool();
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());

/** Waits until every worker answers so; gives how long after the publication of this serial that was, ms. */
async function msFromPublication(serial: number, name: string, status: number): Promise<number> {
  await until(`${name} is answered ${status}`, () => isEverywhere(stack, name, status));
  const reached = Date.now();
  const [version] = stack.rows('SELECT published_at FROM policy_versions WHERE serial = ?', serial);
  return reached - Number(version!['published_at']);
}

void t.test('a search engine is looked up at its safe address alone, by every worker and in either way', async (t) => {
  for (const name of ['www.google.co.uk', 'www.youtube.com']) t.ok(await isEverywhere(stack, name, 200), name);
  const asked = new Set(
    dns.asked.map((question) => question.split(' ')[1]!).filter((name) => /google|youtube/.test(name)),
  );
  t.same([...asked].sort(), ['forcesafesearch.google.com', 'restrict.youtube.com']);
  const { stdout } = await stack.run(['check', 'https://www.youtube.com/']);
  t.match(stdout, 'connected to restrict.youtube.com (levels/ks1.yaml#youtube)');
});

void t.test('a command whose reader has seen enough ends without a word', async (t) => {
  const bin = join(import.meta.dirname, '../../bin/schoolgate.mjs');
  const env = { ...inherited(), ...stack.env };
  const child = spawn(process.execPath, [bin, 'policy', 'show', 'ks1'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number];
  t.same({ code, stderr }, { code: 0, stderr: '' });
});

void t.test('while nobody has an account a valid change applies on save, and is on the audit', async (t) => {
  const tunnel = await openTunnel(stack, 'www.first.test');
  school.writeSettings({ never: ['first.test'] });
  const ms = await msFromPublication(2, 'first.test', 403);
  t.ok(ms < 2000, `in force on every worker ${ms} ms after its publication`);
  t.equal((await tunnel.readToEnd(2000)).peer, 'ended', 'an open tunnel that it refuses is cut');
  const acts = stack.rows("SELECT actor, subject FROM audit WHERE action = 'policy.published' ORDER BY seq");
  t.match(acts, [
    { actor: 'file', subject: 'policy:1' },
    { actor: 'file', subject: 'policy:2' },
  ]);
});

void t.test('a file that is not valid changes nothing, and everybody is told where the mistake is', async (t) => {
  const path = join(school.policyDir, 'levels/ks1.yaml');
  const good = readFileSync(path, 'utf8');
  const line = good.split('\n').findIndex((text) => text.startsWith('uncategorised:')) + 1;
  writeFileSync(path, good.replace('uncategorised: allow', 'uncategorised: perhaps'));
  await until('the console has noticed', () => stack.rows("SELECT * FROM alarms WHERE code = 'policy-invalid'")[0]);
  t.equal(await httpStatus(stack, 'first.test'), 403);
  t.equal(await httpStatus(stack, 'open.test'), 200);
  t.equal(await httpStatus(stack, 'casino.test'), 403);
  const { code, stderr } = await stack.run(['policy', 'validate']);
  t.equal(code, 1);
  t.match(stderr, new RegExp(`levels/ks1\\.yaml:${line}\\b`));
  writeFileSync(path, good);
});

void t.test('once two people have accounts a change on disk waits for the second of them', async (t) => {
  await joinBoth(stack);
  const manager = await signIn(stack, MANAGER);
  const head = await signIn(stack, HEAD);
  const state = (): Promise<PolicyState> => manager.call<PolicyState>('GET', '/api/v1/policy');
  await until('the mended file is read', async () => (await state()).disk === 'same');

  school.writeSettings({ never: ['first.test', 'second.test'] });
  const draft = await until('the change is seen', async () => {
    const found = await state();
    return found.disk === 'different' ? found : null;
  });
  t.match(draft, { published: { serial: 2 }, drafts: [{ state: 'open', author: null, standsForFiles: true }] });
  t.ok(await isEverywhere(stack, 'second.test', 200), 'it is not in force');
  const { stdout } = await stack.run(['policy', 'diff']);
  t.match(stdout, 'second.test');

  const place = `/api/v1/policy/drafts/${draft.drafts[0]!.id}`;
  const { hash } = await manager.call<{ hash: string }>('GET', place);
  await manager.call('POST', `${place}/propose`, { hash, reason: 'Asked for by governors' });
  await t.rejects(manager.call('POST', `${place}/approve`, { hash }), /another person must approve/);
  t.ok(await isEverywhere(stack, 'second.test', 200), 'it is still not in force');

  const tunnel = await openTunnel(stack, 'second.test');
  await head.call('POST', `${place}/approve`, { hash });
  const ms = await msFromPublication(3, 'second.test', 403);
  t.ok(ms < 2000, `in force on every worker ${ms} ms after its publication`);
  t.equal((await tunnel.readToEnd(2000)).peer, 'ended');
  t.match(await state(), { published: { serial: 3, author: MANAGER, approver: HEAD }, disk: 'same', drafts: [] });
});

void t.test('a start with files that are not valid keeps the policy published last, and says so', async (t) => {
  await stack.stop();
  writeFileSync(join(school.policyDir, 'school.yaml'), 'name: [');
  await stack.start();
  t.match(stack.stderr, 'The policy files are not valid; the policy published last stays in force.');
  t.match(stack.stdout, /^ {2}Policy: .*school\.yaml:1/m);
  t.ok(await isEverywhere(stack, 'second.test', 403));
  t.ok(await isEverywhere(stack, 'open.test', 200));
});
