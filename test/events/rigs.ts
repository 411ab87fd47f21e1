import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Test } from 'tap';
import type { DataLayout } from '../../src/config/data-layout.ts';
import type { ArrivedSegment, Bus, SnapshotKind, UpwardConsumer } from '../../src/events/bus.ts';
import { openSpool, type SpoolLimits } from '../../src/events/file-spool.ts';
import { openBus } from '../../src/events/open-bus.ts';
import type { Spool } from '../../src/events/spool.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { RedisServer } from '../helpers/redis-server.ts';
import { dataFolder, ids } from './sample.ts';

export const PREFIX = 'test:';

/** A gateway and a console with a bus of one adapter between them. */
export interface Rig {
  /** The gateway's data folder. */
  readonly gateway: DataLayout;
  readonly gatewayBus: Bus;
  readonly consoleBus: Bus;
  /** Arguments with which a child process opens the console's end: data folder, and Redis socket or an empty text. */
  readonly consoleArgs: readonly string[];
  /** Puts a text where a snapshot of this kind would be, as somebody could who reaches the bus. */
  intrude(kind: SnapshotKind, json: string): Promise<void>;
}

const settings = { redisPrefix: PREFIX, onState: () => {}, backoff: { firstMs: 20, mostMs: 50 } };

export async function folderRig(t: Test): Promise<Rig> {
  const gateway = dataFolder(t);
  const bus = await openBus({ layout: gateway, redisUrl: null, ...settings });
  return {
    gateway,
    gatewayBus: bus,
    consoleBus: bus,
    consoleArgs: [gateway.root, ''],
    intrude: async (kind, json) => writeFileSync(join(gateway.busDown, `${kind}.json`), json),
  };
}

export interface RedisRig extends Rig {
  readonly server: RedisServer;
  /** A connection of the test's own. */
  readonly redis: Redis;
  /** What the gateway's end told of the bus: an error's text, or null. */
  readonly states: (string | null)[];
}

export async function redisRig(t: Test): Promise<RedisRig> {
  const [gateway, elsewhere] = [dataFolder(t), dataFolder(t)];
  const server = await new RedisServer(dataFolder(t).root).start();
  t.teardown(() => server.kill());
  const redis = new Redis(server.socket, { maxRetriesPerRequest: null });
  redis.on('error', () => {});
  t.teardown(() => redis.disconnect());
  const states: (string | null)[] = [];
  const onState = (error: Error | null): void => {
    if (error !== null) t.same(Object.keys(error), [], 'what goes into a log carries no command');
    states.push(error === null ? null : error.message);
  };
  return {
    states,
    gateway,
    gatewayBus: await openBus({ layout: gateway, redisUrl: server.url, ...settings, onState }),
    consoleBus: await openBus({ layout: elsewhere, redisUrl: server.url, ...settings }),
    consoleArgs: [elsewhere.root, server.socket],
    intrude: async (kind, json) => {
      await redis.set(`${PREFIX}snapshot:${kind}`, json);
      await redis.publish(`${PREFIX}snapshots`, kind);
    },
    server,
    redis,
  };
}

export function spoolOf(
  t: Test,
  layout: DataLayout,
  worker: number,
  limits: Partial<SpoolLimits> = {},
  gateway = 'gw',
): Spool {
  const options = { layout, gateway, worker, clock: systemClock, ids, limits: { tickMs: 50, ...limits } };
  const spool = openSpool({ ...options, onAlarm: (_, text) => t.fail(text) });
  t.teardown(() => spool.close());
  return spool;
}

/** Carries the gateway's spool until the test ends. */
export async function carry(t: Test, { gatewayBus }: Rig, gateway = 'gw'): Promise<void> {
  const carrier = gatewayBus.carrier(gateway);
  t.teardown(() => carrier.close());
  await carrier.start();
}

interface Told {
  readonly id: string;
  readonly data: { readonly worker: number };
}

/** A console that remembers what took effect: an id or name that comes twice takes effect once. */
export class Effects {
  /** Event ids by worker, in the order of their effect. */
  readonly events = new Map<number, string[]>();
  readonly segments = new Map<string, ArrivedSegment>();
  /** Deliveries of what had taken effect before. */
  doubles = 0;
  readonly #known = new Set<string>();
  /** Every batch that was delivered, also those that were refused: event ids. */
  readonly batches: string[][] = [];
  /** Asked before a batch takes effect; throws for a console that cannot take it now. */
  beforeBatch: (ids: readonly string[]) => void = () => {};
  consumer: UpwardConsumer | null = null;

  get count(): number {
    return this.#known.size;
  }

  async startOn(t: Test, bus: Bus): Promise<void> {
    const consumer = bus.consumer();
    this.consumer = consumer;
    t.teardown(() => consumer.close());
    await consumer.start({
      events: async (batch) => this.#takeAll(batch.map(({ json }) => JSON.parse(json) as Told)),
      segment: async (segment) => void this.segments.set(segment.name, segment),
    });
  }

  #takeAll(batch: readonly Told[]): void {
    const ids = batch.map(({ id }) => id);
    this.batches.push(ids);
    this.beforeBatch(ids);
    for (const told of batch) this.#take(told);
  }

  #take({ id, data }: Told): void {
    if (this.#known.has(id)) {
      this.doubles++;
      return;
    }
    this.#known.add(id);
    const ids = this.events.get(data.worker);
    if (ids === undefined) this.events.set(data.worker, [id]);
    else ids.push(id);
  }
}
