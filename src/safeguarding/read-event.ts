import { createHash } from 'node:crypto';
import type { EventEnvelope } from '../events/catalogue.ts';
import { UnreadableEventError, parseEnvelope } from '../events/envelope.ts';

/** What is put aside: the id it is known by, and why. */
export interface Parked {
  readonly id: string;
  readonly why: string;
}

/** An event that can take effect, or one to put aside. */
export type ReadEvent = { readonly event: EventEnvelope } | { readonly parked: Parked };

/** Reads an event as it came from the bus. Whatever it holds, it is an answer and no error: one bad line must not stop the rest. */
export function readEvent(json: string): ReadEvent {
  try {
    return { event: parseEnvelope(json) };
  } catch (error) {
    if (!(error instanceof UnreadableEventError)) throw error;
    return { parked: { id: parkingId(json), why: error.publicText } };
  }
}

/** By what it says, so that it is put aside once; an event's own id stays free for the day it can be read. */
export function parkingId(json: string): string {
  return `sha256:${createHash('sha256').update(json).digest('hex')}`;
}
