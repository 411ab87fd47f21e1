// Questions to the console over a real redis-server, which somebody else can read and write.
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import type { QuestionAnswerer, QuestionAsker } from '../../src/events/bus.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { until } from '../helpers/until.ts';
import { PREFIX, type RedisRig, redisRig } from './rigs.ts';

const PASSWORD = 'seven purple walrus lanterns';
const ed25519 = generateKeyPairSync('ed25519');

interface Exchange extends RedisRig {
  readonly asker: QuestionAsker;
  readonly alarms: string[];
  /** Every question that reached the console. */
  readonly asked: unknown[];
  /** Everything that went over any channel, as somebody hears it who reaches Redis. */
  readonly heard: { readonly channel: string; readonly text: string }[];
  stopListening(): void;
  startConsole(answer?: (question: unknown) => Promise<unknown>): Promise<QuestionAnswerer>;
  /** Asks until there is an answer: connections take a moment. */
  askUntilAnswered(question: unknown): Promise<unknown>;
}

async function exchange(t: Test): Promise<Exchange> {
  const rig = await redisRig(t);
  const [alarms, asked]: [string[], unknown[]] = [[], []];
  const onAlarm = (code: string, text: string): number => alarms.push(`${code}: ${text}`);
  const asker = rig.gatewayBus.asker(ed25519.publicKey, onAlarm)!;
  t.teardown(() => asker.close());
  const heard: Exchange['heard'] = [];
  const spy = new Redis(rig.server.socket, { maxRetriesPerRequest: null });
  spy.on('error', () => {});
  t.teardown(() => spy.disconnect());
  await spy.psubscribe('*');
  spy.on('pmessage', (_pattern, channel, text) => void heard.push({ channel, text }));
  return {
    ...rig,
    asker,
    alarms,
    asked,
    heard,
    stopListening: () => spy.disconnect(),
    async startConsole(answer = async (question) => ({ answered: question })) {
      const answerer = rig.consoleBus.answerer({ signWith: ed25519.privateKey, clock: systemClock, onAlarm })!;
      t.teardown(() => answerer.close());
      await answerer.start((question) => {
        asked.push(question);
        return answer(question);
      });
      return answerer;
    },
    askUntilAnswered: (question) =>
      until('there is an answer', async () => asker.ask(question, 2_000).catch(() => null)),
  };
}

