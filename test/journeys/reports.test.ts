// A Monday morning in which everything dies: digest and weekly report are made and mailed while console and mail server are killed and
// started again.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { recordedRuns } from '../../src/jobs/repository.ts';
import { weekOf } from '../../src/reports/week.ts';
import { openRecord } from '../../src/store/database.ts';
import { clockAhead } from '../helpers/clock-ahead.ts';
import { journey } from '../helpers/journey.ts';
import { freePort } from '../helpers/listening.ts';
import { childrenOf, isRunning } from '../helpers/processes.ts';
import { connectThrough } from '../helpers/raw-client.ts';
import { HEAD, MANAGER, joinBoth, joinInvited } from '../helpers/staff.ts';
import { Stack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(600_000);
const MINUTE = 60_000;
const LEADS = ['lead-1', 'lead-2'];
const MANAGERS = [MANAGER, 'manager-2', 'manager-3'];

const { folder, httpStatus, makeSchool } = await journey(t);
const school = makeSchool('school', { lists: { 'self-harm': ['harm.test'], gambling: ['casino.test'] } });
const mail = Object.fromEntries([HEAD, ...MANAGERS, ...LEADS].map((name) => [name, `${name}@school.example`]));
writeFileSync(join(school.policyDir, 'alerts.yaml'), JSON.stringify({ mail }));
// One visit is a danger at once.
const rules = join(school.policyDir, 'safeguarding.yaml');
const DANGER = '{ name: Danger at once, severity: danger, points: ';
writeFileSync(rules, readFileSync(rules, 'utf8').replace(`${DANGER}10`, `${DANGER}4`));
const { env: shifted, setAhead } = clockAhead(folder);
const port = await freePort();
const smtp = { SCHOOLGATE_SMTP_URL: `smtp://127.0.0.1:${port}`, SCHOOLGATE_MAIL_FROM: 'filter@school.example' };
const stack = await new Stack({ school, workers: 1, env: { ...smtp, ...shifted } }).start();
t.teardown(() => stack.stop());

// Of the week in which this test runs, on the Monday after it.
const MONDAY = weekOf(Date.now(), 'Europe/London').until + 7 * 60 * MINUTE;
const at = (minutesPastSeven: number): void => setAhead(MONDAY + minutesPastSeven * MINUTE - Date.now());

const takenFile = join(folder, 'taken');
const heldFile = join(folder, 'held');
writeFileSync(takenFile, '');
let server: ChildProcess | null = null;
t.teardown(() => server?.kill('SIGKILL'));

/** Everything that was taken over, by whichever server stood there. */
function taken(): Taken[] {
  const lines = readFileSync(takenFile, 'utf8').split('\n');
  return lines.flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Taken]));
}

interface Taken {
  readonly to: string;
  readonly messageId: string;
  readonly subject: string;
}

