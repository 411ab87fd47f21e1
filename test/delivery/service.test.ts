import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import t from 'tap';
import { Secret } from '../../src/config/secret.ts';
import type { Mail } from '../../src/delivery/mail.ts';
import { createDelivery, type DeliveryPorts, mustEncrypt } from '../../src/delivery/service.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import { InvalidInputError, SchoolgateError } from '../../src/kernel/errors.ts';

const NOW = Date.UTC(2026, 10, 23, 7);
const clock = (): number => NOW;
const mail: Mail = {
  to: 'network.manager@school.example',
  subject: 'Web activity, week 47 – Café',
  text: 'The report is attached.',
  html: '<p>The report is attached.</p>',
  attachments: [{ filename: 'week.csv', contentType: 'text/csv; charset=utf-8', content: 'a,b\r\n1,2\r\n' }],
};

function delivery(outbox: string, more: Partial<DeliveryPorts> = {}) {
  return createDelivery({
    smtpUrl: null,
    mailFrom: 'filter@school.example',
    outbox,
    clock,
    newId: createIdMaker(clock),
    ...more,
  });
}

/** A real SMTP server on loopback, closed with the test. */
async function smtpServer(t: Tap, options: SMTPServerOptions): Promise<{ port: number; taken: Taken[] }> {
  const taken: Taken[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onAuth: (_auth, _session, done) => done(null, { user: 'filter' }),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        taken.push({ from, to: rcptTo.map(({ address }) => address), source: Buffer.concat(chunks).toString() });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise<void>((resolve) => server.close(resolve)));
  return { port: (server.server.address() as AddressInfo).port, taken };
}

type Tap = Pick<typeof t, 'teardown'>;
interface Taken {
  readonly from: string;
  readonly to: readonly string[];
  readonly source: string;
}

function smtp(port: number, credentials = ''): Pick<DeliveryPorts, 'smtpUrl'> {
  return { smtpUrl: new Secret(`smtp://${credentials}127.0.0.1:${port}`) };
}

await t.test('without a mail server the mail lies whole in the outbox', async (t) => {
  const outbox = join(t.testdir({}), 'outbox');
  const proof = await delivery(outbox).send(mail);
  t.equal(proof.via, 'outbox');
  t.equal(proof.at, '2026-11-23T07:00:00.000Z');
  const names = readdirSync(outbox);
  t.equal(names.length, 1, 'one file, and nothing half-written beside it');
  const source = readFileSync(join(outbox, names[0]!), 'utf8');
  t.match(source, /^From: filter@school\.example\r$/m);
  t.match(source, /^To: network\.manager@school\.example\r$/m);
  t.ok(source.includes(`Message-ID: ${proof.messageId}`), 'the proof names the mail');
  t.match(source, /^Date: Mon, 23 Nov 2026 07:00:00 \+0000\r$/m);
  t.match(source, /filename=week\.csv/);
});

await t.test('a mail server takes it over', async (t) => {
  const { port, taken } = await smtpServer(t, {});
  const proof = await delivery(t.testdir({}), smtp(port)).send(mail);
  t.equal(proof.via, 'smtp');
  t.equal(taken.length, 1);
  t.equal(taken[0]!.from, 'filter@school.example');
  t.same(taken[0]!.to, ['network.manager@school.example']);
  t.ok(taken[0]!.source.includes(proof.messageId));
  t.match(taken[0]!.source, /^Subject: =\?UTF-8\?/m);
});

await t.test('what could become a header of somebody else’s making is refused, all of it at once', async (t) => {
  const { port, taken } = await smtpServer(t, {});
  const outbox = join(t.testdir({}), 'outbox');
  const bad: Record<string, Partial<Mail>> = {
    'a second recipient by a line break': { to: 'a@school.example\r\nBcc: thief@evil.example' },
    'a second recipient by a comma': { to: 'a@school.example,thief@evil.example' },
    'a name around the address': { to: 'Head <a@school.example>' },
    'no address': { to: 'head' },
    'a line break in the subject': { subject: 'Report\nBcc: thief@evil.example' },
    'a Unicode line break in the subject': { subject: 'Report\u2028x' },
    'a NUL in the subject': { subject: 'Report\u0000' },
    'a path as file name': { attachments: [{ filename: '../x', contentType: 'text/csv', content: '' }] },
    'a line break in a content type': { attachments: [{ filename: 'x', contentType: 'a/b\r\nX: y', content: '' }] },
  };
  for (const [name, change] of Object.entries(bad)) {
    for (const via of [delivery(outbox), delivery(outbox, smtp(port))]) {
      await t.rejects(via.send({ ...mail, ...change }), InvalidInputError, name);
    }
  }
  const both = await failure(delivery(outbox).send({ ...mail, to: 'x', subject: 'a\nb' }));
  t.match(both.message, /to: must be.*\n.*subject: must be/);
  t.equal(taken.length, 0);
  t.throws(() => readdirSync(outbox), { code: 'ENOENT' });
});

