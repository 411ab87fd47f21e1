import type { Audit } from '../../audit/service.ts';
import type { AccessRecord } from '../../events/access-record.ts';
import type { IdMaker } from '../../kernel/ids.ts';
import { localTime } from '../../kernel/local-time.ts';
import {
  type SafeguardingRules,
  type Severity,
  SEVERITIES,
  type Theme,
  ruleText,
} from '../../policy/safeguarding-rules.ts';
import type { ReadTx, Tx } from '../../store/database.ts';
import { type Finding, type LocalClock, assess, worstOf } from './assess.ts';
import type { Concern, ConcernAlert } from './model.ts';
import {
  extendSighting,
  insertAct,
  insertAlert,
  insertConcern,
  insertSighting,
  linkEvidence,
  storeFinding,
  undecidedConcern,
  undecidedSightings,
  updateConcern,
} from './repository.ts';
import { type Seen, type Sighting, type Topic, sightingsOf } from './sighting.ts';

/** The rules in force, and the policy that they stand in. */
export interface RulesInForce {
  readonly rules: SafeguardingRules;
  /** Content hash of the policy. */
  readonly policy: string;
  /** IANA zone of the school. */
  readonly zone: string;
}

export interface WatchOptions {
  readonly audit: Audit;
  readonly newId: IdMaker;
  /** Null: no policy is published, or it has no such rules. */
  readonly rulesInForce: () => RulesInForce | null;
  /** The id of the account of a canonical user name; null: there is none. */
  readonly personOf: (tx: ReadTx, user: string) => string | null;
  /** Lessons and unblocks that were in force for somebody at an instant (ms). */
  readonly topicsFor: (
    tx: ReadTx,
    who: Pick<AccessRecord, 'user' | 'client' | 'level'>,
    at: number,
  ) => readonly Topic[];
}

/** What the records of one transaction come to. */
export interface Watching {
  /** Takes a record that was never taken before. */
  see(record: AccessRecord): void;
  /** Raises and adds to the concerns that follow from what was seen; the order in which it was seen does not matter. */
  conclude(): void;
}

/** Looks at records in the transaction of their effects. */
export interface ConcernWatch {
  /** `now`: ms since the epoch. */
  begin(tx: Tx, now: number): Watching;
  /** Whether a record that is no event would say something: a search for a phrase. */
  isTelling(record: AccessRecord, now: number): boolean;
}

/** What a site does in so long, ms, is one sighting. */
const SLOT_MS = 5 * 60_000;

export function createConcernWatch(options: WatchOptions): ConcernWatch {
  return {
    begin(tx, now) {
      const inForce = options.rulesInForce();
      return inForce === null ? IDLE : begin({ ...options, ...inForce, local: localClock(inForce.zone), tx, now });
    },
    isTelling(record, now) {
      const inForce = options.rulesInForce();
      return inForce !== null && sightingsOf(record, inForce.rules, now).length > 0;
    },
  };
}

const IDLE: Watching = { see: () => {}, conclude: () => {} };

interface Work extends WatchOptions, RulesInForce {
  readonly tx: Tx;
  readonly now: number;
  readonly local: LocalClock;
}

/** Many records lie in one minute, and asking a zone's clock costs more than a row of the record. */
function localClock(zone: string): LocalClock {
  const minutes = new Map<number, ReturnType<LocalClock>>();
  return (at) => {
    const minute = Math.floor(at / 60_000);
    let shown = minutes.get(minute);
    if (shown === undefined) minutes.set(minute, (shown = localTime(at, zone)));
    return shown;
  };
}

/** A subject and theme of which something was seen. */
interface Touched {
  readonly subject: string;
  readonly theme: Theme;
  from: number;
  until: number;
  /** Sightings that were not there before. */
  readonly fresh: Set<string>;
}

function begin(work: Work): Watching {
  const touched = new Map<string, Touched>();
  return {
    see(record) {
      for (const seen of sightingsOf(record, work.rules, work.now)) {
        const fresh = keep(work, record, seen);
        const { subject, theme, firstAt } = seen;
        const key = `${subject}\n${theme}`;
        const one = touched.get(key) ?? { subject, theme, from: firstAt, until: firstAt, fresh: new Set<string>() };
        one.from = Math.min(one.from, firstAt);
        one.until = Math.max(one.until, firstAt);
        if (fresh !== null) one.fresh.add(fresh);
        touched.set(key, one);
      }
    },
    conclude() {
      const all = [...touched.values()];
      // One that the record refuses must not come again with what follows it.
      touched.clear();
      for (const one of all) conclude(work, one);
    },
  };
}

