import { eraseAlertsAbout } from '../alerts/service.ts';
import { detailsBefore, oldestDetails } from '../audit/service.ts';
import { eraseChecks, oldestCheck } from '../checks/service.ts';
import type { DataLayout } from '../config/data-layout.ts';
import { eraseDone, oldestDone } from '../delivery/queue-service.ts';
import { daysBefore, eraseDay, oldestDay } from '../history/erase-days.ts';
import { dayBegan, dayEnded } from '../history/segment.ts';
import { eraseLeavers, eraseVersions, oldestLeaver, oldestVersion } from '../identity/directory/service.ts';
import { eraseAnnouncements, oldestAnnouncement } from '../identity/staff/announcement-service.ts';
import { eraseGuests, oldestGuest } from '../identity/voucher-service.ts';
import { eraseIncidents, oldestIncident } from '../incidents/service.ts';
import type { Erased } from '../kernel/erased.ts';
import { eraseLessons, oldestLesson } from '../lessons/service.ts';
import type { KeptClass } from '../policy/retention-rules.ts';
import { eraseReports, oldestReport } from '../reports/kept-service.ts';
import { eraseFile, oldFiles, oldestFile } from '../retention/old-files.ts';
import type { Kept, KeptFiles, KeptRows } from '../retention/service.ts';
import {
  endedConcerns,
  eraseConcern,
  eraseSightings,
  oldestEnded,
  oldestSighting,
} from '../safeguarding/concerns/service.ts';
import { eraseAlarms, eraseFlagged, oldestAlarm, oldestFlagged } from '../safeguarding/service.ts';
import { eraseRequests, oldestRequest } from '../unblock/service.ts';

/** Runs work while nobody else changes the same files. */
export type Alone = <T>(work: () => Promise<T>) => Promise<T>;

type Folders = Pick<DataLayout, 'history' | 'outbox' | 'reports'>;
type Part = Pick<KeptRows, 'oldest' | 'erase'>;

/** Every class of data that goes by itself, and where it lies. `alone`: of the access history. */
export function keptClasses({ history, outbox, reports }: Folders, alone: Alone = (work) => work()): readonly Kept[] {
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
    rows('flagged', { oldest: oldestFlagged, erase: eraseFlagged }, { oldest: oldestSighting, erase: eraseSightings }),
    rows('dismissedConcerns', concerns('not-a-concern')),
    rows('closedConcerns', concerns('closed')),
    rows('incidents', {
      oldest: oldestIncident,
      erase: (tx, before, most) => eraseIncidents(tx, before, most, (id) => eraseAlertsAbout(tx, `incident:${id}`)),
    }),
    rows('checks', { oldest: oldestCheck, erase: eraseChecks }),
    rows('deliveries', { oldest: oldestDone, erase: eraseDone }),
    files('outbox', outbox),
    rows('requests', { oldest: oldestRequest, erase: eraseRequests }, { oldest: oldestLesson, erase: eraseLessons }),
    rows('reports', { oldest: oldestReport, erase: eraseReports }),
    files('reports', reports),
    rows('leavers', { oldest: oldestLeaver, erase: eraseLeavers }),
    rows('guests', { oldest: oldestGuest, erase: eraseGuests }),
    rows('pastDirectory', { oldest: oldestVersion, erase: eraseVersions }),
    rows(
      'alarms',
      { oldest: oldestAlarm, erase: eraseAlarms },
      { oldest: oldestAnnouncement, erase: eraseAnnouncements },
    ),
    rows('auditDetails', {
      oldest: oldestDetails,
      erase(tx, before, _most, audit) {
        const details = detailsBefore(tx, before);
        if (details.length > 0) audit.erasePayloads(tx, before);
        return details;
      },
    }),
  ];
}

/** A class of several kinds of rows goes in one transaction. */
function rows(name: KeptClass, ...parts: readonly Part[]): KeptRows {
  return {
    in: 'record',
    name,
    oldest: (tx, now) => parts.map((part) => part.oldest(tx, now)).reduce(earlier),
    erase: (tx, before, most, audit) => parts.flatMap((part) => part.erase(tx, before, most, audit)),
  };
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || (b !== null && b < a) ? b : a;
}

/** Few, and each is many rows. */
const CONCERNS_AT_ONCE = 200;

function concerns(state: 'closed' | 'not-a-concern'): Part {
  return {
    oldest: (tx) => oldestEnded(tx, state),
    erase: (tx, before) =>
      endedConcerns(tx, state, before, CONCERNS_AT_ONCE).map(({ id, at }): Erased => {
        eraseAlertsAbout(tx, `concern:${id}`);
        return { line: `concern ${id} ${eraseConcern(tx, id)} sightings`, at };
      }),
  };
}

function files(name: KeptClass, folder: string): KeptFiles {
  return {
    in: 'files',
    name,
    oldest: () => oldestFile(folder),
    due: (before) => oldFiles(folder, before),
    remove: async (file) => eraseFile(folder, file),
  };
}
