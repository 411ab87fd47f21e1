import type { Actor } from '../../audit/entry.ts';
import type { Audit } from '../../audit/service.ts';
import type { Clock } from '../../kernel/clock.ts';
import { SchoolgateError, wrongField } from '../../kernel/errors.ts';
import type { IdMaker } from '../../kernel/ids.ts';
import { SEVERITIES, type Theme } from '../../policy/safeguarding-rules.ts';
import type { ReadTx, RecordDatabase, Tx } from '../../store/database.ts';
import {
  type Concern,
  type ConcernAct,
  type ConcernFinding,
  type ConcernMove,
  type ConcernState,
  type RuleTuning,
  applyMove,
} from './model.ts';
import {
  actsOf,
  concernsAbout,
  concernsOf,
  evidenceOf,
  findConcern,
  findingsForTuning,
  findingsOf,
  insertAct,
  newestConcerns,
  openConcerns,
  updateConcern,
} from './repository.ts';
import type { Sighting } from './sighting.ts';

/** For whoever sends alerts and reports, and says what nobody may know of. */
export {
  actsOf,
  alertsToTake,
  concernsOfPeople,
  findConcern,
  markAlertTaken,
  newestConcerns,
  peopleOfConcern,
} from './repository.ts';
/** For data whose time has come. */
export { endedConcerns, eraseConcern, eraseSightings, oldestEnded, oldestSighting } from './repository.ts';

/** A concern as somebody may see it. */
export interface NamedConcern extends Concern {
  /** Full name of a person; else the user name or the address. */
  readonly name: string;
}

export interface ConcernDetail {
  readonly concern: NamedConcern;
  readonly evidence: readonly Sighting[];
  readonly findings: readonly ConcernFinding[];
  /** `byName`: full name of whoever acted; null: the rules. */
  readonly acts: readonly (ConcernAct & { readonly byName: string | null })[];
  /** Others of the same subject, newest first. */
  readonly others: readonly NamedConcern[];
  /** Of other people, of the same theme within two hours: who may have done it together. */
  readonly alongside: readonly NamedConcern[];
}

/** What an adult must look at. Whoever may not see a concern is told that there is none. */
export interface Concerns {
  /** Newest evidence first, the newest thousands. A look is on record. */
  list(actor: Actor, asked: Readonly<Record<string, string>>): NamedConcern[];
  /** Throws a SchoolgateError (`concern_unknown`), as all of these do. A look is on record. */
  one(actor: Actor, id: string): ConcernDetail;
  /** Acknowledges, calls it no concern, or closes. Throws `concern_move`, and an InvalidFieldsError where a reason is missing. */
  move(actor: Actor, id: string, move: ConcernMove, note: string): void;
  /** Of the rules of concerns that the actor may see, the most dismissed first. */
  tuning(actor: Actor): RuleTuning[];
  /** How many are open that this person may see. */
  open(personId: string): number;
}

export interface ConcernsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly newId: IdMaker;
  /** Which concerns a person may see, whatever their roles. Asked by every read and every act. */
  readonly visibleTo: (tx: ReadTx, personId: string) => (concern: Concern) => boolean;
  readonly fullNameOf: (tx: ReadTx, personId: string) => string | null;
  /** Somebody sees to a concern; in the same transaction. */
  readonly onMoved: (tx: Tx, concernId: string, personId: string) => void;
}

const MOST = 5000;
const TOGETHER_MS = 2 * 3_600_000;
const NOTES: Readonly<Record<ConcernMove, string | null>> = {
  acknowledge: null,
  dismiss: 'Say why it is no concern: the rules are tuned by it.',
  close: 'Say what was done, and where it is written down.',
};
const ACTIONS = {
  acknowledge: 'concern.acknowledged',
  dismiss: 'concern.dismissed',
  close: 'concern.closed',
} as const;

