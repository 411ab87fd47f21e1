import { accessSync, chmodSync, constants, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SchoolgateError } from '../kernel/errors.ts';

/** Where each piece of state lies in the data folder. The only place that spells these paths. */
export interface DataLayout {
  readonly root: string;
  /** Ed25519: the console's private key (0600) and the public key that gateways check snapshots with. */
  readonly signingKey: string;
  readonly signingPublicKey: string;
  /** Seals the end of the audit chain (0600). */
  readonly auditKey: string;
  /** Seals the secrets of authenticator apps in the record (0600). */
  readonly secondFactorKey: string;
  /** What the illegal lists are kept under (0600); gateways elsewhere need a copy. */
  readonly illegalKey: string;
  /** SQLite: the record. Only the console process opens it for writing. */
  readonly record: string;
  /** Folder adapter of the bus, downward: `policy.json`, `live.json`. */
  readonly busDown: string;
  /** This gateway's name in records, made at first start. */
  readonly gatewayId: string;
  /** What this gateway found when it asked for the canaries of its illegal lists. */
  readonly canaries: string;
  /** Last accepted snapshots of this gateway: `policy.json`, `live.json`. */
  readonly lastGoodSnapshots: string;
  /** Compiled category index: `current.json` names the file in force. */
  readonly index: string;
  /** Last good copy of each list's entries. */
  readonly lastGoodLists: string;
  /** What was fetched of each https list: a folder for each. */
  readonly fetchedLists: string;
  /** What is on its way up. */
  readonly spool: string;
  /** Events on their way up: one NDJSON file at a time per worker. */
  readonly spoolEvents: string;
  /** The segment each worker is writing. */
  readonly spoolOpen: string;
  /** Closed segments on their way up. */
  readonly spoolSegments: string;
  /** Committed segments by UTC day: `history/2026-11-22/<name>.ndjson.zst`. */
  readonly history: string;
  /** Mail as `.eml` files when no SMTP server is configured. */
  readonly outbox: string;
  readonly reports: string;
  /** Where the end of the audit chain is written down each night, unless the environment names a better place. */
  readonly auditAnchors: string;
  /** What backups are sealed to: no secret. */
  readonly backupRecipient: string;
  /** Where a school's system may leave its roster; imported every night. */
  readonly rosterDrop: string;
  /** What only processes that run have use for: no state. */
  readonly run: string;
  /** Unix sockets. */
  readonly consoleSocket: string;
  readonly frontSocket: string;
}

export function dataLayout(root: string): DataLayout {
  return {
    root,
    signingKey: join(root, 'keys', 'console.key'),
    signingPublicKey: join(root, 'keys', 'console.pub'),
    auditKey: join(root, 'keys', 'audit.key'),
    secondFactorKey: join(root, 'keys', 'second-factor.key'),
    illegalKey: join(root, 'keys', 'illegal.key'),
    record: join(root, 'record.sqlite'),
    busDown: join(root, 'bus'),
    gatewayId: join(root, 'gateway', 'id'),
    canaries: join(root, 'gateway', 'canaries.json'),
    lastGoodSnapshots: join(root, 'gateway', 'snapshots'),
    index: join(root, 'gateway', 'index'),
    lastGoodLists: join(root, 'lists'),
    fetchedLists: join(root, 'lists', 'fetched'),
    spool: join(root, 'spool'),
    spoolEvents: join(root, 'spool', 'events'),
    spoolOpen: join(root, 'spool', 'open'),
    spoolSegments: join(root, 'spool', 'segments'),
    history: join(root, 'history'),
    outbox: join(root, 'outbox'),
    reports: join(root, 'reports'),
    auditAnchors: join(root, 'audit-anchors.txt'),
    backupRecipient: join(root, 'keys', 'backup.pub'),
    rosterDrop: join(root, 'roster-drop'),
    run: join(root, 'run'),
    consoleSocket: join(root, 'run', 'console.sock'),
    frontSocket: join(root, 'run', 'front.sock'),
  };
}

/**
 * Makes the folders, readable by nobody else, and closes to others what was there already and open to them. Throws a SchoolgateError
 * (`data_folder`) for one that we cannot write in or close.
 */
export function createDataFolders(layout: DataLayout): void {
  const folders = [
    layout.root,
    join(layout.root, 'keys'),
    join(layout.root, 'gateway'),
    layout.run,
    layout.busDown,
    layout.lastGoodSnapshots,
    layout.index,
    layout.lastGoodLists,
    layout.fetchedLists,
    layout.spoolEvents,
    layout.spoolOpen,
    layout.spoolSegments,
    layout.history,
    layout.outbox,
    layout.reports,
    layout.rosterDrop,
  ];
  for (const folder of folders) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
      if ((statSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700);
    } catch (cause) {
      const text = `${folder} cannot be made, written in or closed to other accounts (${(cause as NodeJS.ErrnoException).code}); correct its owner and mode, or set SCHOOLGATE_DATA_DIR.`;
      throw new SchoolgateError('data_folder', 'client', text, { cause });
    }
  }
}
