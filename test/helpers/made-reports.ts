import type { AccessRecord } from '../../src/events/access-record.ts';
import { countSpan } from '../../src/compose/count-span.ts';
import type { UnreadableSegment } from '../../src/history/read-segments.ts';
import { type CountSpan, type UnblockOfWeek, USUAL_SCHOOL_TIME, type WeekStatus } from '../../src/reports/ports.ts';
import { createWeeklyReports, type WeeklyReports } from '../../src/reports/service.ts';
import { storeSegments } from './history-segments.ts';

/** A school of which everything is known and nothing is wrong. */
export const QUIET_STATUS: WeekStatus = {
  school: 'Alder Vale School',
  schoolTime: USUAL_SCHOOL_TIME,
  alarms: [],
  gaps: [],
  illegalListLoaded: true,
  lists: [],
  listsProblem: null,
  policyChanges: [],
  circumvention: ['proxies'],
  years: {},
  auditHead: { seq: 7, hash: 'ab'.repeat(32) },
  categoryTitles: {},
};

/** Counts what lies in a history folder, as the console does but in this process. */
export function countIn(folder: string): CountSpan {
  return async (span, settings) => {
    const unreadable: UnreadableSegment[] = [];
    return { counts: await countSpan(folder, span, settings, (problem) => unreadable.push(problem)), unreadable };
  };
}

/** Stores records in the order given, some hundreds a segment. */
export async function storeRecords(folder: string, records: readonly AccessRecord[]): Promise<void> {
  await storeSegments(folder, records, 5000);
}

export interface TestReports {
  readonly folder: string;
  readonly now: number;
  readonly zone?: string;
  readonly status?: Partial<WeekStatus>;
  readonly unblocks?: readonly UnblockOfWeek[];
}

/** Reports over a history folder. */
export function reportsOver({
  folder,
  now,
  zone = 'Europe/London',
  status = {},
  unblocks = [],
}: TestReports): WeeklyReports {
  return createWeeklyReports({
    count: countIn(folder),
    unblocks: () => unblocks,
    status: () => ({ ...QUIET_STATUS, ...status }),
    zone,
    clock: () => now,
  });
}
