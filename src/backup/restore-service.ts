// backup ─► unsealed and unpacked inside the data folder ─► record checked ─► moved to where it belongs
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
} from 'node:fs';
import { join } from 'node:path';
import { readAuditKey } from '../audit/key.ts';
import { createAudit, verifyChain } from '../audit/service.ts';
import { type DataLayout, dataLayout } from '../config/data-layout.ts';
import type { Clock } from '../kernel/clock.ts';
import { syncFolder } from '../kernel/durable-file.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { skipSerials } from '../publishing/service.ts';
import { openRecord } from '../store/database.ts';
import { unpackInto } from './archive.ts';
import { MANIFEST_NAME, readManifestText } from './manifest.ts';
import { unseal } from './seal.ts';

/** What was restored. */
export interface Restored {
  /** When the backup was made, ISO 8601: what was done later is not in it. */
  readonly madeAt: string;
  /** Rows of the audit, which were checked. */
  readonly rows: number;
}

export interface RestoreOptions {
  readonly file: string;
  readonly secret: string;
  readonly dataDir: string;
  readonly clock: Clock;
}

/**
 * Puts a backup into a data folder that is empty or not there. Nothing is there unless all of it is: it is unpacked into a folder of its own
 * and checked first. Rejects with a SchoolgateError.
 */
export async function restoreBackup({ file, secret, dataDir, clock }: RestoreOptions): Promise<Restored> {
  if (!isEmpty(dataDir)) {
    throw new SchoolgateError(
      'not_empty',
      'client',
      `${dataDir} is not empty: a backup is restored into an empty data folder. Stop Schoolgate and move the folder away first.`,
    );
  }
  if (!existsSync(file)) throw new SchoolgateError('no_backup', 'client', `There is no file ${file}.`);
  const wasThere = existsSync(dataDir);
  const inside = join(dataDir, '.restoring');
  mkdirSync(inside, { recursive: true, mode: 0o700 });
  try {
    await unpack(inside, await unseal(createReadStream(file), secret));
    const restored = check(dataLayout(inside), clock);
    moveUp(inside, dataDir);
    return restored;
  } catch (error) {
    rmSync(wasThere ? inside : dataDir, { recursive: true, force: true });
    throw error;
  }
}

/** The data folder may be a mount, which cannot be replaced as a whole. The keys come last: without them no console starts on the record. */
function moveUp(from: string, to: string): void {
  const names = readdirSync(from).sort((a, b) => Number(a === 'keys') - Number(b === 'keys'));
  for (const name of names) renameSync(join(from, name), join(to, name));
  rmdirSync(from);
  syncFolder(to);
}

function isEmpty(folder: string): boolean {
  return !existsSync(folder) || readdirSync(folder).length === 0;
}

async function unpack(folder: string, archive: Parameters<typeof unpackInto>[1]): Promise<void> {
  try {
    await unpackInto(folder, archive);
  } catch (cause) {
    throw new SchoolgateError(
      'backup_damaged',
      'client',
      `The backup is not whole (${(cause as Error).message}); take an earlier one. Nothing was restored.`,
      { cause },
    );
  }
}

/** The record must be whole and its audit as it was written; and what it publishes next must be newer than what gateways have. */
function check(layout: DataLayout, clock: Clock): Restored {
  const manifest = join(layout.root, MANIFEST_NAME);
  if (!existsSync(manifest)) throw new SchoolgateError('no_backup', 'client', 'This is no backup of Schoolgate.');
  const madeAt = readManifestText(readFileSync(manifest, 'utf8'));
  const key = readAuditKey(layout.auditKey);
  const record = openRecord(layout.record);
  try {
    const chain = record.read((tx) => verifyChain(tx, key));
    if (!chain.intact) {
      throw new SchoolgateError(
        'audit_broken',
        'client',
        `The backup’s record is broken at row ${chain.row}: ${chain.problem}.`,
      );
    }
    record.write((tx) => {
      skipSerials(tx);
      const audit = createAudit(key, clock);
      audit.append(tx, {
        actor: 'console',
        action: 'backup.restored',
        subject: 'backup',
        after: { madeAt },
        address: 'local',
      });
    });
    rmSync(manifest);
    return { madeAt, rows: chain.rows };
  } finally {
    record.close();
  }
}
