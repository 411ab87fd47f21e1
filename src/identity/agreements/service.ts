import type { Actor } from '../../audit/entry.ts';
import type { Audit } from '../../audit/service.ts';
import { type Clock, isoTime } from '../../kernel/clock.ts';
import { SchoolgateError } from '../../kernel/errors.ts';
import type { Publishing } from '../../publishing/service.ts';
import type { ReadTx, RecordDatabase, Tx } from '../../store/database.ts';
import { accountState, listedState } from '../account-state.ts';
import type { PersonName } from '../accounts.ts';
import { type RosteredPerson, fullName } from '../directory/model.ts';
import { findStoredPerson } from '../directory/repository.ts';
import type { Whom } from '../directory/service.ts';
import type { IdentityRules } from '../identify.ts';
import { findById, findByUserKey, findUserName } from '../repository.ts';
import { canonicalUser } from '../user-name.ts';
import { type Agreement, agreementFor, nextYear } from './agreement.ts';
import {
  type CurrentAcceptance,
  currentAcceptance,
  currentAcceptances,
  insertAcceptance,
  withdrawAcceptances,
} from './repository.ts';

/** Somebody in a list of who has agreed. */
export interface AgreementState {
  readonly id: string;
  readonly userName: string;
  readonly fullName: string;
  readonly level: string;
  readonly classes: readonly string[];
  readonly band: string;
  readonly by: Agreement['by'];
  /** ISO 8601; null: not yet, or not to what is asked now. */
  readonly acceptedAt: string | null;
  /** User name of who recorded a parent's consent. */
  readonly recordedBy: string | null;
}

/** Who has accepted what. Every use case is one transaction. */
export interface Agreements {
  /** What somebody has yet to agree to; null: nothing. */
  owed(tx: ReadTx, person: PersonName): Agreement | null;
  /** They accept what they owe, if it is this version; else nothing happens. Gives whether they did. */
  accept(person: PersonName, version: string, address: string): boolean;
  /** Records that a parent has agreed. Throws `person_unknown`, `consent_not_asked`. */
  recordConsent(actor: Actor, whom: Whom): void;
  /** What was agreed for somebody this year counts no more. Throws `person_unknown`, `consent_missing`. */
  withdraw(actor: Actor, whom: Whom): void;
  /** Of one person, whose page is looked at; null: they are asked nothing. */
  stateOf(personId: string): AgreementState | null;
  /** Who of the directory is asked for an agreement, and whether they have given it; looking is put on record. */
  list(actor: Actor, filter: { readonly className?: string; readonly missing?: boolean }): AgreementState[];
}

/** What is needed of the policy in force. */
export interface AgreementPolicy extends IdentityRules {
  readonly timeZone: string;
}

export interface AgreementsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly publishing: Publishing;
  readonly clock: Clock;
  /** Null before the first policy. */
  readonly policy: () => AgreementPolicy | null;
  /** Everybody who is in the roster, read once for all pages. */
  readonly members: () => readonly RosteredPerson[];
}

export function createAgreements(options: AgreementsOptions): Agreements {
  return {
    owed: (tx, person) => owed(options, tx, person),
    accept: (person, version, address) => accept(options, person, version, address),
    recordConsent: (actor, whom) => recordConsent(options, actor, whom),
    withdraw: (actor, whom) => withdraw(options, actor, whom),
    stateOf: (personId) =>
      options.record.read((tx) => {
        const person = findStoredPerson(tx, personId);
        if (person === null || person.leftAt !== null) return null;
        return stateOf(options, person, currentAcceptance(tx, personId, options.clock()), (id) => findUserName(tx, id));
      }),
    list: (actor, filter) => list(options, actor, filter),
  };
}

/** The agreement for somebody, whether they have accepted it or not. An account that a class shares cannot agree to anything. */
function asked({ policy }: AgreementsOptions, tx: ReadTx, person: PersonName): Agreement | null {
  const rules = policy();
  if (rules?.agreements === undefined) return null;
  const { kind, level } = accountState(tx, rules, person);
  return kind === 'class' ? null : agreementFor(rules.agreements, level);
}

function owed(options: AgreementsOptions, tx: ReadTx, person: PersonName): Agreement | null {
  const agreement = asked(options, tx, person);
  if (agreement === null) return null;
  return currentAcceptance(tx, person.id, options.clock())?.version === agreement.version ? null : agreement;
}

function accept(options: AgreementsOptions, person: PersonName, version: string, address: string): boolean {
  const isAccepted = options.record.write((tx) => {
    const agreement = owed(options, tx, person);
    if (agreement === null || agreement.version !== version || agreement.by !== 'person') return false;
    keep(options, tx, person, agreement, { personId: null, userName: person.userName, address });
    return true;
  });
  void options.publishing.send();
  return isAccepted;
}