/** The id of a sighting of its own; null: it is part of one of the same five minutes. */
function keep({ newId, topicsFor, tx }: Work, record: AccessRecord, seen: Seen): string | null {
  const slot = Math.floor(seen.firstAt / SLOT_MS);
  if (extendSighting(tx, seen, slot)) return null;
  const facts = { ...seen.facts, topics: topicsFor(tx, record, seen.firstAt) };
  const one = { ...seen, id: newId(), lastAt: seen.firstAt, requests: 1, facts };
  insertSighting(tx, one, slot);
  return one.id;
}

function conclude(work: Work, { subject, theme, from, until, fresh }: Touched): void {
  const { tx, rules, local } = work;
  const longest = Math.max(0, ...(rules.themes[theme]?.rules ?? []).map(({ withinMs }) => withinMs));
  const sightings = undecidedSightings(tx, subject, theme, from - longest, until + longest);
  const findings = assess(sightings, theme, rules, local);
  const before = undecidedConcern(tx, subject, theme);
  const worst = worstOf(findings.map(({ rule }) => rule.severity));
  if (before !== null) addTo(work, before, { sightings, findings, worst, fresh });
  else if (worst !== null) open(work, sightings, findings, worst);
}

function open(work: Work, sightings: readonly Sighting[], findings: readonly Finding[], severity: Severity): void {
  const { tx, newId, now, personOf, audit } = work;
  const newest = sightings.reduce((a, b) => (b.lastAt > a.lastAt ? b : a));
  const { subject, theme, level, facts } = newest;
  const concern: Concern = {
    id: newId(),
    subject,
    subjectKind: facts.subjectKind,
    personId: facts.subjectKind === 'person' ? personOf(tx, subject) : null,
    level,
    theme,
    severity,
    state: 'open',
    openedAt: now,
    ...spanOf(sightings),
  };
  insertConcern(tx, concern);
  link(work, concern, sightings, findings);
  note(work, concern, 'opened', findings);
  audit.append(tx, {
    actor: 'console',
    action: 'concern.opened',
    subject: `concern:${concern.id}`,
    after: { theme, severity },
  });
}

interface Addition {
  readonly sightings: readonly Sighting[];
  readonly findings: readonly Finding[];
  readonly worst: Severity | null;
  readonly fresh: ReadonlySet<string>;
}

/** Never muted: what comes is evidence of the concern, and alerts again where it is worse or the rule says so. */
function addTo(work: Work, before: Concern, { sightings, findings, worst, fresh }: Addition): void {
  const { tx, audit } = work;
  const isWorse = worst !== null && SEVERITIES.indexOf(worst) < SEVERITIES.indexOf(before.severity);
  const again = findings.filter(({ rule, counted }) => rule.alertAgain && [...fresh].some((id) => counted.has(id)));
  const newest = sightings.reduce((a, b) => (b.lastAt > a.lastAt ? b : a));
  const span = spanOf(sightings);
  const isAlert = isWorse || again.length > 0;
  const after: Concern = {
    ...before,
    level: newest.lastAt >= before.lastAt ? newest.level : before.level,
    severity: isWorse ? worst : before.severity,
    // Who has acknowledged it has not seen this.
    state: isAlert ? 'open' : before.state,
    firstAt: Math.min(before.firstAt, span.firstAt),
    lastAt: Math.max(before.lastAt, span.lastAt),
  };
  updateConcern(tx, after);
  link(work, after, sightings, findings);
  if (!isAlert) return;
  note(work, after, isWorse ? 'raised' : 'again', isWorse ? findings : again);
  if (!isWorse) return;
  audit.append(tx, {
    actor: 'console',
    action: 'concern.raised',
    subject: `concern:${after.id}`,
    before: { severity: before.severity },
    after: { severity: after.severity },
  });
}

function spanOf(sightings: readonly Sighting[]): { readonly firstAt: number; readonly lastAt: number } {
  return {
    firstAt: Math.min(...sightings.map(({ firstAt }) => firstAt)),
    lastAt: Math.max(...sightings.map(({ lastAt }) => lastAt)),
  };
}

function link(
  { tx, policy }: Work,
  { id }: Concern,
  sightings: readonly Sighting[],
  findings: readonly Finding[],
): void {
  for (const one of sightings) linkEvidence(tx, id, one.id);
  for (const { rule, points } of findings) {
    storeFinding(tx, id, { rule: rule.rule, severity: rule.severity, points, text: ruleText(rule), policy });
  }
}

/** What was done, and the alert that is due for it. */
function note(
  { tx, newId, now }: Work,
  { id, severity }: Concern,
  why: ConcernAlert['why'],
  findings: readonly Finding[],
): void {
  const act = { at: now, act: why, by: null, note: findings.map(({ rule }) => rule.name).join(', ') };
  insertAct(tx, newId(), id, act);
  insertAlert(tx, { id: newId(), concernId: id, at: now, why, severity });
}