void t.test('what is asked and answered lies in clear nowhere in Redis, nor on its disk', async (t) => {
  const one = await exchange(t);
  await one.startConsole();
  t.same(await one.askUntilAnswered({ password: PASSWORD }), { answered: { password: PASSWORD } });
  await until('both ways were heard', () => one.heard.some(({ channel }) => channel.startsWith(`${PREFIX}answers:`)));
  t.ok(one.heard.some(({ channel }) => channel === `${PREFIX}questions`));
  t.notMatch(JSON.stringify(one.heard), /walrus/);
  t.same(await one.redis.keys('*'), [`${PREFIX}question-key`], 'neither questions nor answers are kept');
  const files = readdirSync(one.server.folder, { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
  for (const { parentPath, name } of files) {
    t.notMatch(readFileSync(join(parentPath, name), 'latin1'), /walrus/, name);
  }
});

void t.test(
  'an answer that is not the console’s is refused with an alarm, and the right one still counts',
  async (t) => {
    const one = await exchange(t);
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    await one.startConsole(async () => {
      if (one.asked.length > 1) await gate;
      return 'wrong';
    });
    await one.askUntilAnswered('first');
    const asking = one.asker.ask('second', 5_000);
    await until('it is at the console', () => one.asked.includes('second'));
    const sent = one.heard
      .filter(({ channel }) => channel === `${PREFIX}questions`)
      .map(({ text }) => JSON.parse(text));
    const before = one.heard.find(({ channel }) => channel.includes('answers'))!;
    const [first, second] = [sent.at(-2), sent.at(-1)] as { key: string; from: string; box: string }[];
    const mine = `${PREFIX}answers:${second!.from}`;
    const box = Buffer.from(JSON.stringify({ answer: { user: 'h.teacher' } })).toString('base64');
    const forgeries = [
      { to: second!.key, box },
      { to: second!.key, box: (JSON.parse(before.text) as { box: string }).box },
      { to: second!.key, box: second!.box },
      { to: first!.key, box },
      { to: second!.key },
      { to: 'x'.repeat(43), box },
      ['nonsense'],
    ];
    for (const forged of forgeries) await one.redis.publish(mine, JSON.stringify(forged));
    await one.redis.publish(mine, before.text);
    await one.redis.publish(mine, 'no JSON');
    await until('the gateway tells', () => one.alarms.length > 0);
    t.same(one.alarms, [
      'answer-refused: An answer about a sign-in that the console did not seal was refused. Somebody may have written to the bus.',
    ]);
    release();
    t.equal(await asking, 'wrong');
  },
);

void t.test('a question that was recorded cannot be asked again, and one that was changed not at all', async (t) => {
  const one = await exchange(t);
  await one.startConsole();
  await one.askUntilAnswered('sign in');
  // Not merely the first: nobody may have heard that, and it would be as good as new.
  const answer = await until('the answer was heard', () =>
    one.heard.find(({ channel }) => channel.includes('answers')),
  );
  const { to } = JSON.parse(answer.text) as { to: string };
  const { text } = one.heard.find((each) => each.text.includes(`"key":"${to}"`))!;
  const count = one.asked.length;
  await one.redis.publish(`${PREFIX}questions`, text);
  await until('the console tells', () => one.alarms.length === 1);
  t.match(one.alarms[0], /^question-refused: A question about a sign-in that had been answered before was refused\./);
  await one.redis.publish(`${PREFIX}questions`, text.replace(/"from":"./, '"from":"'));
  await one.redis.publish(`${PREFIX}questions`, 'nonsense');
  await one.askUntilAnswered('another');
  t.equal(one.asked.length, count + 1, 'it reached nobody');
  t.equal(one.alarms.length, 1, 'somebody who goes on raises no alarm for each');
});

void t.test(
  'a key of somebody else, or an older one of the console’s, seals nothing; the newest known does',
  async (t) => {
    const one = await exchange(t);
    const first = await one.startConsole();
    await one.askUntilAnswered('1');
    const older = (await one.redis.get(`${PREFIX}question-key`))!;
    await first.close();
    await one.startConsole();
    await until('there is another key', async () => (await one.redis.get(`${PREFIX}question-key`)) !== older);
    t.same(await one.askUntilAnswered('2'), { answered: '2' });
    const { key } = JSON.parse(older) as { key: string };
    const forged = JSON.stringify({ serial: Date.now() + 60_000, key, signature: 'AAAA' });
    for (const [what, text] of Object.entries({ 'did not sign': forged, 'older than': older })) {
      await one.redis.set(`${PREFIX}question-key`, text);
      t.same(await one.asker.ask(PASSWORD, 2_000), { answered: PASSWORD }, what);
      t.match(one.alarms.at(-1), what);
    }
    t.equal(one.alarms.length, 2);
  },
);

void t.test('a console that was started again is asked again, with its own key', async (t) => {
  const one = await exchange(t);
  const first = await one.startConsole();
  await one.askUntilAnswered('1');
  await until('that was heard', () => one.heard.some(({ channel }) => channel === `${PREFIX}questions`));
  const older = (await one.redis.get(`${PREFIX}question-key`))!;
  await first.close();
  await one.startConsole();
  await until('there is another key', async () => (await one.redis.get(`${PREFIX}question-key`)) !== older);
  one.heard.length = 0;
  // As it is for a gateway that looked at the key just before the console had put its own there.
  const newest = (await one.redis.get(`${PREFIX}question-key`))!;
  await one.redis.set(`${PREFIX}question-key`, older);
  const { serial } = JSON.parse(older) as { serial: number };
  const asking = one.asker.ask('2', 5_000);
  const { text } = await until('it was sealed to the older key', () =>
    one.heard.find((each) => each.text.includes(`"to":${serial},`)),
  );
  await one.redis.set(`${PREFIX}question-key`, newest);
  const { key, from } = JSON.parse(text) as { key: string; from: string };
  await one.redis.publish(`${PREFIX}answers:${from}`, JSON.stringify({ to: key }));
  t.same(await asking, { answered: '2' });
  t.same(
    one.asked.filter((question) => question === '2'),
    ['2'],
    'once',
  );
});

void t.test('without console, without Redis and without time there is no answer, and none is waited for', async (t) => {
  const one = await exchange(t);
  const console = await one.startConsole(async (question) => {
    if (question === 'hang') await new Promise(() => {});
    if (question === 'fail') throw new Error('the record is locked');
    return question;
  });
  await one.askUntilAnswered('1');
  await t.rejects(one.asker.ask('hang', 50), { message: 'no answer within 50 ms' });
  const begin = performance.now();
  await t.rejects(one.asker.ask('fail', 5_000), { message: 'the console could not answer' });
  // Whoever listens in is taken for a console: only the time tells.
  one.stopListening();
  await console.close();
  await until('nobody listens', () =>
    one.asker.ask('2', 5_000).catch((error: Error) => /no console/.test(error.message)),
  );
  await one.server.kill();
  await until('Redis is away', () =>
    one.asker.ask('3', 5_000).catch((error: Error) => /out of reach/.test(error.message)),
  );
  t.ok(performance.now() - begin < 4_000, 'each of them at once');
  await one.server.start();
  await one.startConsole();
  t.same(await one.askUntilAnswered('4'), { answered: '4' }, 'and all of it comes back by itself');
});

void t.test('many at once are each told their own; more than the bound are turned away at once', async (t) => {
  const one = await exchange(t);
  const held: (() => void)[] = [];
  await one.startConsole(async (question) => {
    if (typeof question === 'number') await new Promise<void>((resolve) => held.push(resolve));
    return question;
  });
  await one.askUntilAnswered('ready');
  const asking = Array.from({ length: 300 }, (_, n) => one.asker.ask(n, 10_000).catch((error: Error) => error.message));
  await until('the console has as many as it takes', () => held.length === 256);
  for (const answer of held.toReversed()) answer();
  const answers = await Promise.all(asking);
  t.same(
    answers.filter((answer) => typeof answer === 'number'),
    Array.from({ length: 256 }, (_, n) => n),
  );
  t.same(new Set(answers.slice(256)), new Set(['too many questions are under way']));
});
