import { Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { SourceError } from './fetch-source.ts';

/** How a file is packed, as the ending of its name. */
export type Packing = '' | '.gz' | '.zst';

/** Lists pack to a fifth or a tenth; what swells more was made to fill the disk. */
const MOST_SWELLING = 40;

/** By what it is, not by what it is called: a server may have packed or unpacked it on the way. `start`: its first four bytes. */
export function packingOf(start: Buffer): Packing {
  if (start[0] === 0x1f && start[1] === 0x8b) return '.gz';
  return start.length > 3 && start.readUInt32LE(0) === 0xfd2fb528 ? '.zst' : '';
}

/** What takes the packing off; fails with a SourceError where more comes out than a list of `maxBytes` can hold. */
export function unpack(packing: Packing, maxBytes: number): Transform[] {
  if (packing === '') return [];
  const most = maxBytes * MOST_SWELLING;
  let bytes = 0;
  const count = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      if (bytes <= most) return done(null, chunk);
      done(new SourceError(`it unpacks to more than ${most.toLocaleString('en-GB')} bytes`, false));
    },
  });
  return [packing === '.gz' ? createGunzip() : createZstdDecompress(), count];
}

/** No format of a list begins with `<` or `{`; a portal that wants a sign-in, an error page and an API's answer do. */
export function isPage(contentType: string | null, start: Buffer): boolean {
  if (/^\s*(?:text\/html|application\/xhtml)/i.test(contentType ?? '')) return true;
  return /^[\s\ufeff]*[<{]/.test(start.toString('utf8'));
}
