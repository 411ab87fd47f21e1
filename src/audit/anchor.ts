import { createHmac, timingSafeEqual } from 'node:crypto';

/** How the chain stood at an instant, to be kept where whoever could change the record cannot change it as well. */
export interface Anchor {
  /** ISO 8601 UTC. */
  readonly at: string;
  /** Of the last row, which is also how many rows there were. */
  readonly seq: number;
  /** Hex SHA-256 of that row. */
  readonly hash: string;
  /** Hex HMAC-SHA-256 of these three with the installation's audit key. */
  readonly mac: string;
}

const LINE = /^schoolgate-audit (\d{4}-\d\d-\d\dT[\d:.]+Z) (\d{1,15}) ([0-9a-f]{64}) ([0-9a-f]{64})$/;

export function makeAnchor(end: { readonly seq: number; readonly hash: string }, at: string, key: Uint8Array): Anchor {
  return { at, seq: end.seq, hash: end.hash, mac: macOf(at, end, key) };
}

/** One line, as it stands in the anchor file and in mail. */
export function anchorLine({ at, seq, hash, mac }: Anchor): string {
  return `schoolgate-audit ${at} ${seq} ${hash} ${mac}`;
}

/** The anchors of a file, and the numbers (from 1) of lines that are none although they begin as one or stand between such. */
export function parseAnchors(text: string): {
  readonly anchors: readonly Anchor[];
  readonly unreadable: readonly number[];
} {
  const anchors: Anchor[] = [];
  const unreadable: number[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const found = LINE.exec(line.trim());
    if (found !== null) anchors.push({ at: found[1]!, seq: Number(found[2]), hash: found[3]!, mac: found[4]! });
    else if (line.trim() !== '') unreadable.push(i + 1);
  }
  return { anchors, unreadable };
}

/** Whether this anchor was made with this key. */
export function isOurs(anchor: Anchor, key: Uint8Array): boolean {
  const expected = Buffer.from(macOf(anchor.at, anchor, key), 'hex');
  const given = Buffer.from(anchor.mac, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function macOf(at: string, { seq, hash }: { readonly seq: number; readonly hash: string }, key: Uint8Array): string {
  return createHmac('sha256', key).update(`audit-anchor\n${at}\n${seq}\n${hash}`).digest('hex');
}
