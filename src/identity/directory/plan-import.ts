import { createHash } from 'node:crypto';
import type { Problem } from '../../kernel/errors.ts';
import type { ClassMove, Roster, RosterPerson } from '../roster/roster.ts';
import { canonicalUser } from '../user-name.ts';
import { type Account, type PersonFacts, type StoredPerson, changesOf, factsOf } from './model.ts';

/** Somebody new. `account`: the account of that user name, which nobody had in a roster before. */
export interface Addition {
  readonly sourceId: string;
  readonly facts: PersonFacts;
  readonly account: string | null;
}

export interface Change {
  readonly before: StoredPerson;
  readonly sourceId: string;
  readonly facts: PersonFacts;
  /** In words. */
  readonly changes: readonly string[];
}

/** What an import would do. */
export interface ImportPlan {
  readonly added: readonly Addition[];
  readonly changed: readonly Change[];
  readonly leaving: readonly StoredPerson[];
  /** People of the roster who stay as they are. */
  readonly same: number;
  /** What does not fit with people who are there already; they are left out. */
  readonly problems: readonly Problem[];
}

/** Stands for all that an import would do and what is wrong with it: another digest is another import. */
export function importDigest(roster: Roster, { added, changed, leaving, problems }: ImportPlan): string {
  const { source, classes, problems: wrong } = roster;
  const ids = leaving.map(({ id }) => id);
  const whole = [source, [...classes], added, changed, ids, wrong, problems];
  return createHash('sha256').update(JSON.stringify(whole)).digest('hex');
}

interface Step {
  readonly person: Pick<RosterPerson, 'file' | 'line'> | null;
  readonly before: StoredPerson | null;
  readonly sourceId: string;
  readonly facts: PersonFacts;
}

/** The difference between a roster and the directory. Somebody in another source's roster with the same user name is the same person. */
export function planImport(roster: Roster, stored: readonly StoredPerson[], accounts: readonly Account[]): ImportPlan {
  const own = new Map(stored.filter(({ source }) => source === roster.source).map((one) => [one.sourceId, one]));
  const others = new Map(
    stored.filter(({ source, leftAt }) => source !== roster.source && leftAt === null).map((one) => [keyOf(one), one]),
  );
  const steps = roster.people
    .filter(({ status }) => status === 'active')
    .map((person): Step => {
      const before = own.get(person.sourceId) ?? others.get(keyOf(person)) ?? null;
      return { person, before, sourceId: person.sourceId, facts: factsOf(person, before, roster.isIncomplete) };
    });
  const leaving = whoLeaves(roster, own);
  const moved = moveBetweenClasses(roster.moves, steps, own, new Set(leaving.map(({ id }) => id)));
  const accountOf = new Map(accounts.map(({ id, userKey }) => [userKey, id]));
  const { fit, misfits } = withoutConsoleUsers(moved, accountOf);
  const { kept, problems } = withoutNameClashes(fit, stored, leaving);
  const added = kept.flatMap(({ before, sourceId, facts }) =>
    before === null ? [{ sourceId, facts, account: accountOf.get(keyOf(facts)) ?? null }] : [],
  );
  const compared = kept.flatMap(({ before, sourceId, facts }) =>
    before === null ? [] : [{ before, sourceId, facts, changes: changesOf(before, facts, roster.source) }],
  );
  const changed = compared.filter(({ changes }) => changes.length > 0);
  return { added, changed, leaving, same: compared.length - changed.length, problems: [...misfits, ...problems] };
}

/** Whoever the roster says has left, and, where it names everybody, whoever it does not name. */
function whoLeaves(roster: Roster, own: ReadonlyMap<string, StoredPerson>): StoredPerson[] {
  const said = new Set(roster.people.filter(({ status }) => status === 'left').map(({ sourceId }) => sourceId));
  const named = new Set([...roster.people.map(({ sourceId }) => sourceId), ...roster.unusable]);
  const namesAll = roster.scope === 'all' && !roster.isIncomplete;
  return [...own.values()].filter(
    ({ sourceId, leftAt }) => leftAt === null && (said.has(sourceId) || (namesAll && !named.has(sourceId))),
  );
}

function moveBetweenClasses(
  moves: readonly ClassMove[],
  steps: readonly Step[],
  own: ReadonlyMap<string, StoredPerson>,
  leaving: ReadonlySet<string>,
): Step[] {
  const bySource = new Map(steps.map((step) => [step.sourceId, step]));
  for (const { personId, className, as, joins } of moves) {
    const before = own.get(personId);
    const isThere = before !== undefined && before.leftAt === null && !leaving.has(before.id);
    const step =
      bySource.get(personId) ?? (isThere ? { person: null, before, sourceId: personId, facts: before } : null);
    if (step === null) continue;
    const rest = step.facts[as].filter((name) => name !== className);
    const facts = { ...step.facts, [as]: joins ? [...rest, className].sort() : rest };
    bySource.set(personId, { ...step, facts });
  }
  return [...bySource.values()];
}

/**
 * Whoever has or had a role in the console is not made a pupil, nor several people: no roster decides who has a role, and a pupil never
 * has one. They stay as they are until a person has looked.
 */
function withoutConsoleUsers(
  steps: readonly Step[],
  accountOf: ReadonlyMap<string, string>,
): { fit: Step[]; misfits: Problem[] } {
  const isMisfit = ({ before, facts }: Step): boolean =>
    (facts.kind === 'class' || facts.roles.includes('pupil')) && (before?.isConsoleUser ?? accountOf.has(keyOf(facts)));
  const misfits = steps.filter(isMisfit).flatMap(({ person, facts }) => {
    if (person === null) return [];
    const { file, line } = person;
    const reason = `${facts.userName} has or had a role in the console, so this cannot be a pupil or a class; this line is left out. If it is somebody else, give them another user name`;
    return [{ file, line, reason }];
  });
  return { fit: steps.filter((step) => !isMisfit(step)), misfits };
}

/**
 * Two people cannot have one user name. A name is free once whoever had it has left or has another one; the name of somebody with
 * a role in the console never is. Who is left out keeps the name they had, which may be another's new one: so again until none is.
 */
function withoutNameClashes(
  steps: readonly Step[],
  stored: readonly StoredPerson[],
  leaving: readonly StoredPerson[],
): { kept: Step[]; problems: Problem[] } {
  const gone = new Set(leaving.map(({ id }) => id));
  const stays = stored.filter(({ id, leftAt, isConsoleUser }) => isConsoleUser || (leftAt === null && !gone.has(id)));
  const problems: Problem[] = [];
  let kept = [...steps];
  for (;;) {
    const stepping = new Set(kept.map(({ before }) => before?.id));
    const holders = new Map(stays.filter(({ id }) => !stepping.has(id)).map((one) => [keyOf(one), one]));
    const clashes = kept.filter(({ facts }) => holders.has(keyOf(facts)));
    if (clashes.length === 0) return { kept, problems };
    for (const { person, facts } of clashes) {
      if (person === null) continue;
      const { file, line } = person;
      const reason = `the user name ${facts.userName} belongs to somebody else in the directory; this person is left out`;
      problems.push({ file, line, reason });
    }
    kept = kept.filter((step) => !clashes.includes(step));
  }
}

function keyOf({ userName }: { readonly userName: string }): string {
  return canonicalUser(userName) ?? userName;
}
