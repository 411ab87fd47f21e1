import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openBus } from '../../src/events/open-bus.ts';
import { createRelay } from '../../src/events/relay.ts';
import { loadOrCreateKeys, signSnapshot } from '../../src/events/signing.ts';
import type { Spool } from '../../src/events/spool.ts';
import { trimStream } from '../../src/events/trim-stream.ts';
import { RedisServer } from '../helpers/redis-server.ts';
import { until } from '../helpers/until.ts';
import { carry, Effects, PREFIX, redisRig, type RedisRig, spoolOf } from './rigs.ts';
import { blocked, dataFolder } from './sample.ts';

const EVENTS = `${PREFIX}events`;

/** Writes events and gives their ids. */
async function write(spool: Spool, count: number, size = 0): Promise<string[]> {
  const events = Array.from({ length: count }, () => blocked({ rule: 'x'.repeat(size) }));
  await Promise.all(events.map((event) => spool.event(event)));
  return events.map((event) => event.id);
}

async function start(t: Test): Promise<{ rig: RedisRig; effects: Effects; spool: Spool }> {
  const rig = await redisRig(t);
  const effects = new Effects();
  await effects.startOn(t, rig.consoleBus);
  await carry(t, rig);
  return { rig, effects, spool: spoolOf(t, rig.gateway, 1) };
}

async function pending({ redis }: RedisRig, group: string): Promise<number> {
  return ((await redis.xpending(EVENTS, group)) as [number])[0];
}

