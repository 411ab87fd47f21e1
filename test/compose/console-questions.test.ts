// What a gateway asks its console, over both ways there are: the channel between two processes, and a real redis-server.
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { EventEmitter } from 'node:events';
import t, { type Test } from 'tap';
import {
  answerGateway,
  askConsole,
  type ConsoleAnswers,
  type ConsoleLine,
  isForConsole,
} from '../../src/compose/console-questions.ts';
import { processLink } from '../../src/compose/process-link.ts';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import { openBus } from '../../src/events/open-bus.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { RedisServer } from '../helpers/redis-server.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { proof } from '../helpers/test-gateway.ts';
import { until } from '../helpers/until.ts';

/** A gateway's line to a console that answers so, and what makes that console go. */
interface Connected {
  readonly line: ConsoleLine;
  leave(): Promise<void>;
}
type Connect = (t: Test, answers: ConsoleAnswers) => Promise<Connected>;

/** Node's channel between a process and its child, without the second process. */
const byChannel: Connect = async (_t, answers) => {
  const [here, there] = [new EventEmitter(), new EventEmitter()];
  const end = (own: EventEmitter, other: EventEmitter): ChildProcess =>
    Object.assign(own, {
      connected: true,
      send: (message: unknown) => setImmediate(() => other.emit('message', structuredClone(message))),
    }) as unknown as ChildProcess;
  processLink(end(there, here)).onMessage((message, answer) => {
    void answerGateway(answers, message).then(answer, () => answer(undefined));
  });
  return {
    line: processLink(end(here, there)),
    leave: async () => {
      here.emit('disconnect');
    },
  };
};

const byRedis: Connect = async (t, answers) => {
  const server = await new RedisServer(tempFolder(t)).start();
  t.teardown(() => server.kill());
  const layout = dataLayout(tempFolder(t));
  createDataFolders(layout);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const bus = await openBus({ layout, redisUrl: server.url, redisPrefix: 'test:', onState: () => {} });
  const onAlarm = (_code: string, text: string): void => {
    t.fail(text);
  };
  const answerer = bus.answerer({ signWith: privateKey, clock: systemClock, onAlarm })!;
  t.teardown(() => answerer.close());
  await answerer.start((question) => answerGateway(answers, question));
  const line = bus.asker(publicKey, onAlarm)!;
  t.teardown(() => line.close());
  const at = { type: 'device-at', address: '10.0.0.9' };
  await until('the two have met', () => line.ask(at, 1_000).catch(() => null));
  return { line, leave: () => answerer.close() };
};

const nobody = async (): Promise<{ state: 'nobody' }> => ({ state: 'nobody' });
/** Says who asked and for what, as it came over the line. */
const wishes: ConsoleAnswers['wishes'] = async (from, ask) => ({ state: 'refused', reason: `${from} ${ask}` });
const reports: ConsoleAnswers['reports'] = async (from, ask) => ({ state: 'refused', reason: `${from} ${ask}` });
const lessons: ConsoleAnswers['lessons'] = async (from, ask) => ({ state: 'refused', reason: `${from} ${ask}` });
const devices: ConsoleAnswers['devices'] = {
  signIn: async (name, password, address) => ({
    state: 'signed-in',
    userName: name,
    fullName: password + address,
    until: 1,
  }),
  signInGuest: async (code) => (code === 'good' ? { state: 'held', forMs: 5 } : { state: 'wrong' }),
  signOut: nobody,
  changePassword: async ({ ticket, next }) => (ticket + next === 'tn' ? { state: 'stale' } : { state: 'wrong' }),
  accept: async (ticket, version) => (ticket + version === 'tv' ? { state: 'stale' } : { state: 'wrong' }),
  at: async (address) => (address === '10.0.0.1' ? { state: 'shared' } : { state: 'nobody' }),
};
const NAMES = ['p.pupil', 'Zoë Ängström', 'nul\0nul', 'x'.repeat(10_000), '"}\n'];
const address = '10.0.0.1';

