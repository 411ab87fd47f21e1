import { detailsBefore, oldestDetails } from '../audit/service.ts';
import type { DataLayout } from '../config/data-layout.ts';
import { dayBegan, dayEnded, daysBefore, eraseDay, oldestDay } from '../history/erase-days.ts';
import { slotAfter } from '../jobs/cron.ts';
import { RETENTION_CRON } from '../jobs/school-jobs.ts';
import { KEPT, daysKept } from '../policy/retention-rules.ts';
import { policySnapshot } from '../policy/service.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { deletedOf } from '../retention/proof.ts';
import { createRetention, type Kept, type Retention, type RetentionOptions, standingOf } from '../retention/service.ts';
import type { ReadTx } from '../store/database.ts';

/** Runs work while nobody else changes the same files. */
export type Alone = <T>(work: () => Promise<T>) => Promise<T>;

export interface ConsoleRetentionOptions extends Pick<RetentionOptions, 'record' | 'audit' | 'clock'> {
  readonly layout: DataLayout;
  readonly policy: () => PolicySnapshot | null;
  /** Of the access history. */
  readonly alone: Alone;
  readonly timeZone: () => string;
  /** Tells an adult that something is still there that should be gone. */
  readonly raise: (code: 'retention-failed', text: string) => void;
}

export interface ConsoleRetention {
  readonly retention: Retention;
  readonly nextRetention: (after: number) => number | null;
}

/** Every class of data that goes by itself, where it lies, and when. */
export function createConsoleRetention(options: ConsoleRetentionOptions): ConsoleRetention {
  const { policy, layout, alone, timeZone, raise } = options;
  const retention = createRetention({
    ...options,
    classes: keptClasses(layout, alone),
    daysKept: (kept) => daysKept(policy()?.retention, kept),
  });
  return {
    retention: {
      ...retention,
      async run() {
        try {
          await retention.run();
        } catch (error) {
          raise('retention-failed', `Data whose time has come could not be deleted: ${(error as Error).message}`);
          throw error;
        }
      },
    },
    nextRetention: (after) => slotAfter(RETENTION_CRON, timeZone(), after),
  };
}

/** Titles of what should have gone days ago, for whoever reads the record beside the console. */
export function overdueClasses(tx: ReadTx, layout: DataLayout, now: number): string[] {
  const rules = policySnapshot(tx)?.retention;
  return keptClasses(layout)
    .filter((kept) => standingOf(tx, kept, daysKept(rules, kept.name), now).overdue)
    .map(({ name }) => KEPT[name].title);
}

export function keptClasses(
  { history }: Pick<DataLayout, 'history'>,
  alone: Alone = (work) => work(),
): readonly Kept[] {
  return [
    {
      in: 'files',
      name: 'history',
      oldest: () => oldestDay(history),
      due: (before) =>
        daysBefore(history, before).map(({ day, files, bytes, sha256 }) => ({
          name: day,
          from: dayBegan(day),
          until: dayEnded(day),
          line: `${day} ${files} files ${bytes} bytes ${sha256}`,
        })),
      remove: (day) => alone(async () => eraseDay(history, day)),
    },
    {
      in: 'record',
      name: 'auditDetails',
      oldest: oldestDetails,
      erase(tx, before, _most, audit) {
        const rows = detailsBefore(tx, before);
        if (rows.length === 0) return null;
        audit.erasePayloads(tx, before);
        return deletedOf(rows.map(({ seq, at, hash }) => ({ from: at, until: at, line: `${seq} ${hash}` })));
      },
    },
  ];
}
