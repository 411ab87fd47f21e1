import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import t from 'tap';
import type { FrontDeskOptions } from '../../src/frontdesk/app.ts';
import { createWarningTickets, type GivenWarning } from '../../src/gateway/warning-ticket.ts';
import type { Pass } from '../../src/policy/passes.ts';
import { makeDesk, NOW, refused } from './desk.ts';

const CLIENT = '10.1.2.3';
const WARNING: GivenWarning = {
  client: CLIENT,
  user: 'ann',
  host: 'www.chat.test',
  category: 'games',
  url: 'http://www.chat.test:8080/a?b=<c>&d',
  at: NOW - 60_000,
};
const tickets = createWarningTickets(Buffer.alloc(32, 9), () => NOW);

interface Rig {
  readonly app: FastifyInstance;
  readonly passes: Pass[];
  readonly post: (
    fields: Record<string, string>,
    headers?: Record<string, string>,
    from?: string,
  ) => Promise<LightMyRequestResponse>;
}

async function rig(change: Partial<FrontDeskOptions> = {}): Promise<Rig> {
  const passes: Pass[] = [];
  const put = async (pass: Pass): Promise<void> => void passes.push(pass);
  const app = await makeDesk([], { passes: { put }, ...change });
  t.teardown(() => app.close());
  const headers = { 'content-type': 'application/x-www-form-urlencoded', host: 'schoolgate.internal' };
  return {
    app,
    passes,
    post: (fields, more = {}, remoteAddress = CLIENT) =>
      app.inject({
        method: 'POST',
        url: '/warning',
        headers: { ...headers, ...more },
        remoteAddress,
        payload: new URLSearchParams(fields).toString(),
      }),
  };
}

void t.test('the button of a warning puts a pass in force and leads back to the very page', async (t) => {
  const { post, passes } = await rig();
  const answer = await post({ ticket: tickets.make(WARNING) }, { origin: 'http://www.chat.test:8080' });
  t.equal(answer.statusCode, 303);
  t.equal(answer.headers.location, WARNING.url);
  t.equal(answer.headers['cache-control'], 'no-store');
  const until = NOW + 15 * 60_000;
  t.strictSame(passes, [{ site: 'chat.test', category: 'games', user: 'ann', client: CLIENT, until }]);
});

void t.test('at the end of the school’s day a pass is shorter', async (t) => {
  const clock = (): number => Date.parse('2026-11-23T17:55:00Z');
  const late = createWarningTickets(Buffer.alloc(32, 9), clock);
  const { post, passes } = await rig({ clock, warnings: late });
  await post({ ticket: late.make({ ...WARNING, at: clock() }) });
  t.equal(passes[0]?.until, Date.parse('2026-11-23T18:00:00Z'));
});

void t.test('from “why was I blocked?” it says where to go on and until when', async (t) => {
  const { post, passes } = await rig();
  const answer = await post(
    { ticket: tickets.make({ ...WARNING, host: 'chat.test', url: 'https://chat.test/' }), from: 'why' },
    { origin: 'http://schoolgate.internal' },
  );
  t.equal(answer.statusCode, 200);
  t.match(answer.body, 'chat.test is open for you until 10:15.');
  t.match(answer.body, '<a href="https://chat.test/">');
  t.equal(passes.length, 1);
});

void t.test('nothing opens without a ticket of this device, not too old, from the page it was on', async (t) => {
  const { post, passes } = await rig();
  const good = tickets.make(WARNING);
  const table: [string, Record<string, string>, Record<string, string>, string][] = [
    ['no ticket', {}, {}, CLIENT],
    ['a made-up one', { ticket: 'abc.def' }, {}, CLIENT],
    ['another device', { ticket: good }, {}, '10.1.2.4'],
    ['a field that says otherwise', { ticket: good }, { 'schoolgate-client': CLIENT }, '10.1.2.4'],
    ['more than an hour old', { ticket: tickets.make({ ...WARNING, at: NOW - 3_600_000 }) }, {}, CLIENT],
    ['another site’s page', { ticket: good }, { origin: 'http://evil.test' }, CLIENT],
    ['another port', { ticket: good }, { origin: 'http://www.chat.test' }, CLIENT],
  ];
  for (const [name, fields, headers, from] of table) {
    const answer = await post(fields, headers, from);
    t.equal(answer.statusCode, 403, name);
    t.equal(answer.headers.location, undefined, name);
    t.match(answer.body, 'Please read it again', name);
  }
  const { app } = await rig();
  const empty = await app.inject({ method: 'POST', url: '/warning', remoteAddress: CLIENT });
  t.equal(empty.statusCode, 403, 'no form');
  t.strictSame(passes, []);
  const long = await (await rig()).post({ ticket: 'x'.repeat(60_000) });
  t.equal(long.statusCode, 413);
  for (const origin of ['null', 'http://schoolgate.internal', 'http://www.chat.test:8080']) {
    t.equal((await (await rig()).post({ ticket: good }, { origin })).statusCode, 303, origin);
  }
});

void t.test('one device can pass ten a minute', async (t) => {
  const { post, passes } = await rig();
  const ticket = tickets.make(WARNING);
  const statuses: number[] = [];
  for (let i = 0; i < 12; i++) statuses.push((await post({ ticket })).statusCode);
  t.strictSame(statuses.slice(9), [303, 429, 429]);
  t.equal(passes.length, 10);
  t.equal((await post({ ticket: tickets.make({ ...WARNING, client: '10.1.2.9' }) }, {}, '10.1.2.9')).statusCode, 303);
});

void t.test('a gateway that cannot be told is our fault, and nobody is sent back to the same warning', async (t) => {
  const { post } = await rig({ passes: { put: () => Promise.reject(new Error('no answer')) } });
  const answer = await post({ ticket: tickets.make(WARNING) });
  t.equal(answer.statusCode, 503);
  t.match(answer.body, 'Try again in a minute');
});

void t.test('“why was I blocked?” lists warnings with their button, and nothing else with one', async (t) => {
  const ticket = tickets.make({ ...WARNING, url: 'https://chat.test/' });
  const app = await makeDesk([
    { ...refused(5, { action: 'warn', host: 'chat.test' }), ticket },
    refused(90, { host: 'bet.test', category: 'gambling' }),
  ]);
  t.teardown(() => app.close());
  const { body } = await app.inject({ url: '/why', remoteAddress: CLIENT });
  t.match(body, 'It may not be right for you.');
  t.equal(body.match(/<form/g)?.length, 1);
  t.match(body, `<form method="post" action="/warning">`);
  t.match(body, `name="ticket" value="${ticket}"`);
  t.match(body, 'open for you for a quarter of an hour at most. Grown-ups who keep you safe');
});
