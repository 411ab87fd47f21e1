import type { Redis } from './redis-link.ts';

/*
 * Each script is one atomic step in Redis, so that stream and positions agree in every copy of the data set: after a
 * kill, a lost tail of the append-only file or a restored dump, `sent` still says what the stream holds.
 */

/** Appends entries that continue the file at `from`, unless somebody already did or the data set went back. Gives 1 if it did. */
const SEND = `
local committed = tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or '') or 0
local mark = redis.call('HGET', KEYS[2], ARGV[1]) or ''
local at = math.max(committed, tonumber(string.match(mark, '^%d+')) or 0)
if at ~= tonumber(ARGV[2]) then return 0 end
local width = tonumber(ARGV[4])
local id
for first = 5, #ARGV, width do
  id = redis.call('XADD', KEYS[1], '*', unpack(ARGV, first, first + width - 1))
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3] .. ':' .. id)
return 1`;

/**
 * For each file: what is committed, and up to where the stream is known to hold it. A mark whose entry is gone from the
 * stream is taken back, so that everything after the committed position is sent again.
 */
const STATUS = `
local answer = {}
for _, file in ipairs(ARGV) do
  local committed = tonumber(redis.call('HGET', KEYS[3], file) or '') or 0
  local sent = committed
  local mark, id = string.match(redis.call('HGET', KEYS[2], file) or '', '^(%d+):(%d+%-%d+)$')
  if mark and tonumber(mark) > committed then
    if #redis.call('XRANGE', KEYS[1], id, id) > 0 then sent = tonumber(mark)
    else redis.call('HDEL', KEYS[2], file) end
  end
  answer[#answer + 1] = committed
  answer[#answer + 1] = sent
end
return answer`;

/** Acknowledges entries of one file, each by its id, and moves the file's committed position, which never goes back. */
const COMMIT = `
redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 4))
local committed = tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or '') or 0
if tonumber(ARGV[3]) > committed then redis.call('HSET', KEYS[2], ARGV[2], ARGV[3]) end
return 1`;

export interface Sending {
  readonly stream: string;
  readonly file: string;
  /** Bytes of the file before and after these entries. */
  readonly from: number;
  readonly end: number;
  /** Fields and values of each entry, the same number in all. */
  readonly entries: readonly (readonly (string | Uint8Array)[])[];
}

export interface Commit {
  readonly stream: string;
  readonly group: string;
  readonly file: string;
  /** Up to where the file is committed with these entries, bytes. */
  readonly end: number;
  /** Ids, at least one. */
  readonly entries: readonly string[];
}

export interface Position {
  readonly committed: number;
  readonly sent: number;
}

/** The scripts, bound to one connection and its position hashes. */
export interface RedisScripts {
  /** False: the stream does not stand at `from`; ask for the positions again. */
  send(sending: Sending): Promise<boolean>;
  /** In the order of `files`. */
  positions(stream: string, files: readonly string[]): Promise<Position[]>;
  commit(commit: Commit): Promise<void>;
}

export function redisScripts(redis: Redis, keys: { readonly sent: string; readonly committed: string }): RedisScripts {
  return {
    async send({ stream, file, from, end, entries }) {
      const values = entries.flat().map((value) => (typeof value === 'string' ? value : Buffer.from(value)));
      const head = [file, from, end, entries[0]!.length];
      return (await redis.eval(SEND, 3, stream, keys.sent, keys.committed, ...head, ...values)) === 1;
    },
    async positions(stream, files) {
      if (files.length === 0) return [];
      const answer = (await redis.eval(STATUS, 3, stream, keys.sent, keys.committed, ...files)) as number[];
      return files.map((_, i) => ({ committed: answer[2 * i]!, sent: answer[2 * i + 1]! }));
    },
    async commit({ stream, group, file, end, entries }) {
      await redis.eval(COMMIT, 2, stream, keys.committed, group, file, end, ...entries);
    },
  };
}