function keep(
  { policy, clock, audit, publishing }: AgreementsOptions,
  tx: Tx,
  person: PersonName,
  agreement: Agreement,
  by: { readonly personId: string | null; readonly userName: string; readonly address: string },
): void {
  const { agreements, timeZone } = policy()!;
  const at = clock();
  const until = nextYear(at, agreements!.yearBegins, timeZone);
  insertAcceptance(tx, { personId: person.id, agreement, at, until, recordedBy: by.personId });
  audit.append(tx, {
    actor: by.userName,
    action: by.personId === null ? 'agreement.accepted' : 'agreement.consent-recorded',
    subject: `person:${person.id}`,
    after: { band: agreement.band, version: agreement.version, until: isoTime(until) },
    address: by.address,
  });
  publishing.callFor(tx, 'live');
}

function recordConsent(options: AgreementsOptions, actor: Actor, whom: Whom): void {
  options.record.write((tx) => {
    const person = known(tx, whom, options.clock());
    const agreement = asked(options, tx, person);
    if (agreement?.by !== 'parent') {
      const text = `Nobody is asked for a parent’s consent for ${person.userName}.`;
      throw new SchoolgateError('consent_not_asked', 'client', text);
    }
    if (owed(options, tx, person) !== null) keep(options, tx, person, agreement, actor);
  });
  void options.publishing.send();
}

function withdraw({ record, audit, publishing, clock }: AgreementsOptions, actor: Actor, whom: Whom): void {
  record.write((tx) => {
    const person = known(tx, whom, clock());
    if (withdrawAcceptances(tx, person.id, actor.personId, clock()) === 0) {
      const text = `Nothing has been agreed for ${person.userName} this school year.`;
      throw new SchoolgateError('consent_missing', 'client', text);
    }
    audit.append(tx, {
      actor: actor.userName,
      action: 'agreement.withdrawn',
      subject: `person:${person.id}`,
      address: actor.address,
    });
    publishing.callFor(tx, 'live');
  });
  void publishing.send();
}

function list(
  options: AgreementsOptions,
  actor: Actor,
  { className, missing = false }: { readonly className?: string; readonly missing?: boolean },
): AgreementState[] {
  const { record, audit } = options;
  const now = options.clock();
  const members = options.members();
  return record.write((tx) => {
    const given = currentAcceptances(tx, now);
    const recorders = new Map<string, string | null>();
    const nameOf = (id: string): string | null => {
      if (!recorders.has(id)) recorders.set(id, findUserName(tx, id));
      return recorders.get(id)!;
    };
    const found = members
      .filter(({ classes }) => className === undefined || classes.includes(className))
      .flatMap((person) => stateOf(options, person, given.get(person.id) ?? null, nameOf) ?? [])
      .filter(({ acceptedAt }) => !missing || acceptedAt === null);
    const after = { ...(className !== undefined && { className }), missing, found: found.length };
    const { userName, address } = actor;
    audit.append(tx, { actor: userName, action: 'agreements.listed', subject: 'people', after, address });
    return found;
  });
}

/** Of somebody whom the directory lists. Asks the record for nobody's own row: a page shows thousands. */
function stateOf(
  { policy }: AgreementsOptions,
  person: RosteredPerson,
  given: CurrentAcceptance | null,
  nameOf: (personId: string) => string | null,
): AgreementState | null {
  const rules = policy();
  if (rules?.agreements === undefined) return null;
  const { id, userName, classes } = person;
  const { kind, level } = listedState(rules, person, userName);
  const agreement = kind === 'class' ? null : agreementFor(rules.agreements, level);
  if (agreement === null) return null;
  const { band, by, version } = agreement;
  const counts = given?.version === version ? given : null;
  const recorder = counts?.recordedBy ?? null;
  return {
    id,
    userName,
    fullName: fullName(person),
    level: level!,
    classes,
    band,
    by,
    acceptedAt: counts === null ? null : isoTime(counts.at),
    recordedBy: recorder === null ? null : nameOf(recorder),
  };
}

function known(tx: ReadTx, whom: Whom, now: number): PersonName {
  const account = 'id' in whom ? findById(tx, whom.id, now) : findNamed(tx, whom.userName, now);
  if (account !== null) return account.person;
  throw new SchoolgateError('person_unknown', 'client', 'There is nobody with this user name.');
}

function findNamed(tx: ReadTx, userName: string, now: number): ReturnType<typeof findByUserKey> {
  const key = canonicalUser(userName.trim());
  return key === null ? null : findByUserKey(tx, key, now);
}
