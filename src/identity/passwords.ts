import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(argon2);

/** argon2id with OWASP's first recommendation for servers (Password Storage Cheat Sheet): 19 MiB, 2 passes, 1 lane. */
const PARAMETERS = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Each costs 19 MiB and a core for some 30 ms; more at a time would starve the console. */
const AT_ONCE = 2;

/** Hashes and checks passwords off the event loop, two at a time. */
export interface Passwords {
  /** PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$key`. */
  hash(password: string): Promise<string>;
  /** False also for a stored hash of null, after the same work, so that nobody learns from the time taken that there is none. */
  verify(password: string, stored: string | null): Promise<boolean>;
}

export function createPasswords(): Passwords {
  const turn = turnstile(AT_ONCE);
  const dummy = phc(randomBytes(SALT_BYTES), randomBytes(KEY_BYTES));
  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES);
      return phc(salt, await turn(() => key(password, salt, PARAMETERS)));
    },
    async verify(password, stored) {
      const read = parse(stored ?? dummy);
      const given = await turn(() => key(password, read.salt, read.parameters));
      return timingSafeEqual(given, read.key) && stored !== null;
    },
  };
}

interface Parameters {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

function key(password: string, nonce: Buffer, parameters: Parameters): Promise<Buffer> {
  // The same letters may be typed composed or not, by keyboard.
  const message = Buffer.from(password.normalize('NFC'), 'utf8');
  return derive('argon2id', { message, nonce, tagLength: KEY_BYTES, ...parameters });
}

function phc(salt: Buffer, derived: Buffer): string {
  const { memory, passes, parallelism } = PARAMETERS;
  const text = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${text(salt)}$${text(derived)}`;
}

function parse(stored: string): { salt: Buffer; key: Buffer; parameters: Parameters } {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]{43})$/.exec(stored);
  if (match === null) throw new Error('a stored password hash is not argon2id in PHC form');
  const [memory, passes, parallelism] = match.slice(1, 4).map(Number) as [number, number, number];
  return {
    salt: Buffer.from(match[4]!, 'base64'),
    key: Buffer.from(match[5]!, 'base64'),
    parameters: { memory, passes, parallelism },
  };
}

/** Lets `limit` calls run at once; the others wait in line. */
function turnstile(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = limit;
  const line: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => line.push(resolve));
    try {
      return await work();
    } finally {
      const next = line.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
