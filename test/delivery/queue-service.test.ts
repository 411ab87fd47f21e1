import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { Secret } from '../../src/config/secret.ts';
import { nextTry, type Outgoing, type OutgoingMail, type QueuedDelivery } from '../../src/delivery/outgoing.ts';
import { createDeliveryQueue, type DeliveryQueue } from '../../src/delivery/queue-service.ts';
import { createPeopleMail } from '../../src/delivery/people-mail-service.ts';
import { createDelivery } from '../../src/delivery/service.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import { openRecord, type RecordDatabase } from '../../src/store/database.ts';
import { freePort, listen } from '../helpers/listening.ts';
import { until } from '../helpers/until.ts';
import { openMailSink, type TakenMail } from './sink.ts';

interface Rig {
  readonly record: RecordDatabase;
  readonly queue: DeliveryQueue;
  readonly failures: [recipient: string, text: string][];
  readonly add: (...recipients: string[]) => void;
  readonly states: () => Record<string, string>;
}

type Tap = Pick<typeof t, 'teardown' | 'testdir'>;

/** A queue that sends to a port, with a clock that runs `ahead.ms` before the machine's. */
function rig(t: Tap, port: number, ahead = { ms: 0 }, timeoutMs = 2_000): Rig {
  const record = openRecord(':memory:');
  const clock = (): number => systemClock() + ahead.ms;
  const newId = createIdMaker(clock);
  const ports = { mailFrom: 'filter@school.example', outbox: t.testdir({}), clock, newId, timeoutMs };
  const send = (smtpUrl: Secret | null) => (one: QueuedDelivery) =>
    createDelivery({ ...ports, smtpUrl }).send({ to: one.recipient, ...(one.content as OutgoingMail) }, one.id);
  const failures: Rig['failures'] = [];
  const queue = createDeliveryQueue({
    record,
    clock,
    newId,
    senders: {
      mail: send(new Secret(`smtp://127.0.0.1:${port}`)),
      outbox: send(null),
      webhook: () => Promise.reject(new Error('no webhooks here')),
    },
    onFailure: ({ recipient }, error) => failures.push([recipient, (error as Error).message]),
  });
  t.teardown(async () => {
    await queue.close();
    record.close();
  });
  const add = (...recipients: string[]): void =>
    record.write((tx) => recipients.forEach((one) => queue.add(tx, mail(`${one}@school.example`))));
  const states = (): Record<string, string> =>
    Object.fromEntries(
      record.read((tx) => queue.about(tx, 'alert:x')).map((one) => [one.recipient.split('@')[0], one.state]),
    );
  return { record, queue, failures, add, states };
}

function mail(recipient: string): Outgoing {
  return { channel: 'mail', recipient, about: 'alert:x', content: { subject: 'Alert', text: 'Sign in.' } };
}

void t.test('what is added with a change leaves after it, once for each recipient', async (t) => {
  const sink = await openMailSink();
  t.teardown(() => sink.close());
  const { queue, record, add, states } = rig(t, sink.port);
  queue.start();
  t.throws(() =>
    record.write((tx) => {
      queue.add(tx, mail('undone@school.example'));
      throw new Error('the change was refused');
    }),
  );
  add('lead', 'head');
  add('lead');
  await until(
    'all are sent',
    () => sink.taken.length >= 2 && Object.values(states()).every((state) => state === 'sent'),
  );
  t.strictSame(sink.taken.map(({ to }) => to).sort(), ['head@school.example', 'lead@school.example']);
  t.equal(new Set(sink.taken.map(({ messageId }) => messageId)).size, 2);
});

void t.test('a recipient that is refused holds up nobody, and is tried again under the same id', async (t) => {
  const refused: string[] = [];
  let isOpen = false;
  const sink = await openMailSink({
    onRcptTo({ address }, _session, done) {
      if (isOpen || !address.startsWith('full')) return done();
      refused.push(address);
      done(Object.assign(new Error('mailbox full'), { responseCode: 552 }));
    },
  });
  t.teardown(() => sink.close());
  const ahead = { ms: 0 };
  const { queue, add, states, record, failures } = rig(t, sink.port, ahead);
  queue.start();
  add('full', 'lead');
  await until(
    'the other one is sent',
    () => states()['lead'] === 'sent' && states()['full'] === 'waiting' && failures.length === 1,
  );
  t.match(failures[0]![1], /refused the sender or the recipient/);
  const first = record.read((tx) => queue.about(tx, 'alert:x')).find(({ state }) => state === 'waiting');
  t.match(first, { tries: 1, problem: /refused/ });
  isOpen = true;
  ahead.ms = 60_000;
  add('head');
  await until('the refused one is sent', () => states()['full'] === 'sent');
  t.equal(refused.length, 1);
  t.equal(sink.taken.filter(({ to }) => to.startsWith('full')).length, 1);
  t.ok(
    sink.taken.some(({ messageId }) => messageId.includes(first!.id)),
    'the id that it had from the start',
  );
});

