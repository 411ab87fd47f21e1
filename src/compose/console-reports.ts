import { join } from 'node:path';
import { withoutNames } from '../audit/governors.ts';
import type { AuditPeople } from '../audit/routes.ts';
import type { Audit } from '../audit/service.ts';
import { readManifest } from '../categories/current-index.ts';
import type { DataLayout } from '../config/data-layout.ts';
import type { PeopleMail } from '../delivery/people-mail-service.ts';
import type { Person } from '../identity/accounts.ts';
import { HEARERS, isSubject } from '../identity/conflict-of-interest.ts';
import type { Role } from '../identity/roles.ts';
import { staffPeople } from '../identity/service.ts';
import { INCIDENT_THEMES } from '../incidents/model.ts';
import { incidentTrends } from '../incidents/service.ts';
import { canonicalUser } from '../identity/user-name.ts';
import type { Clock } from '../kernel/clock.ts';
import { replaceFile } from '../kernel/durable-file.ts';
import { localTime } from '../kernel/local-time.ts';
import { SHIPPED_ALERTS, sharersOf } from '../policy/alert-rules.ts';
import { THEMES } from '../policy/safeguarding-rules.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { DigestEntry } from '../reports/digest.ts';
import type { ConcernCount, GovernorsParts } from '../reports/governors.ts';
import type { ReportKind } from '../reports/kept.ts';
import { createKeptReports, type KeptReports, type Reader } from '../reports/kept-service.ts';
import { fifthQuarterBack } from '../reports/period.ts';
import type { Span } from '../reports/ports.ts';
import { type Concern, type ConcernAct, STATES } from '../safeguarding/concerns/model.ts';
import { actsOf, findConcern, newestConcerns } from '../safeguarding/concerns/service.ts';
import type { ReadTx, RecordDatabase } from '../store/database.ts';
import { mayBeSeenBy, subjectsAt } from './concern-alerts.ts';
import { createWeeklyReport, reportSources } from './weekly-report.ts';

export interface ConsoleReportsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly layout: DataLayout;
  readonly listsDir: string;
  readonly policy: () => PolicySnapshot | null;
  readonly defaultZone: string;
  readonly peopleMail: PeopleMail;
  readonly auditPeople: AuditPeople;
}

/** Reports as the console makes, keeps and sends them. */
export interface ConsoleReports {
  readonly keptReports: KeptReports;
  /** Ends a count that is under way. */
  readonly stopReports: () => void;
}

/** Who gets which; where nobody has the first role, whoever has the next. */
const READERS: Readonly<Record<ReportKind, readonly (readonly Role[])[]>> = {
  weekly: [['network-manager']],
  digest: [['safeguarding-lead'], ['headteacher']],
  governors: [['headteacher', 'senior-leadership', 'governor', 'chair-of-governors', 'vice-chair-of-governors']],
};
const MOST_CONCERNS = 20_000;

export function createConsoleReports(options: ConsoleReportsOptions): ConsoleReports {
  const { record, clock, layout, policy, defaultZone } = options;
  const ending = new AbortController();
  const zone = (): string => policy()?.timeZone ?? defaultZone;
  const visibleTo = (tx: ReadTx, personId: string): ((concernId: string) => boolean) => {
    const sees = mayBeSeenBy(tx, personId, clock());
    return (concernId) => {
      const concern = findConcern(tx, concernId);
      return concern !== null && sees(concern);
    };
  };
  const keptReports = createKeptReports({
    ...options,
    zone,
    school: () => policy()?.school ?? null,
    weeklyReports: {
      make: (span) => weekly().make(span),
      explain: (span) => weekly().explain(span),
    },
    concerns: (tx, span) => digestEntries(tx, span, policy(), clock()),
    decisions: (span, months) => decisions(options, span, months),
    readers: (tx, kind, concernIds) => readersOf(tx, kind, concernIds, visibleTo, clock()),
    visibleTo,
    isAbout: (tx) => {
      const subjectsOf = subjectsAt(tx, clock());
      return (concernId, personId) => {
        const concern = findConcern(tx, concernId);
        return concern !== null && isSubject(subjectsOf(concern), personId);
      };
    },
    sharers: (tx, reader) => sharersOf(reader, staffPeople(tx, clock()), policy()?.alerts ?? SHIPPED_ALERTS),
    canonicalUser,
    mail: options.peopleMail,
    keepFiles({ name, html, csv }) {
      replaceFile(join(layout.reports, `${name}.html`), html);
      replaceFile(join(layout.reports, `${name}.csv`), csv);
    },
  });
  // The school's zone is part of its policy, which may have changed since.
  const weekly = () =>
    createWeeklyReport({
      layout,
      zone: zone(),
      clock,
      signal: ending.signal,
      ...reportSources({ ...options, record }),
    });
  return { keptReports, stopReports: () => ending.abort() };
}

type VisibleTo = (tx: ReadTx, personId: string) => (concernId: string) => boolean;

