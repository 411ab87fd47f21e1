import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import t from 'tap';
import { readManifest } from '../../src/categories/current-index.ts';
import { registerAudit } from '../../src/cli/audit.ts';
import type { CliContext } from '../../src/cli/context.ts';
import { registerUnblock } from '../../src/cli/unblock.ts';
import { type RunningConsole, runConsole } from '../../src/compose/console.ts';
import { type DataLayout, dataLayout } from '../../src/config/data-layout.ts';
import { type Environment, readEnvironment } from '../../src/config/environment.ts';
import type { SignedSnapshot } from '../../src/events/bus.ts';
import { openSpool } from '../../src/events/file-spool.ts';
import { loadPublicKey, verifySnapshot } from '../../src/events/signing.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import type { LiveSnapshot, PolicySnapshot } from '../../src/policy/snapshot.ts';
import { openRecord, openRecordReadOnly } from '../../src/store/database.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { eventually } from '../helpers/listening.ts';
import { join as joinBy, nextCode, STAFF_PASSWORD } from '../helpers/staff.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROCESS = new URL('../../src/compose/console-process.ts', import.meta.url);

/** A data folder beside copies of the shipped policies and lists. */
class Site {
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly environment: Environment;
  readonly layout: DataLayout;

  constructor() {
    this.folder = tempFolder(t);
    for (const name of ['policies', 'blocklists'])
      cpSync(join(ROOT, name), join(this.folder, name), { recursive: true });
    this.env = {
      SCHOOLGATE_DATA_DIR: join(this.folder, 'data'),
      SCHOOLGATE_POLICY_DIR: join(this.folder, 'policies'),
      SCHOOLGATE_LISTS_DIR: join(this.folder, 'blocklists'),
      SCHOOLGATE_CONSOLE_PORT: '0',
    };
    this.environment = readEnvironment(this.env, this.folder);
    this.layout = dataLayout(this.environment.dataDir);
  }

  start(change: Partial<Environment> = {}): Promise<RunningConsole> {
    const log = createLogger('console', 'silent');
    return runConsole({ ...this.environment, ...change }, { clock: systemClock, log });
  }

  /** What lies on the bus for gateways; throws if the console did not sign it. */
  published(kind: 'policy'): { readonly serial: number; readonly body: PolicySnapshot };
  published(kind: 'live'): { readonly serial: number; readonly body: LiveSnapshot };
  published(kind: 'policy' | 'live'): { readonly serial: number; readonly body: unknown } {
    const snapshot = JSON.parse(readFileSync(join(this.layout.busDown, `${kind}.json`), 'utf8')) as SignedSnapshot;
    if (!verifySnapshot(loadPublicKey(this.layout), snapshot)) throw new Error('the signature is not right');
    return { serial: snapshot.serial, body: JSON.parse(snapshot.body) };
  }

  number(sql: string): number {
    const record = openRecordReadOnly(this.layout.record);
    try {
      return Number(record.read((tx) => tx.get(sql))!['n']);
    } finally {
      record.close();
    }
  }

  /** A command, with `typed` as its standard input; gives what it printed. */
  async command(args: readonly string[], typed = ''): Promise<string> {
    const printed: string[] = [];
    const out = new PassThrough().on('data', (chunk: Buffer) => printed.push(chunk.toString()));
    const stdin = new PassThrough();
    stdin.end(typed);
    const context = { env: this.env, cwd: this.folder, clock: systemClock, stdin, stdout: out, stderr: out };
    const program = new Command('schoolgate').exitOverride();
    for (const register of [registerUnblock, registerAudit]) register(program, context as unknown as CliContext);
    await program.parseAsync(['node', 'schoolgate', ...args]);
    return printed.join('');
  }
}

async function joinAs(running: RunningConsole, role: string, userName: string): Promise<void> {
  await joinBy(running.firstLinks.find((link) => link.role === role)!.url, userName);
}

