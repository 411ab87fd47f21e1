import { readHead } from '../audit/service.ts';
import { loadCatalogue } from '../categories/catalogue.ts';
import { readManifest } from '../categories/current-index.ts';
import type { DataLayout } from '../config/data-layout.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { directorySnapshot } from '../identity/directory/service.ts';
import { yearText } from '../identity/school-years.ts';
import { findUserName } from '../identity/service.ts';
import { type Clock, isoTime } from '../kernel/clock.ts';
import { localTime } from '../kernel/local-time.ts';
import { datesWithoutSchool } from '../policy/schedule.ts';
import { policySnapshot } from '../policy/service.ts';
import { changesBetween } from '../policy/version-service.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import {
  type ReadStatus,
  type ReadUnblocks,
  type SchoolTime,
  type Span,
  type UnblockOfWeek,
  USUAL_SCHOOL_TIME,
  type WeekStatus,
} from '../reports/ports.ts';
import { createWeeklyReports, type WeeklyReports } from '../reports/service.ts';
import { alarmsBetween, gapsBetween } from '../safeguarding/service.ts';
import { openRecordReadOnly, type ReadTx, type RecordDatabase } from '../store/database.ts';
import { type Unblock, stateAt } from '../unblock/model.ts';
import { outcomeText } from '../unblock/outcome.ts';
import { unblocksBetween } from '../unblock/service.ts';
import { countApart } from './count-apart.ts';

export interface WeeklyReportParts {
  readonly layout: DataLayout;
  /** IANA zone of the school's clocks. */
  readonly zone: string;
  readonly unblocks: ReadUnblocks;
  readonly status: ReadStatus;
  readonly clock: Clock;
  /** Ends a count that is under way. */
  readonly signal?: AbortSignal;
}

/** Weekly reports over the access history of this data folder. Reads only. */
export function createWeeklyReport({
  layout,
  zone,
  unblocks,
  status,
  clock,
  signal,
}: WeeklyReportParts): WeeklyReports {
  return createWeeklyReports({
    count: countApart(layout.history, signal),
    unblocks,
    status,
    zone,
    clock,
  });
}

export interface RecordSources {
  readonly record: RecordDatabase;
  readonly layout: DataLayout;
  readonly listsDir: string;
  readonly clock: Clock;
}

/** What a report needs besides the history, from the record (which may be open for reading only) and the lists in force. */
export function reportSources(sources: RecordSources): {
  readonly unblocks: (span: Span) => UnblockOfWeek[];
  readonly status: (span: Span) => WeekStatus;
} {
  const { record, clock } = sources;
  return {
    unblocks: (span) => record.read((tx) => readUnblocks(tx, span, clock())),
    status: (span) => record.read((tx) => readStatus(tx, span, sources)),
  };
}

/** Reports for a command, beside a console that may run or not. To be closed. */
export function openWeeklyReport(options: Omit<RecordSources, 'record'>): {
  readonly reports: WeeklyReports;
  readonly zone: string;
  /** User names, as the history has them, of those who read a mailbox by `policies/alerts.yaml`. */
  readersOf(mailbox: string): readonly string[];
  close(): void;
} {
  const record = openRecordReadOnly(options.layout.record);
  const zone = schoolZone(record);
  const { layout, clock } = options;
  const reports = createWeeklyReport({ layout, zone, clock, ...reportSources({ ...options, record }) });
  const readersOf = (mailbox: string): readonly string[] =>
    Object.entries(record.read(policySnapshot)?.alerts?.mail ?? {}).flatMap(([user, address]) =>
      address.toLowerCase() === mailbox.toLowerCase() ? [user] : [],
    );
  return { reports, zone, readersOf, close: () => record.close() };
}

/** The zone of the policy in force; before one is published, that of the schools this is made for. */
export function schoolZone(record: RecordDatabase): string {
  return record.read(policySnapshot)?.timeZone ?? 'Europe/London';
}