/** Whom a report is for, and those above them who alone may see a concern that it speaks of. */
function readersOf(
  tx: ReadTx,
  kind: ReportKind,
  concernIds: readonly string[],
  visibleTo: VisibleTo,
  now: number,
): readonly Reader[] {
  const people = staffPeople(tx, now);
  const holders = (roles: readonly Role[]): Person[] =>
    people.filter((person) => person.roles.some((role) => roles.includes(role)));
  const readers = READERS[kind].map(holders).find((group) => group.length > 0) ?? [];
  const seen = readers.map((reader) => visibleTo(tx, reader.id));
  const unseen = concernIds.filter((id) => !seen.some((sees) => sees(id)));
  const above = unseen.length === 0 ? [] : holders(HEARERS).filter((person) => unseen.some(visibleTo(tx, person.id)));
  return [...new Set([...readers, ...above])];
}

/** Concerns with an act in the span, and those that nobody had decided about by its end: as they stood then, also where it is made up later. */
function digestEntries(tx: ReadTx, { from, until }: Span, policy: PolicySnapshot | null, now: number): DigestEntry[] {
  const subjectsOf = subjectsAt(tx, now);
  return newestConcerns(tx, MOST_CONCERNS)
    .filter(({ openedAt }) => openedAt < until)
    .map((concern) => ({ concern, acts: actsOf(tx, concern.id).filter(({ at }) => at < until) }))
    .map(({ concern, acts }) => entryOf(concern, acts, from, policy, subjectsOf(concern).isStaff))
    .filter((entry) => entry.isWaiting || entry.opened || entry.worse || entry.again || entry.decided);
}

function entryOf(
  concern: Concern,
  acts: readonly ConcernAct[],
  from: number,
  policy: PolicySnapshot | null,
  isStaff: boolean,
): DigestEntry {
  const state = acts.findLast(({ act }) => act in STATES)?.act as keyof typeof STATES | undefined;
  const within = (wanted: ConcernAct['act']): boolean => acts.some(({ act, at }) => act === wanted && at >= from);
  const level = policy?.levels[concern.level]?.title ?? concern.level;
  return {
    concernId: concern.id,
    theme: THEMES[concern.theme],
    severity: `${concern.severity[0]!.toUpperCase()}${concern.severity.slice(1)}`,
    who: whoInFew(concern, isStaff, level),
    state: STATES[state ?? 'open'],
    isWaiting: state === undefined || state === 'acknowledged',
    openedAt: concern.openedAt,
    opened: concern.openedAt >= from,
    worse: within('raised'),
    again: within('again'),
    decided: within('closed') || within('not-a-concern'),
  };
}

function whoInFew({ subjectKind }: Concern, isStaff: boolean, level: string): string {
  if (isStaff) return 'A member of staff';
  const who = { person: 'A pupil', class: 'The account of a class', device: 'A device with nobody signed in' };
  return `${who[subjectKind]}, ${level}`;
}

function decisions(
  { layout, listsDir, clock, record, policy, defaultZone, auditPeople }: ConsoleReportsOptions,
  span: Span,
  months: readonly string[],
): Pick<GovernorsParts, 'concerns' | 'incidents' | 'policyChanges' | 'unblocks' | 'illegalListLoaded' | 'gaps'> {
  const sources = reportSources({ record, layout, listsDir, clock });
  const zone = policy()?.timeZone ?? defaultZone;
  const hidden = auditPeople.hidden();
  const plain = (text: string): string => withoutNames(text, hidden);
  const { policyChanges, gaps } = sources.status(span);
  return {
    concerns: record.read((tx) => concernCounts(tx, months, zone, clock())),
    incidents: record.read((tx) =>
      incidentTrends(tx, fifthQuarterBack(span.until - 1, zone), span.until, zone).map(
        ({ quarter, theme, incidents }) => ({
          quarter,
          theme: INCIDENT_THEMES[theme],
          incidents,
        }),
      ),
    ),
    policyChanges: policyChanges.map(({ at, changes, reason }) => ({
      at,
      changes: changes.map(plain),
      reason: plain(reason),
      by: '',
    })),
    unblocks: sources.unblocks(span).map(({ from, topic, hosts, reason, state }) => ({
      at: from,
      topic: plain(topic),
      sites: hosts.join(', '),
      reason: plain(reason),
      outcome: plain(state),
    })),
    illegalListLoaded: readManifest(layout)?.illegal !== undefined,
    gaps: gaps.length,
  };
}

/** Of concerns about pupils: those about staff are few, and would be known for who they are. */
function concernCounts(tx: ReadTx, months: readonly string[], zone: string, now: number): ConcernCount[] {
  const subjectsOf = subjectsAt(tx, now);
  const counts = new Map<string, ConcernCount>();
  for (const concern of newestConcerns(tx, MOST_CONCERNS)) {
    const month = localTime(concern.openedAt, zone).date.slice(0, 7);
    if (!months.includes(month) || subjectsOf(concern).isStaff) continue;
    const key = `${month} ${concern.theme}`;
    const theme = THEMES[concern.theme];
    const known = counts.get(key) ?? { month, theme, opened: 0, dismissed: 0, closed: 0, waiting: 0 };
    const is = (...states: readonly Concern['state'][]): number => (states.includes(concern.state) ? 1 : 0);
    counts.set(key, {
      ...known,
      opened: known.opened + 1,
      dismissed: known.dismissed + is('not-a-concern'),
      closed: known.closed + is('closed'),
      waiting: known.waiting + is('open', 'acknowledged'),
    });
  }
  return [...counts.values()].sort((a, b) => b.opened - a.opened || (a.theme < b.theme ? -1 : 1));
}