/** What somebody types who is asked for their password and code. */
async function typed(running: RunningConsole, userName: string): Promise<string> {
  return `${STAFF_PASSWORD}\n${await nextCode({ consolePort: running.port }, userName)}\n`;
}

void t.test('a first start: what is made, what goes out, and that it ends whole', async (t) => {
  const site = new Site();
  const running = await site.start();
  t.strictSame(
    running.firstLinks.map(({ role }) => role),
    ['headteacher', 'network-manager'],
  );
  t.match(running, { url: `http://127.0.0.1:${running.port}`, problems: [] });
  await eventually(
    'both snapshots are out',
    () => site.published('live').serial === 1 && site.published('policy').serial === 1,
  );
  t.match(site.published('policy').body, { strictestLevel: 'ks1' });
  t.strictSame(site.published('live').body, { grants: [], sessions: [], suspensions: [], renewals: [], lessons: [] });
  for (const path of [site.layout.record, site.layout.auditKey, site.layout.signingKey, site.layout.consoleSocket]) {
    t.equal(statSync(path).mode & 0o077, 0, `${path} is ours alone`);
  }
  t.equal((await fetch(`${running.url}/health`)).status, 200);
  await t.rejects(site.start(), { code: 'already_running' }, 'a second console on the same folder');
  await running.stop();
  await t.rejects(fetch(`${running.url}/health`), 'the door is closed');
  t.match(await site.command(['audit', 'verify']), /^The record is intact: 5 rows/);
  t.match(await site.command(['audit', 'show', '--limit', '1']), /Console stopped/);
});

void t.test('a port that is taken is one clear sentence, and nothing stays open', async (t) => {
  const site = new Site();
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  await t.rejects(site.start({ consolePort: port }), { code: 'console_port', message: /SCHOOLGATE_CONSOLE_PORT/ });
  const running = await site.start();
  await running.stop();
});

void t.test('an unblock from two terminals', async (t) => {
  const site = new Site();
  const asking = [
    'unblock',
    'request',
    '--user',
    'n.manager',
    '--topic',
    'Tudors',
    '--reason',
    'Year 5',
    '--level',
    'ks2',
  ];
  const site1 = ['--site', 'www.bet365.com', '--for', '1h'];
  await t.rejects(site.command([...asking, ...site1], `${STAFF_PASSWORD}\n`), { code: 'console_stopped' });
  const running = await site.start();
  t.teardown(() => running.stop());
  await joinAs(running, 'headteacher', 'h.teacher');
  await joinAs(running, 'network-manager', 'n.manager');
  await eventually('the lists are loaded', () => readManifest(site.layout) !== null, 60_000);

  await t.rejects(site.command([...asking, ...site1], 'wrong password\n'), { code: 'sign_in_refused' });
  await t.rejects(site.command([...asking, ...site1], ''), { code: 'cancelled' });
  await t.rejects(site.command([...asking, ...site1], STAFF_PASSWORD), { code: 'cancelled' }, 'no code');
  const asks = async (...more: string[]): Promise<string> =>
    site.command([...asking, ...more], await typed(running, 'n.manager'));
  await t.rejects(asks('--site', 'x.example'), { message: /--until or --for/ });
  await t.rejects(asks('--site', 'co.uk', '--for', '1h'), { code: 'invalid_fields' });
  const [, id] = /^Asked for: (\w{26})\./.exec(await asks(...site1))!;

  const decide = async (move: string, user: string): Promise<string> =>
    site.command(['unblock', move, id!, '--user', user, '--note', 'from a terminal'], await typed(running, user));
  await t.rejects(decide('approve', 'n.manager'), { code: 'unblock_own' });
  t.equal(await decide('approve', 'h.teacher'), `${id} is active.\n`);
  await eventually('it is on the bus', () => site.published('live').body.grants.length === 1, 2000);
  t.match(site.published('live').body.grants[0], { id, hosts: ['www.bet365.com'], levels: ['ks2'] });
  t.match(
    await site.command(['unblock', 'list', '--user', 'h.teacher'], (await typed(running, 'h.teacher')).trimEnd()),
    /Tudors: www\.bet365\.com\n {2}for ks2, /,
  );
  t.equal(await decide('revoke', 'n.manager'), `${id} is revoked.\n`);
  await eventually('and off it again', () => site.published('live').body.grants.length === 0, 2000);
  t.equal(site.number('SELECT count(*) AS n FROM sessions'), 0, 'every command signs out');
  t.match(await site.command(['audit', 'verify']), /intact/);
});

