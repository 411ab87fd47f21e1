import { existsSync } from 'node:fs';
import type { DataLayout } from '../config/data-layout.ts';
import { readNearRecords } from '../history/read-records.ts';
import type { DirectorySnapshot } from '../identity/directory-snapshot.ts';
import { directoryAt, sessionsThen, suspensionsThen } from '../identity/past-service.ts';
import { DAY_ENDS, nextDayEnd } from '../identity/signed-in-devices.ts';
import { teacherLessonsThen } from '../lessons/service.ts';
import type { PastSources, PolicyOfThen } from '../policy/replay.ts';
import { versionAt } from '../policy/service.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { type RecordDatabase, openRecordReadOnly } from '../store/database.ts';
import { grantsAt } from '../unblock/service.ts';

/** What this data folder keeps of earlier times, read beside a console that may run or not. To be closed. */
export function openPast(layout: DataLayout): PastSources & { close(): void } {
  const recordedBetween: PastSources['recordedBetween'] = (from, until) => readNearRecords(layout.history, from, until);
  // A machine with a gateway alone has no record.
  if (!existsSync(layout.record)) return { ...NOTHING_KEPT, recordedBetween, close: () => {} };
  const record = openRecordReadOnly(layout.record);
  const policies = new Map<number, PolicyOfThen>();
  const directories = new Map<number, DirectorySnapshot>();
  return {
    recordedBetween,
    policyAt: (instant) => {
      const found = record.read((tx) => versionAt(tx, instant));
      return found === null ? null : once(policies, found.serial, () => ({ ...found, policy: found.snapshot }));
    },
    peopleAt: (instant) => {
      const found = record.read((tx) => directoryAt(tx, instant));
      return found === null ? null : once(directories, found.serial, found.directory);
    },
    liveAt: (instant, policy) => liveAt(record, instant, policy),
    close: () => record.close(),
  };
}

const NOTHING_KEPT = { policyAt: () => null, peopleAt: () => null, liveAt: () => null };

function once<V>(made: Map<number, V>, serial: number, make: () => V): V {
  const value = made.get(serial) ?? make();
  made.set(serial, value);
  return value;
}

function liveAt(
  record: RecordDatabase,
  instant: number,
  { identity, timeZone }: PolicySnapshot,
): ReturnType<PastSources['liveAt']> {
  const endOf = (since: number): number => nextDayEnd(since, identity.schoolDayEnds ?? DAY_ENDS, timeZone);
  return record.read((tx) => ({
    grants: grantsAt(tx, instant),
    suspensions: suspensionsThen(tx, instant),
    sessions: sessionsThen(tx, instant, endOf),
    lessons: teacherLessonsThen(tx, instant),
  }));
}
