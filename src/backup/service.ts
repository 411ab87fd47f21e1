import type { Readable } from 'node:stream';
import type { Actor } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import { replaceFileFrom } from '../kernel/durable-file.ts';
import { isoTime } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { RecordDatabase } from '../store/database.ts';
import { type KeptBackup, backupPath, keptBackups, removeOldBackups } from './daily.ts';
import { keepRecipient, makeRecoveryKey, readRecipient } from './recovery-key.ts';

/** How backups stand. */
export interface BackupState {
  /** What they are sealed to; null: there is no recovery key yet, so none can be made. */
  readonly recipient: string | null;
  /** Where one is kept each day; null: nowhere. */
  readonly folder: string | null;
  /** Newest first. */
  readonly kept: readonly KeptBackup[];
}

/** Backups of everything that is state, sealed to a key that only the school holds. */
export interface Backups {
  state(): BackupState;
  /** A new recovery key, shown this once: backups from now on are sealed to it, earlier ones still need the one before. */
  makeKey(actor: Actor): Promise<string>;
  /**
   * A backup as it is made. Throws a SchoolgateError (`no_recovery_key`) where there is no key; the stream fails when the copy cannot
   * be finished.
   */
  make(actor: Actor): Readable;
  /** Keeps one in the folder and removes old ones. Does nothing where there is no folder or no key. Rejects when it cannot be made. */
  daily(due: number): Promise<void>;
}

export interface BackupOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly recipientFile: string;
  readonly folder: string | null;
  /** Reads the state and gives the sealed archive; fails as a stream does. */
  readonly archive: (recipient: string) => Readable;
}

export function createBackups(options: BackupOptions): Backups {
  const { record, audit, recipientFile, folder, archive } = options;
  const put = (actor: string, address: string, action: 'backup.key-made' | 'backup.made', after: unknown): void =>
    record.write((tx) => audit.append(tx, { actor, action, subject: 'backup', after, address }));
  return {
    state: () => ({
      recipient: readRecipient(recipientFile),
      folder,
      kept: folder === null ? [] : keptBackups(folder),
    }),
    async makeKey(actor) {
      const { secret, recipient } = await makeRecoveryKey();
      // On record first: whoever holds a key that opens everything is known, also when the file could not be written.
      put(actor.userName, actor.address, 'backup.key-made', { recipient });
      keepRecipient(recipientFile, recipient);
      return secret;
    },
    make(actor) {
      const recipient = readRecipient(recipientFile);
      if (recipient === null) throw noKey();
      put(actor.userName, actor.address, 'backup.made', { recipient });
      return archive(recipient);
    },
    async daily(due) {
      const recipient = readRecipient(recipientFile);
      if (folder === null || recipient === null) return;
      const path = backupPath(folder, isoTime(due));
      await replaceFileFrom(path, archive(recipient));
      put('console', 'local', 'backup.made', { recipient, path });
      removeOldBackups(folder);
    },
  };
}

function noKey(): SchoolgateError {
  return new SchoolgateError(
    'no_recovery_key',
    'client',
    'Backups are sealed to a recovery key, and there is none yet: npx schoolgate backup --new-key --user NAME',
  );
}
