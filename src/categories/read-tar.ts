import { Writable } from 'node:stream';

/** Takes the bytes of a file out of an archive, and hears when it is whole. */
export interface FileSink {
  write(chunk: Buffer): void;
  end(): void;
}

const BLOCK = 512;

/**
 * Reads a tar archive (POSIX.1-1988 ustar and its GNU and pax relatives) as it streams and hands over the regular files whose name
 * `open` wants; it gets the last part of the path only, so nothing in an archive can name a place to write to. Fails on what is no tar,
 * and on one that breaks off.
 */
export function readTar(open: (name: string) => FileSink | null): Writable {
  let rest: Buffer = Buffer.alloc(0);
  let left = 0;
  let padding = 0;
  let sink: FileSink | null = null;
  let isAtEnd = false;

  const take = (chunk: Buffer): void => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (step());
  };
  /** Whether there may be more to do with what is here. */
  const step = (): boolean => {
    if (isAtEnd) return false;
    if (left > 0) {
      const part = rest.subarray(0, left);
      sink?.write(part);
      left -= part.length;
      rest = rest.subarray(part.length);
      if (left > 0) return false;
      sink?.end();
      sink = null;
    }
    if (padding > 0) {
      const part = Math.min(padding, rest.length);
      padding -= part;
      rest = rest.subarray(part);
      if (padding > 0) return false;
    }
    if (rest.length < BLOCK) return false;
    const header = rest.subarray(0, BLOCK);
    rest = rest.subarray(BLOCK);
    isAtEnd = header.every((byte) => byte === 0);
    if (!isAtEnd) begin(header);
    return true;
  };
  const begin = (header: Buffer): void => {
    if (checksum(header) !== octal(header, 148, 8)) throw new Error('it is not a tar archive');
    left = octal(header, 124, 12);
    padding = (BLOCK - (left % BLOCK)) % BLOCK;
    const type = String.fromCharCode(header[156]!);
    const name = header.toString('latin1', 0, 100).split('\0')[0]!.split('/').at(-1)!;
    sink = type === '0' || type === '\0' ? open(name) : null;
    if (left === 0) {
      sink?.end();
      sink = null;
    }
  };
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      try {
        take(chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    final: (done) => done(isAtEnd ? null : new Error('the archive breaks off')),
  });
}

/** The sum of all bytes, its own field read as spaces. */
function checksum(header: Buffer): number {
  let sum = 8 * 32;
  for (const [i, byte] of header.entries()) if (i < 148 || i >= 156) sum += byte;
  return sum;
}

function octal(header: Buffer, at: number, length: number): number {
  const digits = header.toString('latin1', at, at + length).replaceAll(/[\0 ]/g, '');
  if (!/^[0-7]+$/.test(digits)) throw new Error('it is not a tar archive');
  return Number.parseInt(digits, 8);
}
