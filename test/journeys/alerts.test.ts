// From a pupil's refused page to a mailbox, through the running product and a real mail server, whatever is killed on the way.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openMailSink, type MailSink, type TakenMail } from '../delivery/sink.ts';
import { journey } from '../helpers/journey.ts';
import { freePort } from '../helpers/listening.ts';
import { connectThrough } from '../helpers/raw-client.ts';
import { HEAD, joinBoth, joinInvited, signIn } from '../helpers/staff.ts';
import { Stack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const LEAD = 'd.lead';

const { makeSchool } = await journey(t);
const school = makeSchool('school', { lists: { 'self-harm': ['harm.test'], gambling: ['casino.test'] } });
const alerts = {
  console: 'https://schoolgate.school.example',
  mail: { [LEAD]: 'lead@school.example', [HEAD]: 'head@school.example' },
  // Whatever time it is.
  heartbeat: { at: '00:00', to: ['safeguarding-lead'] },
};
writeFileSync(join(school.policyDir, 'alerts.yaml'), JSON.stringify(alerts));
// One visit is a danger at once, so that each device makes an alert of its own.
const rules = join(school.policyDir, 'safeguarding.yaml');
const DANGER = '{ name: Danger at once, severity: danger, points: ';
writeFileSync(rules, readFileSync(rules, 'utf8').replace(`${DANGER}10`, `${DANGER}4`));
const port = await freePort();
const env = { SCHOOLGATE_SMTP_URL: `smtp://127.0.0.1:${port}`, SCHOOLGATE_MAIL_FROM: 'filter@school.example' };
const stack = await new Stack({ school, workers: 1, env }).start();
t.teardown(() => stack.stop());

/** Everything that was taken over, by whichever server stood there. */
const taken: TakenMail[] = [];
let server: MailSink | null = null;
t.teardown(() => server?.close());

async function openServer(answerMs = 0): Promise<void> {
  const onData: NonNullable<Parameters<typeof openMailSink>[0]>['onData'] = (stream, session, done) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const source = Buffer.concat(chunks).toString();
      const messageId = /^Message-ID: (<.*>)\r$/im.exec(source)![1]!;
      for (const { address } of session.envelope.rcptTo) taken.push({ to: address, messageId, source });
      setTimeout(done, answerMs);
    });
  };
  server = await openMailSink({ onData }, port);
}

async function closeServer(): Promise<void> {
  await server?.close();
  server = null;
}

const subjectOf = ({ source }: TakenMail): string => /^Subject: (.*)\r$/m.exec(source)![1]!;
const mailsAbout = (subject: RegExp): TakenMail[] => taken.filter((mail) => subject.test(subjectOf(mail)));
const alertIds = (): string[] => stack.rows('SELECT id FROM alerts ORDER BY id').map(({ id }) => String(id));
const killConsole = (): void => void process.kill(stack.pids('console')[0]!, 'SIGKILL');
const consoleIsUp = async (): Promise<boolean> => (await stack.health()).console === 'up';

/** Ids of alerts of which the lead has a mail. */
const heardOf = (): string[] => [
  ...new Set(
    mailsAbout(/^Schoolgate alert/).flatMap(
      ({ source }) => /\/alerts\/([0-9A-Z]{26})/.exec(source.replaceAll('=\r\n', ''))?.[1] ?? [],
    ),
  ),
];

/** A device of its own each time. */
async function meetDanger(): Promise<void> {
  const localAddress = `127.0.0.${++devices}`;
  const { connection, response } = await connectThrough(stack.proxyPort, 'harm.test:443', [], { localAddress });
  await connection.close();
  if (response.status !== 403) throw new Error(`the site was answered ${response.status}`);
}
let devices = 10;

