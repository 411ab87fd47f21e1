import { foldCase } from './hash.ts';
import { digestOf, type IllegalKeys, sealOf } from './illegal-keys.ts';
import { sipHash } from './sip-hash.ts';

/** What stands in a listed expression's place. */
export interface KeyedEntry {
  /** 64 bits of SipHash, to find it by: low word, high word. */
  readonly low: number;
  readonly high: number;
  readonly kind: EntryKind;
  /** HMAC-SHA-256 over the expression's SHA-256, to be certain. */
  readonly seal: Uint8Array;
}

/**
 * `host`: a host and everything under it, found by its name. `page`: a host and a path prefix, found by both. `hash`: found by the
 * digest its owner published. `below`: not an entry but the mark that the list has pages on this host. `canary`: ours.
 */
export type EntryKind = 'host' | 'page' | 'hash' | 'below' | 'canary';

export const ENTRY_KINDS: readonly EntryKind[] = ['host', 'page', 'hash', 'below', 'canary'];

/** The expression of a whole host, as Safe Browsing has it and lists of hashes publish it. */
export function hostExpression(host: string): string {
  return `${host}/`;
}

/** A path as page entries are found by: the case of ASCII letters makes no difference. */
export function foldPath(path: string): string {
  let folded = '';
  for (let i = 0; i < path.length; i++) folded += String.fromCharCode(foldCase(path.charCodeAt(i)));
  return folded;
}

/** The entry of a host (`path` null), and what marks its host where it is a page. Both canonical, the path as `entryPath` gives it. */
export function urlEntries(keys: IllegalKeys, host: string, path: string | null): KeyedEntry[] {
  if (path === null) return [keyed(keys, 'host', host, digestOf(hostExpression(host)))];
  const page = host + foldPath(path);
  return [keyed(keys, 'page', page, digestOf(page)), keyed(keys, 'below', host, digestOf(`below ${host}`))];
}

export function canaryEntry(keys: IllegalKeys, name: string): KeyedEntry {
  return keyed(keys, 'canary', name, digestOf(hostExpression(name)));
}

/** `hex`: SHA-256 of an expression as the list's owner publishes it. */
export function hashEntry(keys: IllegalKeys, hex: string): KeyedEntry {
  const digest = Buffer.from(hex, 'hex').toString('latin1');
  return keyed(keys, 'hash', digest, digest);
}

function keyed(keys: IllegalKeys, kind: EntryKind, foundBy: string, digest: string): KeyedEntry {
  const words = new Uint32Array(2);
  sipHash(keys.sip, foundBy, 0, foundBy.length, words);
  return { low: words[0]!, high: words[1]!, kind, seal: sealOf(keys, digest) };
}