/** How many scripts Redis has run: grows each time a gateway looks where its files stand. */
async function scriptsRun({ redis }: RedisRig): Promise<number> {
  return Number(/cmdstat_eval:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
}

function inOrder(effects: Effects): string[] {
  return effects.events.get(1) ?? [];
}

void t.test(
  'redis-server killed and restarted during traffic: nothing lost, nothing doubled, order kept',
  async (t) => {
    const { rig, effects, spool } = await start(t);
    const sent: string[] = [];
    const over = new AbortController();
    const traffic = (async () => {
      while (!over.signal.aborted) {
        sent.push(...(await write(spool, 3)));
        await pause(2);
      }
    })();
    for (let round = 1; round <= 3; round++) {
      const before = effects.count;
      await until('traffic flows', () => effects.count > before + 100);
      await rig.server.kill();
      const whileDown = sent.length;
      await until('the gateway goes on without Redis', () => sent.length > whileDown + 100);
      await rig.server.start();
    }
    over.abort();
    await traffic;
    await until('everything took effect', () => effects.count === sent.length);
    t.same(inOrder(effects), sent);
  },
);

void t.test('an emptied Redis gets everything again that was not committed', async (t) => {
  const { rig, effects, spool } = await start(t);
  const sent = await write(spool, 50);
  await until('the first are committed', () => effects.count === 50);
  let isOpen = false;
  effects.beforeBatch = () => {
    if (!isOpen) throw new Error('not now');
  };
  sent.push(...(await write(spool, 50)));
  await until('they are in the stream', async () => (await rig.redis.xlen(EVENTS)) >= 50);
  await rig.redis.flushall();
  isOpen = true;
  await until('all took effect', () => effects.count === 100);
  t.same(inOrder(effects), sent);
  await effects.consumer!.close();
  await rig.redis.flushall();
  const next = new Effects();
  await next.startOn(t, rig.consoleBus);
  await until('a console that starts on an empty Redis is given the whole file again', () => next.count === 100);
  t.same(inOrder(next), sent);
});

void t.test('an older copy of Redis is restored: nothing lost, nothing doubled', async (t) => {
  const { rig, effects, spool } = await start(t);
  const sent = await write(spool, 30);
  await until('the first are committed', () => effects.count === 30);
  const copy = join(dataFolder(t).root, 'copy');
  cpSync(join(rig.server.folder, 'appendonlydir'), copy, { recursive: true });
  sent.push(...(await write(spool, 30)));
  await until('more is committed', () => effects.count === 60);
  await rig.server.kill();
  rmSync(join(rig.server.folder, 'appendonlydir'), { recursive: true });
  cpSync(copy, join(rig.server.folder, 'appendonlydir'), { recursive: true });
  sent.push(...(await write(spool, 30)));
  await rig.server.start();
  await until('all took effect', () => effects.count === 90);
  t.same(inOrder(effects), sent);
  t.equal(effects.doubles, 0, 'the console knows what it has committed');
});

void t.test('what somebody takes out of the stream is sent again', async (t) => {
  const rig = await redisRig(t);
  await carry(t, rig);
  const spool = spoolOf(t, rig.gateway, 1);
  const sent = await write(spool, 20);
  await until('they are in the stream', async () => (await rig.redis.xlen(EVENTS)) === 20);
  const entries = await rig.redis.xrange(EVENTS, '-', '+');
  await rig.redis.xdel(EVENTS, ...entries.slice(5, 8).map(([id]) => id));
  const effects = new Effects();
  await effects.startOn(t, rig.consoleBus);
  await until('all took effect in spite of the hole', () => effects.count === 20);
  t.same(inOrder(effects), sent);
  await effects.consumer!.close();
  sent.push(...(await write(spool, 20)));
  await until('more is in the stream', async () => (await rig.redis.xlen(EVENTS)) >= 20);
  await rig.redis.del(EVENTS);
  const next = new Effects();
  await next.startOn(t, rig.consoleBus);
  await until('all took effect in spite of the missing stream', () => next.count === 20);
  t.same(inOrder(next), sent.slice(20));
});

void t.test('what is not ours in the stream harms nobody', async (t) => {
  const { rig, effects, spool } = await start(t);
  await rig.redis.xadd(EVENTS, '*', 'hello', 'world');
  await rig.redis.xadd(EVENTS, '*', 'json', '{}', 'file', '../../etc/passwd', 'start', '0', 'end', '9');
  await rig.redis.xadd(EVENTS, '*', 'json', '{}', 'file', 'a', 'start', 'x', 'end', '-1');
  await rig.redis.xadd(`${PREFIX}segments`, '*', 'name', '../../etc/passwd', 'bytes', 'x');
  const sent = await write(spool, 5);
  await until('ours arrived', () => effects.count === 5);
  t.same(inOrder(effects), sent);
  t.equal(effects.segments.size, 0);
});

void t.test('entries stay in the stream for as long as another program’s group needs them', async (t) => {
  const rig = await redisRig(t);
  await rig.redis.xgroup('CREATE', EVENTS, 'siem', '0', 'MKSTREAM');
  const effects = new Effects();
  await effects.startOn(t, rig.consoleBus);
  await carry(t, rig);
  const sent = await write(spoolOf(t, rig.gateway, 1), 10);
  await until('the console has them', () => effects.count === 10);
  await trimStream(rig.redis, EVENTS);
  t.equal(await rig.redis.xlen(EVENTS), 10, 'the other group has seen none of them');
  const read = ['GROUP', 'siem', 'a', 'COUNT', 4, 'STREAMS', EVENTS, '>'] as const;
  const [[, entries]] = (await rig.redis.xreadgroup(...read)) as [[string, [string, string[]][]]];
  const fields = entries.map(([, values]) => values);
  t.same(
    fields.map((values) => values[1]),
    sent.slice(0, 4),
  );
  t.match(fields[0], ['id', /^.{26}$/, 'type', 'access.blocked', 'v', '1', 'json', /^\{/, 'file', /^gw-1-/]);
  await rig.redis.xack(EVENTS, 'siem', ...entries.slice(0, 3).map(([id]) => id));
  await until('the console acknowledged all', async () => (await pending(rig, 'console')) === 0);
  await trimStream(rig.redis, EVENTS);
  t.equal(await rig.redis.xlen(EVENTS), 7, 'what both have acknowledged is gone');
});

void t.test('a console that is away does not fill Redis, and gets all when it comes', async (t) => {
  const rig = await redisRig(t);
  await carry(t, rig);
  const spool = spoolOf(t, rig.gateway, 1);
  const sent = await write(spool, 120, 60_000);
  const bytesSent = async (): Promise<number> =>
    Number.parseInt(Object.values(await rig.redis.hgetall(`${PREFIX}sent`))[0] ?? '0', 10);
  await until('the gateway has sent as far as it may', async () => (await bytesSent()) > 4_000_000);
  const before = await scriptsRun(rig);
  await until('the gateway looked again, twice', async () => (await scriptsRun(rig)) >= before + 4);
  t.ok((await bytesSent()) < 5_000_000, 'and sent no further when it looked again');
  const effects = new Effects();
  await effects.startOn(t, rig.consoleBus);
  await until('all took effect', () => effects.count === 120);
  t.same(inOrder(effects), sent);
});

void t.test('a Redis that is full refuses, and the gateway tries again', async (t) => {
  const { rig, effects, spool } = await start(t);
  await until('the console listens', async () => (await rig.redis.exists(EVENTS)) === 1);
  await rig.redis.config('SET', 'maxmemory', '1');
  const sent = await write(spool, 5);
  await until('the gateway is told', () => rig.states.at(-1) !== null && rig.states.length > 0);
  t.equal(effects.count, 0);
  await rig.redis.config('SET', 'maxmemory', '0');
  await until('all took effect', () => effects.count === 5);
  t.same(inOrder(effects), sent);
});

void t.test('two gateways around one Redis each carry their own', async (t) => {
  const { rig, effects, spool } = await start(t);
  const layout = dataFolder(t);
  const bus = await openBus({
    layout,
    redisUrl: rig.server.url,
    redisPrefix: PREFIX,
    onState: (error) => t.equal(error, null),
  });
  await carry(t, { ...rig, gatewayBus: bus }, 'gw-2');
  const other = spoolOf(t, layout, 1, {}, 'gw-2');
  const sent = [...(await write(spool, 5)), ...(await write(other, 5))];
  await until('both arrived', () => effects.count === 10);
  t.same(inOrder(effects).toSorted(), sent.toSorted());
});

void t.test('snapshots arrive after a reconnect, also on a Redis that lost them', async (t) => {
  const server = new RedisServer(dataFolder(t).root);
  t.teardown(() => server.kill());
  const layout = dataFolder(t);
  const states: (string | null)[] = [];
  const onState = (error: Error | null): void => void states.push(error === null ? null : 'down');
  const bus = await openBus({ layout, redisUrl: server.url, redisPrefix: PREFIX, onState });
  const keys = loadOrCreateKeys(layout);
  const accepted: number[] = [];
  const makeRelay = async (): Promise<void> => {
    const onSnapshot = (_: string, { serial }: { serial: number }): void => void accepted.push(serial);
    const { publicKey } = keys;
    const relay = createRelay({
      layout,
      bus,
      gateway: 'gw',
      publicKey,
      onSnapshot,
      onAlarm: (_, text) => t.fail(text),
    });
    t.teardown(() => relay.close());
    await relay.start();
  };
  const sign = (serial: number): ReturnType<typeof signSnapshot> =>
    signSnapshot(keys.privateKey, { kind: 'policy', serial, at: '2026-11-23T10:00:00.000Z', body: '{}' });
  await makeRelay();
  const publisher = bus.publisher();
  t.teardown(() => publisher.close());
  const published = publisher.publish(sign(1));
  await until('it is told that Redis is away', () => states.length === 1);
  await server.start();
  await published;
  await until('what was published meanwhile arrives', () => accepted.includes(1));
  await until('it is told that Redis is there', () => states.at(-1) === null);
  await server.kill();
  rmSync(join(server.folder, 'appendonlydir'), { recursive: true });
  rmSync(layout.lastGoodSnapshots, { recursive: true });
  await server.start();
  await makeRelay();
  await until(
    'a new gateway finds it on the emptied Redis',
    () => accepted.filter((serial) => serial === 1).length === 2,
  );
  t.same(accepted, [1, 1]);
  t.same(states.slice(0, 2), ['down', null], 'told once that Redis was away, once that it came');
});
