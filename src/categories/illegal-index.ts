import { withoutParameters } from '../kernel/url.ts';
import { foldPath, hostExpression, type KeyedEntry } from './illegal-entry.ts';
import { decodeIllegal } from './illegal-file.ts';
import { digestOf, type IllegalKeys, sealOf, targetMark } from './illegal-keys.ts';
import type { IllegalHit, IllegalIndex } from './illegal-match.ts';
import { forEachPrefix, forEachPublished } from './path-expressions.ts';
import { sipHash } from './sip-hash.ts';

const SLOT_WORDS = 3;
/** Hosts that no published hash names are remembered, up to this many: a digest for each of its parents costs microseconds. */
const CLEAN_HOSTS = 20_000;

interface Listed extends KeyedEntry {
  readonly list: number;
}

/**
 * Opens the bytes of an illegal file for look-ups. A target that is not listed costs a SipHash for each of its host's parents and, only
 * where a list of hashes is loaded, a SHA-256 for each expression; an HMAC is made only to confirm a fingerprint that was found.
 * Throws a SchoolgateError if the file cannot be used.
 */
export function openIllegal(bytes: Uint8Array, keys: IllegalKeys): IllegalIndex {
  const file = decodeIllegal(keys, bytes);
  const entries: readonly Listed[] = file.lists.flatMap((list, position) =>
    list.entries.map((entry) => ({ ...entry, list: position })),
  );
  const hasHashes = entries.some(({ kind }) => kind === 'hash');
  const slots = slotsOf(entries);
  const words = new Uint32Array(2);
  const clean = new Set<string>();
  // Of the look-up at hand: one is done before the next begins.
  let hits: Listed[] | null = null;

  /** Entries with the fingerprint of a text; null when there are none, as nearly always. */
  function find(text: string, from: number, to: number): Listed[] | null {
    sipHash(keys.sip, text, from, to, words);
    const low = words[0]!;
    const high = words[1]!;
    let found: Listed[] | null = null;
    for (let at = firstSlot(low, slots.length); slots[at + 2] !== 0; at = nextSlot(at, slots.length)) {
      if (slots[at] === low && slots[at + 1] === high) (found ??= []).push(entries[slots[at + 2]! - 1]!);
    }
    return found;
  }

  function confirm(found: readonly Listed[], digest: string): void {
    const seal = sealOf(keys, digest);
    for (const entry of found) if (seal.equals(entry.seal)) (hits ??= []).push(entry);
  }

  function matchHost(host: string, from: number, path: string | null): void {
    const found = find(host, from, host.length);
    if (found === null) return;
    const name = host.slice(from);
    confirm(found, digestOf(hostExpression(name)));
    if (path === null || !found.some(({ kind }) => kind === 'below')) return;
    forEachPrefix(foldPath(path), (prefix) => {
      const page = name + prefix;
      const pages = find(page, 0, page.length);
      if (pages !== null) confirm(pages, digestOf(page));
    });
  }

  function matchDigests(host: string, from: number, path: string | null): void {
    const name = host.slice(from);
    forEachPublished(path ?? '/', (prefix) => {
      const digest = digestOf(name + prefix);
      const found = find(digest, 0, digest.length);
      if (found !== null) confirm(found, digest);
    });
  }

  function eachParent(host: string, path: string | null, look: typeof matchHost): void {
    look(host, 0, path);
    let dot = host.indexOf('.');
    // No entry has a single label.
    for (let next = host.indexOf('.', dot + 1); dot >= 0 && next > 0; next = host.indexOf('.', dot + 1)) {
      look(host, dot + 1, path);
      dot = next;
    }
  }

  function match(host: string, path: string | null): IllegalHit | null {
    hits = null;
    const plain = path === null ? null : withoutParameters(path);
    eachParent(host, path, matchHost);
    if (plain !== path) eachParent(host, plain, matchHost);
    if (hasHashes && !(path === null && clean.has(host))) {
      eachParent(host, path, matchDigests);
      if (plain !== path) eachParent(host, plain, matchDigests);
      if (path === null && hits === null) remember(clean, host);
    }
    return hits === null ? null : hitOf(hits);
  }

  function hitOf(found: readonly Listed[]): IllegalHit {
    const lists = [...new Set(found.map(({ list }) => list))].map((position) => file.lists[position]!);
    return {
      categories: [...new Set(lists.map(({ category }) => category))].sort(),
      lists: lists.map(({ id }) => id).sort(),
      entry: entries.indexOf(found[0]!),
      isCanary: found.every(({ kind }) => kind === 'canary'),
    };
  }

  return {
    sha256: file.sha256,
    lists: file.lists.map(({ id, category }) => ({ id, category })),
    match,
    mark: (target) => targetMark(keys, target),
  };
}

function remember(clean: Set<string>, host: string): void {
  if (clean.size === CLEAN_HOSTS) clean.clear();
  clean.add(host);
}

/** Open addressing, at most half full: fingerprint and the entry's number from 1, 0 for an empty slot. */
function slotsOf(entries: readonly KeyedEntry[]): Uint32Array {
  let size = 8;
  while (size < entries.length * 2) size *= 2;
  const slots = new Uint32Array(size * SLOT_WORDS);
  for (const [i, { low, high }] of entries.entries()) {
    let at = firstSlot(low, slots.length);
    while (slots[at + 2] !== 0) at = nextSlot(at, slots.length);
    slots.set([low, high, i + 1], at);
  }
  return slots;
}

function firstSlot(low: number, words: number): number {
  return (low & (words / SLOT_WORDS - 1)) * SLOT_WORDS;
}

function nextSlot(at: number, words: number): number {
  return at + SLOT_WORDS === words ? 0 : at + SLOT_WORDS;
}