const contract = (connect: Connect) => async (t: Test) => {
  void t.test('each question is answered by what it asks for, whatever was typed', async (t) => {
    const { line } = await connect(t, {
      verify: async ({ name }) => (name === 'right' ? proof(name) : 'wrong'),
      devices,
      lessons,
      wishes,
      reports,
    });
    const ask = (type: string, parts: object): Promise<unknown> => askConsole(line, { type, address, ...parts });
    t.same(await ask('lesson', { ask: '{"act":"see"}' }), { state: 'refused', reason: `${address} {"act":"see"}` });
    t.same(await ask('report', { ask: '{"what":"x"}' }), { state: 'refused', reason: `${address} {"what":"x"}` });
    t.same(await ask('verify', { name: 'right', password: 'p' }), proof('right'));
    t.same(await ask('verify', { name: 'other', password: 'p' }), 'wrong');
    for (const name of NAMES) {
      const answer = { state: 'signed-in', userName: name, fullName: `p${name}${address}`, until: 1 };
      t.same(await ask('device-sign-in', { name, password: `p${name}` }), answer);
    }
    t.same(await ask('device-guest', { code: 'good' }), { state: 'held', forMs: 5 });
    t.same(await ask('device-guest', { code: 'bad' }), { state: 'wrong' });
    const change = { ticket: 't', name: '', current: '', next: 'n', again: 'n' };
    t.same(await ask('device-password', change), { state: 'stale' });
    t.same(await ask('device-accept', { ticket: 't', version: 'v' }), { state: 'stale' });
    t.same(await ask('device-sign-out', {}), { state: 'nobody' });
    t.same(await ask('device-at', {}), { state: 'shared' });
  });

  void t.test('of many at once each gets its own answer, in whatever order they come', async (t) => {
    const held: (() => void)[] = [];
    const { line } = await connect(t, {
      verify: async ({ name }) => {
        await new Promise<void>((resolve) => held.push(resolve));
        return proof(name);
      },
      devices,
      lessons,
      wishes,
      reports,
    });
    const names = Array.from({ length: 60 }, (_, n) => `person${n}`);
    const asking = names.map((name) => askConsole(line, { type: 'verify', name, password: 'p', address }));
    await until('all are asked', () => held.length === names.length);
    for (const answer of held.toReversed()) answer();
    t.same(
      await Promise.all(asking),
      names.map((user) => proof(user)),
    );
  });

  void t.test('what no gateway asks is not answered', async (t) => {
    const asked: string[] = [];
    const { line } = await connect(t, {
      verify: async ({ name }) => {
        asked.push(name);
        return 'wrong';
      },
      devices,
      lessons,
      wishes,
      reports,
    });
    const right = { type: 'verify', name: 'n', password: 'p', address };
    const wrong: Record<string, unknown>[] = [
      { type: 'reload' },
      { type: 'constructor' },
      { name: { $ne: '' } },
      { password: 7 },
      { password: undefined },
      { address: '10.0.0.01' },
      { address: '::ffff:10.0.0.1' },
      { address: 'everywhere' },
    ];
    for (const part of wrong) {
      const answer = await line.ask({ ...right, ...part }, 2_000).catch(() => undefined);
      t.equal(answer, undefined, JSON.stringify(part));
    }
    t.same(asked, []);
  });

  void t.test('a console that hangs or is away is no answer, in time', async (t) => {
    const never = (): Promise<never> => new Promise(() => {});
    const connected = await connect(t, {
      verify: never,
      devices: { ...devices, signIn: never },
      lessons,
      wishes,
      reports,
    });
    const asked = { name: 'n', password: 'p', address };
    const verify = (hurryMs: number) => askConsole(connected.line, { type: 'verify', ...asked }, hurryMs);
    const signIn = (hurryMs: number) => askConsole(connected.line, { type: 'device-sign-in', ...asked }, hurryMs);
    t.same(await Promise.all([verify(4_450), signIn(6_950)]), ['no-answer', { state: 'no-answer' }]);
    const begin = performance.now();
    const waiting = verify(2_500);
    await connected.leave();
    t.equal(await waiting, 'no-answer');
    t.ok(performance.now() - begin < 4_000);
  });
};

void t.test('by channel', contract(byChannel));
void t.test('by Redis', contract(byRedis));

void t.test('without any line there is no answer', async (t) => {
  t.equal(await askConsole(null, { type: 'verify' }), 'no-answer');
  t.same(await askConsole(undefined, { type: 'device-at' }), { state: 'no-answer' });
});

void t.test('other messages are none of the console’s', async (t) => {
  for (const type of ['alarm', 'refusals', 'toString', '__proto__']) t.notOk(isForConsole({ type }), type);
  t.ok(isForConsole({ type: 'verify' }));
});
