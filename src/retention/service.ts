// timetable ──► each class of data: what is too old goes ──► proof in the record of acts
import { setImmediate } from 'node:timers/promises';
import { type Actor, payloadOf } from '../audit/entry.ts';
import { type Audit, newestRowOf } from '../audit/service.ts';
import { type Clock, DAY_MS } from '../kernel/clock.ts';
import type { Erased } from '../kernel/erased.ts';
import { wrongField } from '../kernel/errors.ts';
import type { KeptClass } from '../policy/retention-rules.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { type Deleted, deletedOf, goneOf, type Going, type Proof, proveDeletion } from './proof.ts';
import { allGoing, deleteHold, findHold, forgetGoing, type Hold, insertHold, noteGoing } from './repository.ts';

/** A class of data that lies in the record. */
export interface KeptRows {
  readonly in: 'record';
  readonly name: KeptClass;
  /** From when the oldest comes that will go one day, at `now`; both ms; null: there is none. */
  oldest(tx: ReadTx, now: number): number | null;
  /** Deletes some of what is older than `before` (ms), about `most`; none: it is all gone. Its proof is put on record by whoever calls. */
  erase(tx: Tx, before: number, most: number, audit: Audit): readonly Erased[];
}

/** A class of data that lies in files, or in folders of them. */
export interface KeptFiles {
  readonly in: 'files';
  readonly name: KeptClass;
  oldest(): number | null;
  /** What is older than `before`, ms. */
  due(before: number): readonly Going[];
  /** Deletes one by its name: it is gone from disk when this resolves. Doing it again is no harm. */
  remove(name: string): Promise<void>;
}

export type Kept = KeptRows | KeptFiles;

/** How a class of data stands. */
export interface Standing {
  readonly name: KeptClass;
  readonly days: number;
  /** From when the oldest there is comes, ms; null: there is none. */
  readonly oldest: number | null;
  /** It should have gone days ago, and nobody holds it. */
  readonly overdue: boolean;
  /** Null: it goes when its time has come. */
  readonly hold: Hold | null;
  /** The last deletion, with its row in the record of acts; null: there was none yet. */
  readonly last: { readonly row: number; readonly at: string; readonly proof: Proof | null } | null;
}

export interface RetentionOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly classes: readonly Kept[];
  /** How long a class is kept now, in days. */
  readonly daysKept: (kept: KeptClass) => number;
}

/** Data goes by itself when its time has come, with proof. */
export interface Retention {
  /**
   * Deletes what is too old, class by class. Each batch of rows is one transaction with its proof. Files are written down before the first
   * goes, and their proof after the last: a run that was killed is finished by the next. A class that fails leaves the others alone;
   * rejects then, with all that failed.
   */
  run(): Promise<void>;
  standing(): readonly Standing[];
  /** Nothing of a class is deleted from now on (`isHeld`), or it goes again by its time. Throws an InvalidFieldsError without a reason. */
  hold(actor: Actor, kept: KeptClass, isHeld: boolean, reason: string): void;
}

/** Rows of one transaction, so that whoever waits for a page has their turn. */
const MOST_ROWS = 5000;
/** A run a day, of which two may fail. */
const GRACE_MS = 3 * DAY_MS;
const PROOF = 'retention.deleted';

export function createRetention(options: RetentionOptions): Retention {
  const { record, clock, classes, daysKept } = options;
  return {
    async run() {
      const failures: Error[] = [];
      for (const kept of classes) {
        try {
          const before = clock() - daysKept(kept.name) * DAY_MS;
          await (kept.in === 'record' ? eraseRows(options, kept, before) : eraseFiles(options, kept, before));
        } catch (cause) {
          failures.push(new Error(`${kept.name}: ${(cause as Error).message}`, { cause }));
        }
      }
      record.forget();
      if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('; '));
    },
    hold: (actor, kept, isHeld, reason) => hold(options, actor, kept, isHeld, reason.trim()),
    standing: () => record.read((tx) => standingsOf(tx, classes, daysKept, clock())),
  };
}

async function eraseRows({ record, audit }: RetentionOptions, kept: KeptRows, before: number): Promise<void> {
  const eraseSome = (tx: Tx): boolean => {
    if (findHold(tx, kept.name) !== null) return false;
    const erased = kept.erase(tx, before, MOST_ROWS, audit);
    if (erased.length === 0) return false;
    prove(tx, audit, kept, before, deletedOf(erased));
    return true;
  };
  while (record.write(eraseSome)) await setImmediate();
}

async function eraseFiles({ record, audit }: RetentionOptions, kept: KeptFiles, before: number): Promise<void> {
  const due = kept.due(before);
  const going = record.write((tx) => {
    if (findHold(tx, kept.name) !== null) return [];
    for (const one of due) noteGoing(tx, kept.name, one);
    return allGoing(tx, kept.name);
  });
  if (going.length === 0) return;
  for (const { name } of going) await kept.remove(name);
  record.write((tx) => {
    prove(tx, audit, kept, before, goneOf(going));
    forgetGoing(tx, kept.name);
  });
}

const MOST_REASON = 500;

function hold(
  { record, audit, clock }: RetentionOptions,
  actor: Actor,
  kept: KeptClass,
  isHeld: boolean,
  reason: string,
): void {
  if (reason === '' || reason.length > MOST_REASON)
    throw wrongField('reason', `Say why, in at most ${MOST_REASON} characters.`);
  record.write((tx) => {
    // Sent twice, it is done once.
    if ((findHold(tx, kept) !== null) === isHeld) return;
    if (isHeld) insertHold(tx, kept, reason, actor.personId, clock());
    else deleteHold(tx, kept);
    const action = isHeld ? 'retention.held' : 'retention.freed';
    const { userName, address } = actor;
    audit.append(tx, { actor: userName, action, subject: subjectOf(kept), reason, address });
  });
}

function prove(tx: Tx, audit: Audit, { name }: Kept, before: number, deleted: Deleted): void {
  const after = proveDeletion(before, deleted);
  audit.append(tx, { actor: 'console', action: PROOF, subject: subjectOf(name), after });
}

function subjectOf(kept: KeptClass): string {
  return `retention:${kept}`;
}

/** How each class stands at `now`, ms. What lies at two places is one class. */
export function standingsOf(
  tx: ReadTx,
  classes: readonly Kept[],
  daysKept: RetentionOptions['daysKept'],
  now: number,
): Standing[] {
  const places = Map.groupBy(classes, ({ name }) => name);
  return Array.from(places, ([name, parts]) => {
    const days = daysKept(name);
    const oldest = parts
      .map((kept) => (kept.in === 'record' ? kept.oldest(tx, now) : kept.oldest()))
      .filter((at) => at !== null)
      .reduce<number | null>((first, at) => (first === null || at < first ? at : first), null);
    const row = newestRowOf(tx, subjectOf(name), [PROOF]);
    const held = findHold(tx, name);
    return {
      name,
      days,
      oldest,
      hold: held,
      overdue: held === null && oldest !== null && oldest < now - days * DAY_MS - GRACE_MS,
      last: row && { row: row.seq, at: row.at, proof: (payloadOf(row)?.after as Proof | undefined) ?? null },
    };
  });
}
