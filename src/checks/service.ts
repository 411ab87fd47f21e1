// timetable, button ──► self-test ──► log ──┬── failed: alarm, mail
// person ── form ──► log                    └── overdue: alarm, mail
import type { Actor } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import { type Clock, WEEK_MS } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { type Check, EVERY_DAYS, type TypedCheck, overdueChecks, readCheck } from './model.ts';
import { findCheck, insertCheck, lastCheck, newestChecks, oldestCheck } from './repository.ts';
import { type TriedSample, resultOf } from './self-test.ts';

/** For whoever deletes what is too old. */
export { eraseChecks, oldestCheck } from './repository.ts';

/** A line of the log for people. */
export interface ShownCheck extends Check {
  /** Full name; null: the timetable. */
  readonly byName: string | null;
}

/** What a self-test found at one level; `level` null: it holds for all of them. */
export interface LevelFound {
  readonly level: string | null;
  readonly samples: readonly TriedSample[];
}

/** The log of checks that the filter does what it should. */
export interface Checks {
  /** Newest first. */
  list(): ShownCheck[];
  /** Throws a SchoolgateError: `check_unknown`. */
  one(id: string): ShownCheck;
  /** Puts a person's check into the log; the same form (`formKey`) once. Throws an InvalidFieldsError. */
  record(actor: Actor, typed: TypedCheck, formKey: string): void;
  /** Tries every level and puts what it finds into the log. One at a time: whoever asks meanwhile has the same one. `by` null: the timetable. */
  selfTest(by: Actor | null): Promise<void>;
  isTesting(): boolean;
  /** Raises an alarm, and mails, when a check is overdue: once a week. */
  remind(): void;
  /** What is overdue now, in sentences. */
  overdue(): readonly string[];
}

export interface ChecksOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly newId: IdMaker;
  readonly timeZone: () => string;
  readonly levels: () => readonly string[];
  /** How often people check, days; null: the school has not said. */
  readonly everyDays: () => number | null;
  readonly fullNameOf: (tx: ReadTx, personId: string) => string | null;
  /** Tries the samples of every level through the proxy. Never rejects. */
  readonly tryAll: () => Promise<readonly LevelFound[]>;
  readonly raise: (code: 'self-test-failed' | 'check-overdue', text: string) => void;
  /** In the transaction: tells whoever sees to the filter. The same `about` is told once. */
  readonly tell: (tx: Tx, about: string, subject: string, text: string) => void;
}

const MOST = 5000;

export function createChecks(options: ChecksOptions): Checks {
  const { record, clock } = options;
  const show = (tx: ReadTx, check: Check): ShownCheck => ({
    ...check,
    byName: check.by === null ? null : (options.fullNameOf(tx, check.by) ?? check.by),
  });
  let running: Promise<void> | null = null;
  return {
    list: () => record.read((tx) => newestChecks(tx, MOST).map((check) => show(tx, check))),
    one: (id) =>
      record.read((tx) => {
        const check = findCheck(tx, id);
        if (check === null) throw new SchoolgateError('check_unknown', 'client', 'There is no such check.');
        return show(tx, check);
      }),
    record: (actor, typed, formKey) => recordCheck(options, actor, typed, formKey),
    selfTest(by) {
      running ??= runSelfTest(options, by).finally(() => (running = null));
      return running;
    },
    isTesting: () => running !== null,
    remind: () => remind(options),
    overdue: () => overdue(options, clock()),
  };
}

function recordCheck(options: ChecksOptions, actor: Actor, typed: TypedCheck, formKey: string): void {
  const { record, audit, clock, newId } = options;
  const read = readCheck(typed, { now: clock(), zone: options.timeZone(), levels: options.levels() });
  const check: Check = { ...read, id: newId(), kind: 'human', by: actor.personId, samples: [] };
  record.write((tx) => {
    if (!insertCheck(tx, check, formKey)) return;
    audit.append(tx, {
      actor: actor.userName,
      action: 'check.recorded',
      subject: `check:${check.id}`,
      after: { level: check.level, result: check.result },
      address: actor.address,
    });
  });
}

async function runSelfTest(options: ChecksOptions, by: Actor | null): Promise<void> {
  const { record, audit, clock, newId, raise, tell } = options;
  const found = (await options.tryAll()).filter(({ samples }) => samples.length > 0);
  const at = clock();
  const checks = found.map(({ level, samples }): Check => ({
    id: newId(),
    kind: 'self',
    at,
    by: by?.personId ?? null,
    level,
    device: 'Schoolgate',
    place: 'The proxy of this machine',
    tested: samples.map(({ what }) => what).join(', '),
    result: resultOf(samples),
    action: '',
    samples,
  }));
  const failed = checks.filter(({ result }) => result === 'failed');
  const text = failed.map(failureText).join('\n');
  record.write((tx) => {
    for (const check of checks) insertCheck(tx, check, null);
    audit.append(tx, {
      actor: by?.userName ?? 'console',
      action: 'check.self-tested',
      subject: 'checks:self',
      after: { levels: checks.map(({ level, result }) => ({ level, result })) },
      address: by?.address ?? null,
    });
    if (failed.length > 0) tell(tx, `check:${failed[0]!.id}`, 'Schoolgate: the filter’s self-test failed', text);
  });
  if (failed.length > 0) raise('self-test-failed', text.replaceAll('\n', ' '));
}

function failureText({ level, samples }: Check): string {
  const wrong = samples.filter(({ result }) => result === 'failed');
  const each = wrong.map(({ what, host, why }) => `${what}, ${host}: ${why}`).join(' ');
  return `Self-test${level === null ? '' : ` at level ${level}`}: ${each}`;
}

function overdue(options: ChecksOptions, now: number): readonly string[] {
  const everyDays = options.everyDays() ?? EVERY_DAYS;
  return options.record.read((tx) => {
    const last = { human: lastCheck(tx, 'human'), self: lastCheck(tx, 'self'), since: oldestCheck(tx) ?? now };
    return overdueChecks(last, now, everyDays);
  });
}

function remind(options: ChecksOptions): void {
  const { record, clock, raise, tell } = options;
  const now = clock();
  const due = overdue(options, now);
  if (due.length === 0) return;
  const text = due.join(' ');
  // A week has one reminder, however often the timetable looks.
  const about = `check-overdue:${Math.floor(now / WEEK_MS)}`;
  record.write((tx) => tell(tx, about, 'Schoolgate: a check of the filter is due', text));
  raise('check-overdue', text);
}