export function createConcerns(options: ConcernsOptions): Concerns {
  const { record, audit } = options;
  return {
    list: (actor, asked) =>
      record.write((tx) => {
        const { userName, address } = actor;
        audit.append(tx, { actor: userName, action: 'concerns.listed', subject: 'concerns', after: asked, address });
        return named(options, tx, visible(options, tx, actor.personId, newestConcerns(tx, MOST)));
      }),
    one: (actor, id) =>
      record.write((tx) => {
        const concern = known(options, tx, actor.personId, id);
        const { userName, address } = actor;
        audit.append(tx, { actor: userName, action: 'concern.looked-at', subject: `concern:${id}`, address });
        return detail(options, tx, actor.personId, concern);
      }),
    move: (actor, id, move, text) => makeMove(options, actor, id, move, text),
    tuning: (actor) => record.read((tx) => tuning(options, tx, actor.personId)),
    open: (personId) => record.read((tx) => visible(options, tx, personId, openConcerns(tx)).length),
  };
}

function visible(
  { visibleTo }: ConcernsOptions,
  tx: ReadTx,
  personId: string,
  concerns: readonly Concern[],
): readonly Concern[] {
  return concerns.filter(visibleTo(tx, personId));
}

function known(options: ConcernsOptions, tx: ReadTx, personId: string, id: string): Concern {
  const concern = findConcern(tx, id);
  if (concern !== null && options.visibleTo(tx, personId)(concern)) return concern;
  throw new SchoolgateError('concern_unknown', 'client', 'There is no such concern.');
}

function named({ fullNameOf }: ConcernsOptions, tx: ReadTx, concerns: readonly Concern[]): NamedConcern[] {
  return concerns.map((concern) => ({
    ...concern,
    name: (concern.personId === null ? null : fullNameOf(tx, concern.personId)) ?? concern.subject,
  }));
}

function detail(options: ConcernsOptions, tx: ReadTx, personId: string, concern: Concern): ConcernDetail {
  const { fullNameOf } = options;
  const shown = (concerns: readonly Concern[]): NamedConcern[] =>
    named(options, tx, visible(options, tx, personId, concerns));
  return {
    concern: named(options, tx, [concern])[0]!,
    evidence: evidenceOf(tx, concern.id),
    findings: findingsOf(tx, concern.id),
    acts: actsOf(tx, concern.id).map((act) =>
      Object.assign(act, { byName: act.by === null ? null : (fullNameOf(tx, act.by) ?? act.by) }),
    ),
    others: shown(concernsOf(tx, concern.subject).filter(({ id }) => id !== concern.id)),
    alongside: shown(concernsAbout(tx, concern, TOGETHER_MS)),
  };
}

function makeMove(options: ConcernsOptions, actor: Actor, id: string, move: ConcernMove, text: string): void {
  const { record, audit, clock, newId } = options;
  const note = text.trim();
  if (note === '' && NOTES[move] !== null) throw wrongField('note', NOTES[move]);
  record.write((tx) => {
    const before = known(options, tx, actor.personId, id);
    const after = applyMove(before, move);
    updateConcern(tx, after);
    const act = after.state as Exclude<ConcernState, 'open'>;
    insertAct(tx, newId(), id, { at: clock(), act, by: actor.personId, note });
    options.onMoved(tx, id, actor.personId);
    audit.append(tx, {
      actor: actor.userName,
      action: ACTIONS[move],
      subject: `concern:${id}`,
      before: { state: before.state },
      after: { state: after.state },
      reason: note === '' ? null : note,
      address: actor.address,
    });
  });
}

/** Reasons of a rule that are shown. */
const SHOWN_REASONS = 5;

function tuning(options: ConcernsOptions, tx: ReadTx, personId: string): RuleTuning[] {
  const themes = new Map<string, Theme>();
  for (const { id, theme } of visible(options, tx, personId, newestConcerns(tx, MOST))) themes.set(id, theme);
  const seen = findingsForTuning(tx).filter(({ concernId }) => themes.has(concernId));
  return [...Map.groupBy(seen, ({ rule }) => rule)]
    .map(([rule, made]) => {
      const reasons = made.flatMap(({ reason }) => reason ?? []);
      const severity = SEVERITIES.find((one) => made.some((finding) => finding.severity === one))!;
      return {
        rule,
        theme: themes.get(made[0]!.concernId)!,
        severity,
        concerns: made.length,
        dismissed: reasons.length,
        reasons: reasons.slice(0, SHOWN_REASONS),
      };
    })
    .sort((a, b) => b.dismissed - a.dismissed || b.concerns - a.concerns || (a.rule < b.rule ? -1 : 1));
}