void t.test('a mail server that hangs holds up neither the process nor the files of the outbox', async (t) => {
  const sockets = new Set<import('node:net').Socket>();
  const silent = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => {
    sockets.forEach((socket) => socket.destroy());
    silent.close();
  });
  const { record, queue, add, failures, states } = rig(t, (silent.address() as AddressInfo).port, { ms: 0 }, 500);
  queue.start();
  const recipients = Array.from({ length: 8 }, (_, n) => `person${n}`);
  add(...recipients);
  await until('all of them wait for the server', () => sockets.size === 8);
  record.write((tx) => queue.add(tx, { ...mail('head@schoolgate.invalid'), channel: 'outbox' }));
  await until('the file is written', () => states()['head'] === 'sent');
  t.equal(failures.length, 0, 'while the mails still wait');
  await until('the server was given up', () => failures.length === 8);
  t.match(failures[0]![1], /did not answer in time/);
  t.equal(states()['person0'], 'waiting');
});

void t.test('killed in the middle and started again: none lost, none doubled for a recipient', async (t) => {
  const path = join(t.testdir({}), 'record.sqlite');
  let mails = 0;
  let onTaken = (): void => {};
  const options = {
    onRcptTo(_address: unknown, _session: unknown, done: () => void) {
      mails++;
      onTaken();
      setTimeout(done, 5);
    },
  };
  const first = await openMailSink(options);
  t.teardown(() => first.close());
  const MAILS = 60;
  const run = (add: number) =>
    spawn(process.execPath, [join(import.meta.dirname, 'queue-child.ts'), path, String(first.port), String(add)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  for (let kills = 0; kills < 3; kills++) {
    const child = run(kills === 0 ? MAILS : 0);
    const at = mails + 12;
    onTaken = () => mails >= at && child.kill('SIGKILL');
    await once(child, 'exit');
  }
  onTaken = () => {};
  const last = run(0);
  t.teardown(() => last.kill('SIGKILL'));
  const recipients = (): Set<string> => new Set(first.taken.map(({ to }) => to));
  await until('all have arrived', () => recipients().size === MAILS, 30_000);
  // A mail that the server had taken over when we were killed before we could note it comes again, as the same mail.
  const messages = new Map<string, Set<string>>();
  for (const { to, messageId } of first.taken) messages.set(to, (messages.get(to) ?? new Set()).add(messageId));
  t.equal(messages.size, MAILS, 'none is lost');
  t.ok(
    [...messages.values()].every((ids) => ids.size === 1),
    'no recipient has two different mails',
  );
  t.ok(first.taken.length - MAILS <= 3 * 8, 'and only what was under way at a kill was sent again');
});

void t.test('a mail server that dies half-way through a mail is sent it again, once', async (t) => {
  let deaths = 0;
  const sink = await openMailSink();
  const dying = createServer((client) => {
    const server = connect(sink.port, '127.0.0.1');
    client.on('error', () => server.destroy()).on('close', () => server.destroy());
    server.on('error', () => client.destroy()).on('close', () => client.destroy());
    server.pipe(client);
    client.on('data', (chunk: Buffer) => {
      // In the middle of what the first two mails say.
      if (deaths >= 2 || !chunk.includes('Sign in')) server.write(chunk);
      else {
        deaths++;
        server.write(chunk.subarray(0, chunk.length / 2), () => client.resetAndDestroy());
      }
    });
  });
  const place = await listen(dying);
  t.teardown(() => Promise.all([place.close(), sink.close()]));
  const ahead = { ms: 0 };
  const { queue, add, states, failures } = rig(t, place.port, ahead);
  queue.start();
  add('lead', 'head');
  await until('both have failed', () => failures.length === 2);
  t.strictSame(states(), { lead: 'waiting', head: 'waiting' });
  t.strictSame(sink.taken, [], 'half a mail is none');
  ahead.ms = 60_000;
  add('chair');
  await until('all are sent', () => Object.values(states()).every((state) => state === 'sent'));
  t.strictSame(sink.taken.map(({ to }) => to.split('@')[0]!).sort(), ['chair', 'head', 'lead']);
});

void t.test('a mail server that is killed again and again: none lost, none doubled for a recipient', async (t) => {
  const taken = (): TakenMail[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => (line === '' ? [] : (JSON.parse(line) as TakenMail)));
  const port = await freePort();
  const start = async () => {
    const argv = [join(import.meta.dirname, 'smtp-child.ts'), String(port), file];
    const server = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => server.kill('SIGKILL'));
    await once(server.stdout, 'data');
    return server;
  };
  const MAILS = 120;
  const ahead = { ms: 0 };
  const { queue, add, states } = rig(t, port, ahead);
  const file = join(t.testdirName, 'taken');
  writeFileSync(file, '');
  /** What failed is due, and the queue woken by something new. */
  const lookAgain = (): void => {
    ahead.ms += 60_000;
    add('one-more');
  };
  let server = await start();
  queue.start();
  add(...Array.from({ length: MAILS }, (_, n) => `person${n}`));
  for (let kills = 1; kills <= 3; kills++) {
    await until('it has taken some', () => taken().length >= kills * 20);
    server.kill('SIGKILL');
    await once(server, 'exit');
    server = await start();
    lookAgain();
  }
  await until(
    'all are sent',
    () => {
      lookAgain();
      return Object.values(states()).every((state) => state === 'sent');
    },
    30_000,
  );
  const messages = Map.groupBy(taken(), ({ to }) => to);
  t.equal(messages.size, MAILS + 1, 'none is lost');
  const isOne = (copies: readonly TakenMail[]): boolean => new Set(copies.map((one) => one.messageId)).size === 1;
  t.ok([...messages.values()].every(isOne), 'no recipient has two different mails');
  t.ok(taken().length - messages.size <= 3 * 8, 'and only what it had taken without saying so came again');
});

void t.test('a person is written to where the school reaches them, once, or by a file in the outbox', async (t) => {
  const { record, queue, states } = rig(t, 1);
  const book: Record<string, string> = { 'j.lead': 'lead@school.example' };
  const mail = createPeopleMail({
    deliveries: queue,
    mailboxOf: (userName) => book[userName] ?? null,
    consoleUrl: () => 'https://schoolgate.school.example',
  });
  const tell = (userName: string): string =>
    record.write((tx) => mail.queue(tx, { userName }, 'alert:x', { subject: 'Alert', text: mail.link('/alerts')! }));
  t.equal(tell('j.lead'), tell('j.lead'), 'the one that stands already');
  tell('../Ann Other');
  t.strictSame(states(), { lead: 'waiting', '.._Ann_Other': 'waiting' });
  const [first, second] = record.read((tx) => queue.about(tx, 'alert:x'));
  t.match(first, { channel: 'mail', content: { text: 'https://schoolgate.school.example/alerts' } });
  t.match(second, { channel: 'outbox', recipient: '.._Ann_Other@schoolgate.invalid' });
});

void t.test('what must not be sent is given up at once', async (t) => {
  const sink = await openMailSink();
  t.teardown(() => sink.close());
  const { record, queue, failures, states } = rig(t, sink.port);
  queue.start();
  const content = { subject: 'Alert\r\nBcc: everybody@elsewhere.example', text: 'Sign in.' };
  record.write((tx) => queue.add(tx, { ...mail('lead@school.example'), content }));
  await until('it is given up', () => states()['lead'] === 'failed');
  t.match(failures, [['lead@school.example', /must be one line/]]);
  t.strictSame(sink.taken, []);
});

void t.test('pauses grow, and after three days it is given up', async (t) => {
  const day = 86_400_000;
  t.equal(nextTry(0, 1, 1000), 6_000);
  t.equal(nextTry(0, 2, 1000), 11_000);
  t.equal(nextTry(0, 30, 1000), 3_601_000);
  t.equal(nextTry(0, 30, 3 * day), null);
});