function readUnblocks(tx: ReadTx, span: Span, now: number): UnblockOfWeek[] {
  const nameOf = (id: string): string => findUserName(tx, id) ?? id;
  return unblocksBetween(tx, span.from, span.until).map((unblock) => ({
    topic: unblock.topic,
    reason: unblock.reason,
    hosts: [...unblock.hosts, ...unblock.categories.map((category) => `category ${category}`)],
    from: isoTime(unblock.from),
    until: isoTime(unblock.until),
    requestedBy: nameOf(unblock.requested.by),
    decidedBy: typeof unblock.decided?.by === 'string' ? nameOf(unblock.decided.by) : null,
    state: outcomeWords(unblock, now),
  }));
}

function readStatus(tx: ReadTx, span: Span, { layout, listsDir }: RecordSources): WeekStatus {
  const [from, until] = [isoTime(span.from), isoTime(span.until)];
  const policy = policySnapshot(tx);
  return {
    school: policy?.school ?? null,
    schoolTime: schoolTime(policy, span),
    alarms: alarmsBetween(tx, from, until),
    gaps: gapsBetween(tx, from, until),
    auditHead: readHead(tx),
    policyChanges: readChanges(tx, span),
    years: readYears(tx),
    circumvention: Object.keys(policy?.safeguarding?.themes.circumvention?.categories ?? {}),
    ...readLists(layout, listsDir),
  };
}

function readYears(tx: ReadTx): WeekStatus['years'] {
  const people = directorySnapshot(tx)?.people ?? [];
  return Object.fromEntries(people.flatMap(({ name, year }) => (year === null ? [] : [[name, yearText(year)]])));
}

function readChanges(tx: ReadTx, { from, until }: Span): WeekStatus['policyChanges'] {
  const nameOf = (id: string): string => findUserName(tx, id) ?? id;
  return changesBetween(tx, from, until).map(({ publishedAt, way, reason, author, approver, changes }) => {
    const people = [author, approver].filter((id) => id !== null).map(nameOf);
    const by = people.length === 0 ? 'the files on disk' : people.join(', ');
    const how = way === 'emergency' ? ' (in an emergency, alone)' : '';
    return { at: isoTime(publishedAt), changes, reason: reason ?? '', by: `${by}${how}` };
  });
}

/** When records are expected: not in the school's holidays. */
function schoolTime(policy: PolicySnapshot | null, span: Span): SchoolTime {
  if (policy?.calendar === undefined) return USUAL_SCHOOL_TIME;
  const [from, until] = [span.from, span.until - 1].map((at) => localTime(at, policy.timeZone).date) as [
    string,
    string,
  ];
  const dates = datesWithoutSchool(policy.calendar, from, until);
  return { ...USUAL_SCHOOL_TIME, closed: dates.map((date) => ({ from: date, until: date })) };
}

type ListsOfWeek = Pick<WeekStatus, 'illegalListLoaded' | 'lists' | 'listsProblem' | 'categoryTitles'>;

/** A report is made also where the lists cannot be read: it then says so. */
function readLists(layout: DataLayout, listsDir: string): ListsOfWeek {
  try {
    const manifest = readManifest(layout);
    const lists = manifest?.lists ?? [];
    const { categories } = loadCatalogue(listsDir);
    return {
      illegalListLoaded: manifest?.illegal !== undefined,
      lists: lists.map(({ id, category, accepted, loadedAt, fromLastGood }) => ({
        id,
        category,
        entries: accepted,
        loadedAt,
        fromLastGood,
      })),
      listsProblem: null,
      categoryTitles: Object.fromEntries(categories.map(({ id, title }) => [id, title])),
    };
  } catch (error) {
    if (!(error instanceof SchoolgateError)) throw error;
    const listsProblem = error.publicText.replaceAll(/\s*\n\s*/g, ' ');
    return { illegalListLoaded: false, lists: [], listsProblem, categoryTitles: {} };
  }
}

/** How it stands, how it was used, and what whoever asked says of it. */
function outcomeWords(unblock: Unblock, now: number): string {
  const { outcome, remark } = unblock;
  const parts = [stateAt(unblock, now), outcome === null ? '' : outcomeText(outcome), remark];
  return parts.filter((part) => part !== '').join('. ');
}
