// client ══ relay ══ upstream
import type { OnReadOpts, Socket } from 'node:net';
import { borrowBuffer, BUSY_BYTES, returnBuffer, sharedBuffer } from './read-buffers.ts';

const RELAY = Symbol('relay');
type RelaySocket = Socket & { [RELAY]?: Relay };

/** How a relay ended where it was not both sides closing in good order. */
export type RelayEnd = 'client_aborted' | 'connection_terminated' | 'idle_timeout' | 'cut' | null;

// Node asks for the next buffer right after the read callback of the same socket, without saying for which.
let nextBuffer: Buffer = sharedBuffer;

/** Who opened a relay: told when it is over, and of the client's bytes as long as it holds them back. */
export interface RelayOwner {
  relayClosed(): void;
  heldBytes(chunk: Buffer): void;
  /** The upstream sent something while the client's bytes are held back; it is not carried down. */
  spokeFirst(): void;
}

/** Options for `net.connect` of a socket that a Relay will read from: downstream bytes take no detour through streams. */
export const RELAY_READ: OnReadOpts = {
  buffer: takeNextBuffer,
  callback(this: RelaySocket, bytesRead: number, buffer: Uint8Array): boolean {
    nextBuffer = sharedBuffer;
    const relay = this[RELAY];
    if (relay === undefined) return true;
    return relay.fromUpstream(bytesRead, buffer as Buffer);
  },
};

// A new socket asks as well, and it must never be given the buffer another one reads into.
function takeNextBuffer(): Buffer {
  const buffer = nextBuffer;
  nextBuffer = sharedBuffer;
  return buffer;
}

/**
 * Carries bytes both ways between two connected sockets until both sides have closed, honouring half-close and back-pressure.
 * No closures per relay: with thousands of idle tunnels it is their size that counts.
 */
export class Relay {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Payload bytes carried from the client, and to it. */
  up = 0;
  down = 0;
  ended: RelayEnd = null;
  halfClosed = false;
  readonly owner: RelayOwner;
  #held: boolean;
  #open = 2;
  #stopped = false;
  /** Whether the last read was a large one, and whether the next goes into the borrowed buffer. */
  #isLarge = false;
  #keepsBuffer = false;
  #borrowed: Buffer | null = null;
  /** Made with the first bytes: a tunnel that only waits does not pay for it. */
  #onFlushed: (() => void) | null = null;
  /** Counters at the last idle sweep, and how long nothing has moved, ms. */
  #seen = 0;
  #quietMs = 0;

  /** `viaOnRead`: the upstream socket was made with RELAY_READ. `held`: the client's bytes go to the owner until `release`. */
  constructor(client: Socket, upstream: Socket, viaOnRead: boolean, held: boolean, owner: RelayOwner) {
    this.client = client;
    this.upstream = upstream;
    this.owner = owner;
    this.#held = held;
    (client as RelaySocket)[RELAY] = this;
    (upstream as RelaySocket)[RELAY] = this;
    client.on('data', onClientData);
    client.on('end', onClientEnd);
    client.on('error', onError);
    client.on('close', onClose);
    if (!viaOnRead) upstream.on('data', onUpstreamData);
    upstream.on('end', onUpstreamEnd);
    upstream.on('error', onError);
    upstream.on('close', onClose);
  }

  /** Begins to read on both sides. Bytes that were read earlier are handed in first. */
  start(early: Buffer): void {
    if (early.length > 0) this.fromClient(early);
    // A client may have closed its half while the upstream was being connected: that event has been and gone.
    if (this.client.readableEnded) onClientEnd.call(this.client);
    this.upstream.resume();
    this.client.resume();
  }

  get isHeld(): boolean {
    return this.#held;
  }

  /** Ends the hold; `bytes` are all that was held. */
  release(bytes: Buffer): void {
    this.#held = false;
    this.fromClient(bytes);
  }

