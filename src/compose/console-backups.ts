import { spawn } from 'node:child_process';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { type BackupOptions, type Backups, createBackups } from '../backup/service.ts';
import type { DataLayout } from '../config/data-layout.ts';
import type { Environment } from '../config/environment.ts';
import type { Logger } from '../telemetry/log.ts';

const MODULE = fileURLToPath(new URL('./backup-process.ts', import.meta.url));

export interface ConsoleBackupOptions extends Pick<BackupOptions, 'record' | 'audit'> {
  readonly layout: DataLayout;
  readonly log: Logger;
  /** Tells an adult that there is no backup of today. */
  readonly raise: (code: 'backup-failed', text: string) => void;
}

/** Backups, made in a process of their own: reading and sealing gigabytes must not hold the console up. */
export function createConsoleBackups({ backupDir }: Environment, options: ConsoleBackupOptions): Backups {
  const { layout, log, raise } = options;
  const backups = createBackups({
    ...options,
    recipientFile: layout.backupRecipient,
    folder: backupDir,
    archive: (recipient) =>
      runBackup(layout, recipient).once('error', (error) =>
        log.error({ err: error }, 'a backup could not be finished'),
      ),
  });
  return {
    ...backups,
    async daily(due) {
      try {
        await backups.daily(due);
      } catch (error) {
        raise('backup-failed', `The backup of today could not be made: ${(error as Error).message}`);
        throw error;
      }
    },
  };
}

/** What the process writes; fails when it does not end well. */
function runBackup(layout: DataLayout, recipient: string): Readable {
  const child = spawn(process.execPath, [MODULE, layout.root, recipient], {
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-2000)));
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`the backup process ended with ${code}: ${firstLine(complaint)}`)),
    );
  });
  const sealed = new PassThrough();
  // Ended only when the process has said that all went well: whoever reads must not take a part for the whole.
  pipeline(child.stdout, sealed, { end: false })
    .then(() => ended)
    .then(
      () => sealed.end(),
      (error: Error) => sealed.destroy(error),
    );
  ended.catch(() => {});
  sealed.once('close', () => child.kill());
  return sealed;
}

/** The line of a stack trace that says what was wrong. */
function firstLine(complaint: string): string {
  return /^\w*Error: .*$/m.exec(complaint)?.[0] ?? (complaint.trim() || 'it said nothing');
}
