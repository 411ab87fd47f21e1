import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { MOST_AT_ONCE, type SignedSnapshot, type SnapshotKind } from '../../src/events/bus.ts';
import { recoverSpool } from '../../src/events/recover-spool.ts';
import { createRelay } from '../../src/events/relay.ts';
import { loadOrCreateKeys, signSnapshot } from '../../src/events/signing.ts';
import { readLastGood } from '../../src/events/snapshot-keeper.ts';
import { until } from '../helpers/until.ts';
import { carry, Effects, folderRig, redisRig, type Rig, spoolOf } from './rigs.ts';
import { blocked, dataFolder, sampleRecord } from './sample.ts';

const here = import.meta.dirname;

/** Runs a script beside this file; `lines` grows with what it prints. */
function runChild(t: Test, script: string, args: readonly string[]): { child: ChildProcess; lines: string[] } {
  const child = spawn(process.execPath, [join(here, script), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  t.teardown(() => child.kill('SIGKILL'));
  return { child, lines };
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

function spoolIsEmpty({ gateway }: Rig): boolean {
  return [gateway.spoolEvents, gateway.spoolSegments].every((folder) =>
    readdirSync(folder).every((file) => file === 'committed.json'),
  );
}

const upward = (makeRig: (t: Test) => Promise<Rig>) => async (t: Test) => {
  void t.test(
    'each worker’s events arrive in order, segments with name and bytes, and the spool is empty again',
    async (t) => {
      const rig = await makeRig(t);
      const effects = new Effects();
      await effects.startOn(t, rig.consoleBus);
      await carry(t, rig);
      const sent = new Map<number, string[]>();
      const spools = [1, 2, 3].map((worker) => spoolOf(t, rig.gateway, worker, { eventFileBytes: 20_000 }));
      for (let i = 0; i < 300; i++) {
        const worker = (i % 3) + 1;
        const envelope = blocked({ worker });
        sent.set(worker, [...(sent.get(worker) ?? []), envelope.id]);
        spools[worker - 1]!.record(sampleRecord({ id: envelope.id, worker }));
        const written = spools[worker - 1]!.event(envelope);
        if (i % 10 === 0) await written;
      }
      await Promise.all(spools.map((spool) => spool.close()));
      await until('everything arrived', () => effects.count === 300 && effects.segments.size === 3);
      t.same(effects.events, sent);
      const lines = [...effects.segments.values()].flatMap(({ bytes }) =>
        zstdDecompressSync(bytes).toString().trimEnd().split('\n'),
      );
      t.equal(lines.length, 300);
      await until('the spool is empty', () => spoolIsEmpty(rig));
      t.equal(effects.doubles, 0, 'nothing came twice in plain running');
    },
  );

  void t.test('a batch that is refused comes again whole, and once committed never more', async (t) => {
    const rig = await makeRig(t);
    const spool = spoolOf(t, rig.gateway, 1);
    const write = async (count: number): Promise<string[]> => {
      const events = Array.from({ length: count }, () => blocked());
      for (const event of events) await spool.event(event);
      return events.map((event) => event.id);
    };
    const early = await write(5);
    const first = new Effects();
    let late: string[] | null = null;
    first.beforeBatch = () => {
      if (late === null || first.batches.length < 4) throw new Error('the record is busy');
    };
    await first.startOn(t, rig.consoleBus);
    await carry(t, rig);
    await until('the first five were refused', () => first.batches.length > 0);
    late = await write(3);
    await until('all took effect', () => first.count === 8);
    const refused = first.batches.findLastIndex(([id]) => id === early[0]);
    for (const batch of first.batches.slice(0, refused + 1)) t.same(batch, early, 'all of it, and nothing else');
    t.ok(refused >= 3, 'it came again after each refusal');
    t.same(first.batches.slice(refused + 1).flat(), late, 'then what was written meanwhile, once');
    await first.consumer!.close();
    const last = await write(2);
    const second = new Effects();
    await second.startOn(t, rig.consoleBus);
    await until('the next consumer has what came since', () => second.count === 2);
    t.same(second.batches.flat(), last, 'and nothing that was committed');
  });

  void t.test('events that come one by one are taken many at a time, and never more than 500', async (t) => {
    const rig = await makeRig(t);
    const spool = spoolOf(t, rig.gateway, 1);
    const events = Array.from({ length: 1200 }, () => blocked({ rule: '' }));
    await Promise.all(events.slice(0, 1100).map((event) => spool.event(event)));
    const effects = new Effects();
    await effects.startOn(t, rig.consoleBus);
    await carry(t, rig);
    await until('the backlog is taken', () => effects.count === 1100);
    const backlog = effects.batches.length;
    for (const event of events.slice(1100)) {
      await spool.event(event);
      await pause(1);
    }
    await until('everything is taken', () => effects.count === 1200);
    t.same(
      effects.batches.flat(),
      events.map(({ id }) => id),
    );
    t.ok(Math.max(...effects.batches.map(({ length }) => length)) <= MOST_AT_ONCE);
    t.ok(backlog <= 8, `a backlog in few batches, not ${backlog}`);
    t.ok(effects.batches.length - backlog <= 50, 'and a trickle in fewer than it has events');
  });

  void t.test('a console killed between commit and position gets the batch again, and goes on after it', async (t) => {
    const rig = await makeRig(t);
    const spool = spoolOf(t, rig.gateway, 1);
    const sent: string[] = [];
    for (let i = 0; i < 700; i++) {
      const event = blocked();
      sent.push(event.id);
      if (i % 100 === 99) await spool.event(event);
      else void spool.event(event);
    }
    const killed = runChild(t, 'consumer-child.ts', [...rig.consoleArgs, sent[600]!]);
    const exit = once(killed.child, 'close');
    await carry(t, rig);
    t.same(await exit, [null, 'SIGKILL']);
    t.same(killed.lines, sent.slice(0, killed.lines.length), 'some were taken before');
    t.ok(killed.lines.length > 600);
    const next = new Effects();
    await next.startOn(t, rig.consoleBus);
    await until('the next has the rest', () => next.events.get(1)?.at(-1) === sent.at(-1));
    const again = next.batches.flat();
    t.same(again, sent.slice(-again.length), 'from there on everything, in order, once');
    t.ok(again.includes(sent[600]!), 'also the batch that the bus had not heard of');
    await next.consumer!.close();
  });

  void t.test('a consumer that starts late, or again, gets what was not committed and nothing else', async (t) => {
    const rig = await makeRig(t);
    await carry(t, rig);
    const spool = spoolOf(t, rig.gateway, 1);
    const events = Array.from({ length: 40 }, () => blocked());
    for (const event of events.slice(0, 20)) await spool.event(event);
    const first = new Effects();
    await first.startOn(t, rig.consoleBus);
    await until('the late consumer has the first half', () => first.count === 20);
    await first.consumer!.close();
    for (const event of events.slice(20)) await spool.event(event);
    const second = new Effects();
    await second.startOn(t, rig.consoleBus);
    await until('the next consumer has the second half', () => second.count === 20);
    t.same(
      second.events.get(1),
      events.slice(20).map((event) => event.id),
    );
  });

  void t.test(
    'worker and console killed in the middle: every event that was taken has one effect, in order',
    async (t) => {
      const rig = await makeRig(t);
      await carry(t, rig);
      const consoles = [runChild(t, 'consumer-child.ts', rig.consoleArgs)];
      const writer = runChild(t, 'writer-child.ts', [rig.gateway.root, '1']);
      await until('the console is busy', () => consoles[0]!.lines.length > 50);
      await kill(consoles[0]!.child);
      await until('more is written meanwhile', () => writer.lines.length > consoles[0]!.lines.length + 200);
      await kill(writer.child);
      const recovered = await recoverSpool(rig.gateway, 1);
      t.same(recovered.problems, []);
      consoles.push(runChild(t, 'consumer-child.ts', rig.consoleArgs));
      const effects = (): Set<string> => new Set(consoles.flatMap(({ lines }) => lines));
      await until('the spool is empty', () => spoolIsEmpty(rig), 20_000);
      const had = [...effects()];
      t.same(
        writer.lines.filter((id) => !effects().has(id)),
        [],
        'nothing that was taken is lost',
      );
      t.same(had, had.toSorted(), 'in the order of their making');
    },
  );
};

const downward = (makeRig: (t: Test) => Promise<Rig>) => async (t: Test) => {
  const rig = await makeRig(t);
  const keys = loadOrCreateKeys(rig.gateway);
  const accepted: [SnapshotKind, number][] = [];
  const alarms: string[] = [];
  const publisher = rig.consoleBus.publisher();
  t.teardown(() => publisher.close());
  const sign = (kind: SnapshotKind, serial: number, topic: string): SignedSnapshot =>
    signSnapshot(keys.privateKey, { kind, serial, at: '2026-11-23T10:00:00.000Z', body: JSON.stringify({ topic }) });
  const startRelay = async (): Promise<ReturnType<typeof createRelay>> => {
    const relay = createRelay({
      layout: rig.gateway,
      bus: rig.gatewayBus,
      gateway: 'gw',
      publicKey: keys.publicKey,
      onSnapshot: (kind, { serial }) => accepted.push([kind, serial]),
      onAlarm: (code, text) => alarms.push(`${code}: ${text}`),
    });
    t.teardown(() => relay.close());
    await relay.start();
    return relay;
  };
  const inForce = (): unknown => readLastGood(rig.gateway, 'live', keys.publicKey)?.body;

  await publisher.publish(sign('policy', 1, 'first'));
  const relay = await startRelay();
  await until('what was published before is taken', () => accepted.length === 1);
  await publisher.publish(sign('live', 7, 'seven'));
  await until('the second kind is taken', () => accepted.length === 2);
  t.same(accepted, [
    ['policy', 1],
    ['live', 7],
  ]);
  t.same(inForce(), { topic: 'seven' });

  const foreign = loadOrCreateKeys(dataFolder(t));
  const good = sign('live', 8, 'eight');
  const intrusions: [string, string][] = [
    ['unsigned', JSON.stringify({ ...good, signature: '' })],
    ['signed by another console', JSON.stringify(signSnapshot(foreign.privateKey, good))],
    ['changed after signing', JSON.stringify({ ...good, body: JSON.stringify({ topic: 'everything' }) })],
    ['of another kind', JSON.stringify(sign('policy', 8, 'eight'))],
    ['older', JSON.stringify(sign('live', 6, 'six'))],
    ['of the same serial', JSON.stringify(sign('live', 7, 'other seven'))],
    ['half-written', JSON.stringify(good).slice(0, 40)],
  ];
  for (const [what, json] of intrusions) {
    const before = alarms.length;
    await rig.intrude('live', json);
    await until(`a snapshot that is ${what} raises an alarm`, () => alarms.length > before);
    t.match(alarms.at(-1), /^snapshot-refused: /, what);
    t.same(inForce(), { topic: 'seven' }, `${what}: what was in force stays`);
  }

  await publisher.publish(good);
  await until('the next good one is taken', () => accepted.length === 3);
  t.same(inForce(), { topic: 'eight' });
  await relay.close();
  const before = alarms.length;
  await startRelay();
  await rig.intrude('live', JSON.stringify(sign('live', 7, 'seven')));
  await until('the highest serial survived the restart', () => alarms.length > before);
  t.equal(accepted.length, 3, 'what an earlier run stored is no news');
};

for (const [name, makeRig] of [
  ['folder', folderRig],
  ['Redis', redisRig],
] as const) {
  void t.test(`${name}: events and segments, upward`, upward(makeRig));
  void t.test(`${name}: snapshots, downward`, downward(makeRig));
}
