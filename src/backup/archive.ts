import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress, type ZstdCompress } from 'node:zlib';
import { create, Unpack } from 'tar';

/** A folder with everything in it as a tar archive under zstd. */
export function packFolder(folder: string): Readable {
  const packed = Readable.from(create({ cwd: folder, portable: true }, ['.']) as AsyncIterable<Buffer>);
  return pipedInto(packed, createZstdCompress());
}

/**
 * Unpacks what `packFolder` made into an empty folder, files and folders for nobody else to read. Rejects where it is no such archive or
 * breaks off, and for anything in it that is neither file nor folder or lies outside.
 */
export async function unpackInto(folder: string, archive: Readable): Promise<void> {
  const unpack = new Unpack({
    cwd: folder,
    strict: true,
    preserveOwner: false,
    fmode: 0o600,
    dmode: 0o700,
    umask: 0o077,
    filter: (path, entry) => {
      if ('type' in entry && (entry.type === 'File' || entry.type === 'Directory')) return true;
      throw new Error(`${path} is neither file nor folder`);
    },
  });
  const done = new Promise<void>((resolve, reject) => {
    unpack.on('close', () => resolve());
    unpack.on('error', reject);
  });
  // Waited for below; without this it would count as unheard while the source is still being read.
  done.catch(() => {});
  await pipeline(archive, createZstdDecompress(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      if (!unpack.write(chunk)) await Promise.race([new Promise<void>((resume) => unpack.once('drain', resume)), done]);
    }
    unpack.end();
    await done;
  });
}

/** As `source.pipe(compress)`, and an error of either ends both. */
function pipedInto(source: Readable, compress: ZstdCompress): Readable {
  pipeline(source, compress).catch((error: Error) => compress.destroy(error));
  return compress;
}