/** In the place of the one before, which is killed. `held`: it never answers mails to them. */
async function killServer(held = ''): Promise<void> {
  if (server !== null) {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
  writeFileSync(heldFile, held);
  const module = join(import.meta.dirname, '..', 'delivery', 'smtp-child.ts');
  server = spawn(process.execPath, [module, String(port), takenFile, heldFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(server.stdout!, 'data');
}

/** What had left for certain when the console was killed, and how often the server had taken it by then. */
const certain = new Map<string, number>();
const copiesOf = (messageId: string): number => taken().filter((one) => one.messageId === messageId).length;

async function killConsole(): Promise<void> {
  const [pid] = stack.pids('console');
  for (const { id } of stack.rows("SELECT id FROM deliveries WHERE state = 'sent'")) {
    const messageId = `<${String(id)}@school.example>`;
    if (!certain.has(messageId)) certain.set(messageId, copiesOf(messageId));
  }
  process.kill(pid!, 'SIGKILL');
  await until('it has gone', () => !isRunning(pid!));
  await until('another one runs', async () => (await stack.health()).console === 'up', 60_000);
}

/** A device of its own each time. */
async function meetDanger(localAddress: string): Promise<void> {
  const { connection, response } = await connectThrough(stack.proxyPort, 'harm.test:443', [], { localAddress });
  await connection.close();
  if (response.status !== 403) throw new Error(`the site was answered ${response.status}`);
}

const mailsOf = (kind: string): { to: string; state: string; messageId: string }[] =>
  stack.rows('SELECT * FROM deliveries WHERE about LIKE ?', `report:${kind}:%`).map((row) => ({
    to: String(row['recipient']),
    state: String(row['state']),
    messageId: `<${String(row['id'])}@school.example>`,
  }));
const isTaken = ({ messageId }: { messageId: string }): boolean => copiesOf(messageId) > 0;

void t.test('a week goes by, and the console stands still until Monday', async (t) => {
  await killServer();
  await joinBoth(stack);
  for (const name of MANAGERS.slice(1)) await joinInvited(stack, HEAD, name, ['network-manager']);
  for (const name of LEADS) await joinInvited(stack, HEAD, name, ['safeguarding-lead']);
  t.equal(await httpStatus(stack, 'casino.test'), 403);
  t.equal(await httpStatus(stack, 'plain.test'), 200);
  await meetDanger('127.0.0.8');
  await stack.stop();
  // As if it had run for a week: a job that never ran has missed nothing.
  const record = openRecord(stack.layout.record);
  const runs = recordedRuns(record);
  runs.set('weekly-report', MONDAY - 7 * 24 * 60 * MINUTE);
  runs.set('daily-digest', MONDAY + 15 * MINUTE - 24 * 60 * MINUTE);
  record.close();
});

void t.test('killed while the week is counted and the digest is at the mail server’s door', async (t) => {
  await killServer('lead-');
  at(5);
  await stack.start();
  const [console] = stack.pids('console');
  // Ten minutes for what gateways have still to send.
  at(16);
  const counting = await until(
    'the week is counted',
    () => childrenOf(console!).find(({ module }) => module === 'count-process.ts'),
    200_000,
  );
  await until('the digest is taken', () => mailsOf('digest').length > 0 && mailsOf('digest').every(isTaken), 30_000);
  t.strictSame(mailsOf('weekly'), [], 'the report is not made yet');
  await killConsole();
  await until('nobody counts for nobody', () => !isRunning(counting.pid), 30_000);
});

void t.test(
  'the mail server is killed while it takes the weekly report, and the console while it sends it',
  async (t) => {
    await killServer('manager');
    await until('the digest has left', () => mailsOf('digest').every(({ state }) => state === 'sent'), 60_000);
    t.strictSame(
      mailsOf('digest')
        .map(({ to }) => to)
        .sort(),
      ['lead-1@school.example', 'lead-2@school.example'],
    );
    at(28);
    await until('the report is taken', () => mailsOf('weekly').length > 0 && mailsOf('weekly').every(isTaken), 200_000);
    await killServer('manager-3');
    await until(
      'all but one have it',
      () => mailsOf('weekly').filter(({ state }) => state === 'sent').length === MANAGERS.length - 1,
      60_000,
    );
    await killConsole();
    await killServer();
  },
);

void t.test('none is lost, and none doubled for a recipient', async (t) => {
  const waiting = () => stack.rows("SELECT id FROM deliveries WHERE channel = 'mail' AND state <> 'sent'");
  await until('nothing waits', () => waiting().length === 0, 90_000);
  t.strictSame(
    mailsOf('weekly')
      .map(({ to }) => to)
      .sort(),
    MANAGERS.map((name) => `${name}@school.example`).sort(),
  );
  const all = taken().length;
  await stack.stop();
  await stack.start();
  await meetDanger('127.0.0.9');
  const news = (): string[] =>
    taken()
      .slice(all)
      .map(({ to, subject }) => `${to} ${subject}`)
      .sort();
  await until('there is something new', () => news().length >= LEADS.length, 30_000);
  t.strictSame(
    news(),
    LEADS.map((name) => `${name}@school.example Schoolgate alert: danger`),
    'nothing is sent again',
  );

  const rows = stack.rows("SELECT id, recipient FROM deliveries WHERE channel = 'mail'");
  // The supervisor has no record: it tells by itself of a console that is dead, as it was.
  const ofRecord = taken().filter(({ subject }) => subject !== 'Schoolgate: alerts may not come');
  const copies = Map.groupBy(ofRecord, ({ messageId }) => messageId);
  t.equal(copies.size, rows.length, 'the server knows every mail of the record, and no other');
  for (const { id, recipient } of rows) {
    const same = copies.get(`<${String(id)}@school.example>`) ?? [];
    t.ok(same.length > 0 && same.every(({ to }) => to === recipient), `${String(recipient)} has its own`);
  }
  const abouts = stack.rows('SELECT about FROM deliveries GROUP BY about, recipient HAVING count(*) > 1');
  t.strictSame(abouts, [], 'one mail of one thing');
  t.ok(certain.size >= LEADS.length + MANAGERS.length - 1);
  for (const [messageId, before] of certain)
    t.equal(copies.get(messageId)!.length, before, `${messageId} is not sent again`);
  const html = readdirSync(stack.layout.reports).filter((name) => name.endsWith('.html'));
  t.equal(html.length, 1);
  const report = readFileSync(join(stack.layout.reports, html[0]!), 'utf8');
  t.match(report, 'casino.test', 'made of the week that had been');
});