void t.test('a policy file that changes: applied while one person looks after it, a draft for two', async (t) => {
  const site = new Site();
  const running = await site.start();
  t.teardown(() => running.stop());
  const school = join(site.environment.policyDir, 'school.yaml');
  const rename = (name: string): void =>
    writeFileSync(school, readFileSync(school, 'utf8').replace(/^name:.*$/m, `name: ${name}`));
  rename('Second School');
  await eventually('it is published', () => site.published('policy').body.school === 'Second School');
  writeFileSync(school, `${readFileSync(school, 'utf8')}\nnonsense: true\n`);
  await eventually('the alarm is on record', () => site.number('SELECT count(*) AS n FROM alarms') === 1);
  t.equal(site.published('policy').body.school, 'Second School');
  writeFileSync(school, readFileSync(school, 'utf8').replace(/^nonsense.*$/m, ''));
  await joinAs(running, 'headteacher', 'h.teacher');
  await joinAs(running, 'network-manager', 'n.manager');
  rename('Third School');
  running.reload();
  await eventually('the difference is on record', () => site.number('SELECT count(*) AS n FROM alarms') === 2);
  t.equal(site.published('policy').body.school, 'Second School');
});

void t.test('a record that somebody tampered with', async (t) => {
  const site = new Site();
  await (await site.start()).stop();
  const record = openRecord(site.layout.record);
  record.write((tx) => {
    tx.run('DROP TRIGGER audit_is_append_only_update');
    tx.run(`UPDATE audit SET actor = 'somebody else' WHERE seq = 2`);
  });
  record.close();
  await t.rejects(site.command(['audit', 'verify']), { code: 'audit_broken', message: /row 2/ });
});

void t.test('kill -9 of the console while events come: each has its effect once', { timeout: 60_000 }, async (t) => {
  const site = new Site();
  await (await site.start()).stop();
  const ids = createIdMaker(systemClock);
  const spool = openSpool({
    layout: site.layout,
    gateway: 'gw-00000001',
    worker: 1,
    clock: systemClock,
    ids,
    onAlarm: () => {},
  });
  let written = 0;
  const write = async (): Promise<void> => {
    const at = new Date(systemClock()).toISOString();
    const data = { gateway: 'gw-00000001', code: 'snapshot-refused', text: `number ${written}` } as const;
    await spool.event({ id: ids(), type: 'alarm', v: 1, at, data });
    written++;
  };
  const effects = (): number => site.number('SELECT count(*) AS n FROM alarms');
  for (let kill = 1; kill <= 2; kill++) {
    const child = startProcess(site);
    t.teardown(() => void child.kill('SIGKILL'));
    for (let i = 0; i < 60; i++) await write();
    const seen = effects();
    await eventually(
      'it has taken some',
      async () => {
        await write();
        return effects() > seen + 20;
      },
      20_000,
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await spool.close();
  const running = await site.start();
  t.teardown(() => running.stop());
  await eventually('all are taken', () => effects() >= written, 20_000);
  t.equal(effects(), written);
  t.equal(site.number('SELECT count(DISTINCT text) AS n FROM alarms'), written, 'and none twice');
});

function startProcess(site: Site): ChildProcess {
  const env = { ...process.env, ...site.env, NODE_OPTIONS: '' };
  const child = fork(PROCESS, { cwd: site.folder, env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] });
  child.send({ type: 'orders', orders: {} });
  return child;
}