  fromClient(chunk: Buffer): void {
    if (this.#held) return this.owner.heldBytes(chunk);
    this.up += chunk.length;
    if (this.upstream.write(chunk)) return;
    this.client.pause();
    this.upstream.once('drain', onUpstreamDrain);
  }

  /** For sockets made with RELAY_READ; false stops reading. */
  fromUpstream(bytes: number, buffer: Buffer): boolean {
    if (this.#held) {
      this.owner.spokeFirst();
      return false;
    }
    this.down += bytes;
    this.#onFlushed ??= () => this.#flushed();
    this.client.write(this.#ownBytes(bytes, buffer), this.#onFlushed);
    this.#keepsBuffer = this.#isMoreToCome(bytes, buffer);
    if (this.#keepsBuffer && this.#borrowed !== null) nextBuffer = this.#borrowed;
    if (this.client.writableLength > 0) {
      this.#stopped = true;
      return false;
    }
    if (!this.#keepsBuffer) this.#giveBack();
    return true;
  }

  /** Whether the next read is worth a buffer of its own: this one filled its buffer, or was the second large one in a row. */
  #isMoreToCome(bytes: number, buffer: Buffer): boolean {
    const follows = this.#isLarge;
    this.#isLarge = bytes >= BUSY_BYTES;
    if (bytes === buffer.length) return true;
    // A part of the tunnel's own buffer says that all there was has come: it may be quiet from now on.
    return follows && this.#isLarge && buffer !== this.#borrowed;
  }

  /** Only when nothing is read into the borrowed buffer and every write from it has flushed. */
  #giveBack(): void {
    if (this.#borrowed === null) return;
    returnBuffer(this.#borrowed);
    this.#borrowed = null;
  }

  /** The bytes where nothing else is read into before they are written: where they are, in a borrowed buffer, or a small copy. */
  #ownBytes(bytes: number, buffer: Buffer): Buffer {
    if (buffer === this.#borrowed) return buffer.subarray(0, bytes);
    if (bytes < BUSY_BYTES) return Buffer.from(buffer.subarray(0, bytes));
    this.#borrowed ??= borrowBuffer();
    buffer.copy(this.#borrowed, 0, 0, bytes);
    return this.#borrowed.subarray(0, bytes);
  }

  // A write that did not flush but stayed below the high-water mark never emits drain: reading goes on in its own callback.
  #flushed(): void {
    if (!this.#stopped || this.client.writableLength > 0) return;
    if (!this.#keepsBuffer) this.#giveBack();
    this.resumeUpstream();
  }

  resumeUpstream(): void {
    this.#stopped = false;
    this.upstream.resume();
  }

  /** Ends both sides at once. */
  cut(why: Exclude<RelayEnd, null>): void {
    this.ended ??= why;
    this.client.destroy();
    this.upstream.destroy();
  }

  /** Called every `ms` by the owner's sweep: gives how long nothing has moved, ms. */
  quietFor(ms: number): number {
    const moved = this.up + this.down;
    this.#quietMs = moved === this.#seen ? this.#quietMs + ms : 0;
    this.#seen = moved;
    return this.#quietMs;
  }

  closedOne(): void {
    if (--this.#open > 0) return;
    // The other side may have gone in the middle of a write; such a buffer is left to the garbage collector.
    if (this.client.writableLength === 0) this.#giveBack();
    this.owner.relayClosed();
  }
}

function onClientData(this: RelaySocket, chunk: Buffer): void {
  this[RELAY]!.fromClient(chunk);
}

function onUpstreamData(this: RelaySocket, chunk: Buffer): void {
  const relay = this[RELAY]!;
  if (relay.isHeld) return relay.owner.spokeFirst();
  relay.down += chunk.length;
  if (relay.client.write(chunk)) return;
  this.pause();
  relay.client.once('drain', onClientDrain);
}

function onClientDrain(this: RelaySocket): void {
  this[RELAY]!.resumeUpstream();
}

function onUpstreamDrain(this: RelaySocket): void {
  this[RELAY]!.client.resume();
}

function onClientEnd(this: RelaySocket): void {
  const relay = this[RELAY]!;
  relay.halfClosed = true;
  relay.upstream.end();
}

function onUpstreamEnd(this: RelaySocket): void {
  const relay = this[RELAY]!;
  relay.halfClosed = true;
  relay.client.end();
}

function onError(this: RelaySocket): void {
  const relay = this[RELAY]!;
  relay.cut(this === relay.client ? 'client_aborted' : 'connection_terminated');
}

function onClose(this: RelaySocket): void {
  const relay = this[RELAY]!;
  // A side that is gone without its FIN having been passed on must not leave the other one open.
  const other = this === relay.client ? relay.upstream : relay.client;
  if (!other.destroyed && !other.writableEnded)
    relay.cut(this === relay.client ? 'client_aborted' : 'connection_terminated');
  relay.closedOne();
}
