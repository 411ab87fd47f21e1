// current.json ─► file, read and hashed in slices ─► openIndex ─► put behind `index`; the memory of the one before goes at once
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { openIndex } from './category-index.ts';
import { noIndex, notWhatWasBuilt, readManifest, type IndexManifest } from './current-index.ts';
import type { ExplainedIndex } from './match.ts';

/** Hashed between two looks at the sockets, bytes: a fraction of a millisecond. */
const SLICE_BYTES = 256 << 10;

/** The index in force on disk, for a process that serves while it is replaced. */
export interface LiveIndex {
  /** Always the same object. A look-up is answered from the index that is behind it at that moment; none is ever half-way. */
  readonly index: ExplainedIndex;
  /**
   * Looks whether another index is in force on disk, and if so puts it behind `index`: true. Never blocks the event loop for
   * longer than a slice. Rejects with a SchoolgateError when it cannot be used; then the old one stays. Not to be called twice at once.
   */
  renew(): Promise<boolean>;
}

interface Loaded {
  readonly index: ExplainedIndex;
  readonly memory: ArrayBuffer;
}

/** Opens the index in force. Rejects with a SchoolgateError if there is none or if it is not, byte for byte, what was built. */
export async function openLiveIndex(layout: DataLayout): Promise<LiveIndex> {
  let { manifest, loaded } = await loadNewest(layout);
  return {
    index: {
      get sha256() {
        return loaded.index.sha256;
      },
      get lists() {
        return manifest.lists;
      },
      match: (host, path) => loaded.index.match(host, path),
      matchAddress: (address) => loaded.index.matchAddress(address),
      explain: (host, path) => loaded.index.explain(host, path),
    },
    async renew() {
      const found = manifestInForce(layout);
      if (found.sha256 === manifest.sha256) {
        manifest = found;
        return false;
      }
      const old = loaded.memory;
      ({ manifest, loaded } = await loadNewest(layout));
      // The garbage collector does not feel the weight of what lies outside its heap: it would let several old ones pile up.
      // Nobody can still be reading this one: a look-up is over before the next line of anything else runs.
      old.transfer(0);
      return true;
    },
  };
}

/** A build that ends meanwhile may take away the file that was about to be read; then the one it made is what counts. */
async function loadNewest(layout: DataLayout): Promise<{ manifest: IndexManifest; loaded: Loaded }> {
  for (;;) {
    const manifest = manifestInForce(layout);
    try {
      return { manifest, loaded: await load(layout, manifest) };
    } catch (error) {
      if (readManifest(layout)?.sha256 === manifest.sha256) throw error;
    }
  }
}

function manifestInForce(layout: DataLayout): IndexManifest {
  const manifest = readManifest(layout);
  if (manifest === null) throw noIndex();
  return manifest;
}

async function load(layout: DataLayout, manifest: IndexManifest): Promise<Loaded> {
  const { bytes, sha256 } = await readInSlices(join(layout.index, manifest.file));
  if (sha256 !== manifest.sha256) throw notWhatWasBuilt(manifest.file);
  return { index: openIndex(bytes, manifest.lists, sha256), memory: bytes.buffer };
}

async function readInSlices(path: string): Promise<{ bytes: Uint8Array<ArrayBuffer>; sha256: string }> {
  await using file = await open(path).catch((cause: unknown) => {
    throw noIndex(cause);
  });
  const { size } = await file.stat();
  const bytes = new Uint8Array(size);
  const hash = createHash('sha256');
  for (let at = 0; at < size;) {
    const { bytesRead } = await file.read(bytes, at, Math.min(SLICE_BYTES, size - at), at);
    if (bytesRead === 0) throw new SchoolgateError('index_unusable', 'us', `${path} became shorter while it was read.`);
    hash.update(bytes.subarray(at, at + bytesRead));
    at += bytesRead;
  }
  return { bytes, sha256: hash.digest('hex') };
}
