import type { DataLayout } from '../config/data-layout.ts';
import type { Bus } from './bus.ts';
import type { Backoff } from './pump.ts';
import { RedisCarrier } from './redis-carrier.ts';
import { RedisChunks } from './redis-chunks.ts';
import { RedisConsumer } from './redis-consumer.ts';
import { RedisAnswerer, RedisAsker } from './redis-questions.ts';
import { redisKeys, type RedisOptions } from './redis-link.ts';
import { RedisFeed, RedisPublisher } from './redis-snapshots.ts';

/** The bus between any number of gateways and one console around one Redis. */
export function redisBus(layout: DataLayout, options: RedisOptions, backoff: Backoff): Bus {
  const keys = redisKeys(options.prefix);
  return {
    consumer: () => new RedisConsumer(options, backoff, keys),
    publisher: () => new RedisPublisher(layout, options, backoff, keys),
    feed: () => new RedisFeed(options, keys),
    chunks: () => new RedisChunks(options, keys),
    asker: (publicKey, onAlarm) => new RedisAsker(options, keys, publicKey, onAlarm),
    answerer: (answerer) => new RedisAnswerer(options, keys, answerer),
    carrier: (gateway) => new RedisCarrier(layout, gateway, options, keys),
  };
}
