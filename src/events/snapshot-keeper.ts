import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataLayout } from '../config/data-layout.ts';
import { replaceFile } from '../kernel/durable-file.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { SNAPSHOT_KINDS, type SignedSnapshot, type SnapshotBodies, type SnapshotKind } from './bus.ts';
import type { AlarmCode } from './catalogue.ts';
import { verifySnapshot } from './signing.ts';
import { parseObject } from '../kernel/json.ts';

/** A snapshot whose signature holds, with its body read. */
export interface AcceptedSnapshot<K extends SnapshotKind = SnapshotKind> {
  readonly kind: K;
  readonly serial: number;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly body: SnapshotBodies[K];
}

/** A larger text is no snapshot of ours; nothing near it is parsed. */
export const SNAPSHOT_MAX_BYTES = 64 << 20;

const FIELDS = new Set(['kind', 'serial', 'at', 'body', 'signature']);

/** The snapshot in a text that claims to be one of this kind; null unless it is whole, of that kind, and signed. */
export function readSigned(kind: SnapshotKind, json: string, publicKey: KeyObject): SignedSnapshot | null {
  const found = parseSigned(json);
  return found !== null && found.kind === kind && verifySnapshot(publicKey, found) ? found : null;
}

function parseSigned(json: string): SignedSnapshot | null {
  if (json.length > SNAPSHOT_MAX_BYTES) return null;
  const found = parseObject(json);
  if (found === null || Object.keys(found).some((key) => !FIELDS.has(key))) return null;
  const isWhole =
    ['at', 'body', 'signature'].every((name) => typeof found[name] === 'string') &&
    SNAPSHOT_KINDS.includes(found['kind'] as SnapshotKind) &&
    Number.isSafeInteger(found['serial']) &&
    !(found['at'] as string).includes('\n');
  return isWhole ? (found as unknown as SignedSnapshot) : null;
}

/**
 * The last snapshot of this kind that this gateway accepted, verified again; null before the first. Throws a
 * SchoolgateError when the file is damaged or not signed with this console's key.
 */
export function readLastGood<K extends SnapshotKind>(
  layout: DataLayout,
  kind: K,
  publicKey: KeyObject,
): AcceptedSnapshot<K> | null {
  const snapshot = readStored(layout, kind, publicKey);
  return snapshot === null ? null : openBody(snapshot as SignedSnapshot<K>);
}

/** A verified snapshot with its body read. The console wrote and signed it, so its shape is not checked again. */
export function openBody<K extends SnapshotKind>({ kind, serial, at, body }: SignedSnapshot<K>): AcceptedSnapshot<K> {
  return { kind, serial, at, body: JSON.parse(body) as SnapshotBodies[K] };
}

function readStored(layout: DataLayout, kind: SnapshotKind, publicKey: KeyObject): SignedSnapshot | null {
  const path = storedAt(layout, kind);
  let json: string;
  try {
    json = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const snapshot = readSigned(kind, json, publicKey);
  if (snapshot !== null) return snapshot;
  throw new SchoolgateError(
    'snapshot_unusable',
    'us',
    `${path} is damaged or was not signed with the key in ${layout.signingPublicKey}; remove it, and the gateway takes the console's current one.`,
  );
}

function storedAt(layout: DataLayout, kind: SnapshotKind): string {
  return join(layout.lastGoodSnapshots, `${kind}.json`);
}

export interface KeeperOptions {
  readonly layout: DataLayout;
  readonly publicKey: KeyObject;
  /** A newer snapshot is in force from now on; it is on the disk unless `disk-refuses` was raised. */
  readonly onAccepted: (kind: SnapshotKind, snapshot: AcceptedSnapshot) => void;
  readonly onAlarm: (code: AlarmCode, text: string) => void;
}

export interface SnapshotKeeper {
  /** Takes what came down the bus under this kind's name, as text. */
  offer(kind: SnapshotKind, json: string): 'accepted' | 'known' | 'refused';
  /** The last one it took, also in an earlier run; null: none. */
  accepted<K extends SnapshotKind>(kind: K): AcceptedSnapshot<K> | null;
}

/**
 * Decides which snapshots this gateway takes: signed by the console, and of a higher serial than the last of that kind,
 * which also an earlier run may have stored. The same one again is no news; everything else raises `snapshot-refused`.
 */
export function createSnapshotKeeper(options: KeeperOptions): SnapshotKeeper {
  const last = new Map<SnapshotKind, SignedSnapshot>();
  for (const kind of SNAPSHOT_KINDS) {
    const stored = readStoredOrAlarm(options, kind);
    if (stored !== null) last.set(kind, stored);
  }
  return {
    accepted(kind) {
      const held = last.get(kind);
      return held === undefined ? null : openBody(held as SignedSnapshot<typeof kind>);
    },
    offer(kind, json) {
      const snapshot = readSigned(kind, json, options.publicKey);
      if (snapshot === null)
        return refuse(options, `A ${kind} snapshot that is damaged or not signed by the console was refused.`);
      const held = last.get(kind);
      if (held !== undefined && snapshot.serial <= held.serial) {
        if (snapshot.serial === held.serial && snapshot.body === held.body) return 'known';
        return refuse(
          options,
          `A ${kind} snapshot with serial ${snapshot.serial} was refused: ${held.serial} is in force.`,
        );
      }
      last.set(kind, snapshot);
      store(options, snapshot, json);
      options.onAccepted(kind, openBody(snapshot));
      return 'accepted';
    },
  };
}

function refuse({ onAlarm }: KeeperOptions, text: string): 'refused' {
  onAlarm('snapshot-refused', `${text} Somebody may have written to the bus, or an old copy of it was restored.`);
  return 'refused';
}

/** A stored snapshot that cannot be used sets no lower bound: it was never in force under this key. */
function readStoredOrAlarm({ layout, publicKey, onAlarm }: KeeperOptions, kind: SnapshotKind): SignedSnapshot | null {
  try {
    return readStored(layout, kind, publicKey);
  } catch (error) {
    onAlarm('snapshot-refused', (error as Error).message);
    return null;
  }
}

/** A full disk must not keep a suspension from being in force now. */
function store({ layout, onAlarm }: KeeperOptions, snapshot: SignedSnapshot, json: string): void {
  try {
    replaceFile(storedAt(layout, snapshot.kind), json);
  } catch (error) {
    onAlarm(
      'disk-refuses',
      `The ${snapshot.kind} snapshot ${snapshot.serial} could not be stored (${(error as Error).message}). Make room.`,
    );
  }
}