void t.test('a danger reaches the mailbox of the safeguarding lead, and nobody else’s', async (t) => {
  await openServer();
  await joinBoth(stack);
  await joinInvited(stack, HEAD, LEAD, ['safeguarding-lead']);
  await meetDanger();
  await until('the mail is there', () => mailsAbout(/^Schoolgate alert: danger$/).length > 0);
  const [mail] = mailsAbout(/^Schoolgate alert: danger$/);
  t.equal(mail!.to, 'lead@school.example');
  t.match(mail!.source, /^From: filter@school\.example\r$/m);
  t.match(mail!.source, /https:\/\/schoolgate\.school\.example\/alerts\//);
  t.notMatch(mail!.source, /harm\.test|127\.0\.0\.1/, 'mail names neither site nor device');
  t.notOk(taken.some(({ to }) => to !== 'lead@school.example'));
});

void t.test('the lead takes notice by what the mail leads to', async (t) => {
  const id = /\/alerts\/([0-9A-Z]{26})/.exec(mailsAbout(/danger$/)[0]!.source)![1]!;
  const lead = await signIn(stack, LEAD);
  await lead.call('POST', `/api/v1/alerts/${id}/notice`, {});
  const { alerts: shown } = await lead.call<{ alerts: { id: string; noticed: object | null; told: object[] }[] }>(
    'GET',
    '/api/v1/alerts',
  );
  const alert = shown.find((one) => one.id === id)!;
  t.match(alert, { noticed: { by: `Person ${LEAD}` }, told: [{ name: `Person ${LEAD}`, state: 'sent' }] });
});

void t.test('mail server away, console killed and started again: the mail arrives, once', async (t) => {
  await closeServer();
  const before = alertIds().length;
  await meetDanger();
  await until('it happened again', () => alertIds().length > before);
  killConsole();
  await until('the console is back', consoleIsUp, 30_000);
  await openServer();
  await until('every alert is heard of', () => heardOf().length === alertIds().length, 60_000);
  t.strictSame(heardOf().sort(), alertIds());
  t.equal(mailsAbout(/^Schoolgate alert/).length, alertIds().length, 'each once');
});

void t.test('console killed while the mail server is about to say yes: the same mail, never another', async (t) => {
  await closeServer();
  await openServer(1_000);
  const before = taken.length;
  await meetDanger();
  await until('the server has it', () => taken.length > before);
  killConsole();
  await until('the console is back', consoleIsUp, 30_000);
  const sent = (): unknown[] => stack.rows("SELECT id FROM deliveries WHERE state <> 'sent'");
  await until('nothing waits', () => sent().length === 0, 60_000);
  t.strictSame(heardOf().sort(), alertIds());
  const copies = Map.groupBy(mailsAbout(/^Schoolgate alert/), ({ messageId }) => messageId);
  t.equal(copies.size, alertIds().length, 'one mail for each alert, by its Message-ID');
  t.ok([...copies.values()].every((same) => same.length <= 2));
});

void t.test('everything stopped and started: nothing is sent again, the sign of life neither', async (t) => {
  await until('the sign of life is there', () => mailsAbout(/^Schoolgate is watching/).length > 0, 30_000);
  const [before, alerts] = [taken.length, alertIds().length];
  await stack.stop();
  await stack.start();
  await meetDanger();
  await until('it is an alert', () => alertIds().length > alerts, 30_000);
  await until('it is heard of', () => heardOf().length === alertIds().length, 30_000);
  t.equal(taken.length, before + 1, 'the new one alone');
  t.equal(mailsAbout(/^Schoolgate is watching/).length, 1, 'once a day');
});

void t.test('the console hangs: the supervisor tells by itself', async (t) => {
  const trouble = (): TakenMail[] => mailsAbout(/^Schoolgate: alerts may not come/);
  const before = trouble().length;
  const [pid] = stack.pids('console');
  process.kill(pid!, 'SIGSTOP');
  try {
    await until('the mail is there', () => trouble().length > before, 90_000);
    t.equal((await stack.health()).console, 'down');
  } finally {
    process.kill(pid!, 'SIGCONT');
  }
  await until('the console is up', consoleIsUp);
  await until(
    'it is an alarm as well',
    () => stack.rows("SELECT * FROM alarms WHERE code = 'console-down'").length > 0,
  );
  t.equal(trouble().at(-1)!.to, 'lead@school.example');
  t.equal(trouble().length, before + 1, 'once');
});
