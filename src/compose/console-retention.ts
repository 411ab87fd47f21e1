import type { DataLayout } from '../config/data-layout.ts';
import { slotAfter } from '../jobs/cron.ts';
import { RETENTION_CRON } from '../jobs/school-jobs.ts';
import { KEPT, daysKept } from '../policy/retention-rules.ts';
import { policySnapshot } from '../policy/service.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { createRetention, type Retention, type RetentionOptions, standingsOf } from '../retention/service.ts';
import type { ReadTx } from '../store/database.ts';
import { type Alone, keptClasses } from './kept-classes.ts';

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
  return standingsOf(tx, keptClasses(layout), (kept) => daysKept(rules, kept), now)
    .filter(({ overdue }) => overdue)
    .map(({ name }) => KEPT[name].title);
}