async function failure(sending: Promise<unknown>): Promise<SchoolgateError> {
  try {
    await sending;
  } catch (error) {
    return error as SchoolgateError;
  }
  throw new Error('it was sent');
}

await t.test('every failure says what to do, and never the password', async (t) => {
  const reject = (code: number, text: string): Error => Object.assign(new Error(text), { responseCode: code });
  const refusing = await smtpServer(t, {
    onRcptTo: (_address, _session, done) => done(reject(550, 'no such user')),
  });
  const noSignIn = await smtpServer(t, {
    authMethods: ['PLAIN'],
    onAuth: (auth, _session, done) => done(reject(535, `bad password ${auth.password ?? ''}`)),
  });
  const full = await smtpServer(t, {
    onData(stream, _session, done) {
      stream.resume();
      stream.on('end', () => done(reject(452, 'disk full')));
    },
  });
  const closed = await smtpServer(t, { onConnect: (_session, done) => done(reject(421, 'go away')) });
  const table: [string, number, RegExp][] = [
    [
      'recipient refused',
      refusing.port,
      /refused the sender or the recipient; check SCHOOLGATE_MAIL_FROM.*\(it answered 550\)/,
    ],
    ['sign-in refused', noSignIn.port, /did not accept the sign-in; check user and password.*\(it answered 535\)/],
    ['refused after the data', full.port, /did not take it; look at its log \(it answered 452\)/],
    ['refused at the door', closed.port, /127\.0\.0\.1:\d+ .*\(it answered 421\)/],
    ['nobody there', await freePort(), /cannot be reached; check host and port/],
  ];
  for (const [name, port, expected] of table) {
    const error = await failure(delivery(t.testdir({}), smtp(port, 'filter:s3cr3t@')).send(mail));
    t.ok(error instanceof SchoolgateError, name);
    t.match(error.message, expected, name);
    t.equal(error.code, 'mail_not_sent', name);
    t.notMatch(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`, /s3cr3t/, name);
  }
  t.equal(refusing.taken.length + noSignIn.taken.length + full.taken.length, 0);
});

await t.test('a password leaves this machine encrypted or not at all', async (t) => {
  const table: Record<string, boolean> = {
    'smtp://filter:secret@mail.school.example': true,
    'smtp://filter:secret@10.0.0.9:587': true,
    'smtp://filter:secret@127.0.0.1.evil.example': true,
    'smtp://mail.school.example': false,
    'smtp://filter:secret@127.0.0.1:2525': false,
    'smtp://filter:secret@[::1]': false,
    'smtp://filter:secret@localhost': false,
  };
  for (const [url, expected] of Object.entries(table)) t.equal(mustEncrypt(new URL(url)), expected, url);
});

await t.test('a server that hangs, or dribbles, is given up after the time-out', async (t) => {
  for (const greet of [silent, dribbling]) {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      greet(socket);
    });
    const port = await listen(server);
    t.teardown(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const begun = Date.now();
    const error = await failure(delivery(t.testdir({}), { ...smtp(port), timeoutMs: 300 }).send(mail));
    t.match(error.message, /did not answer in time/, greet.name);
    t.ok(Date.now() - begun < 5000, 'not the library’s own two minutes');
    for (let tries = 0; sockets.size > 0 && tries < 200; tries++) await new Promise((done) => setTimeout(done, 10));
    t.equal(sockets.size, 0, 'the connection is not left open');
  }
});

function silent(): void {}

function dribbling(socket: Socket): void {
  const timer = setInterval(() => socket.write('220-still thinking\r\n'), 50);
  socket.on('close', () => clearInterval(timer));
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
