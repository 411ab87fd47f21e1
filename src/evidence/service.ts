import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { Actor } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import { openTarget, publicKeyText } from '../events/evidence-seal.ts';
import { type Clock, isoTime, HOUR_MS } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { Publishing } from '../publishing/service.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { MIN_PASSWORD, type NamedPerson } from './model.ts';
import {
  countAttempts,
  deleteAttempts,
  deleteRemoval,
  findKey,
  findRemoval,
  findWrap,
  holders,
  insertAttempt,
  insertHolder,
  insertKey,
  insertRemoval,
  insertWrap,
} from './repository.ts';
import { newSalt, stretch, unwrapByPair, wrapForPair } from './wrap.ts';

/** What a holder types: the account's name and password, and the password of their own for evidence alone. */
export interface HolderInput {
  readonly userName: string;
  readonly password: string;
  /** Of their authenticator app; empty for whoever asks, who has signed in with one. */
  readonly code: string;
  readonly evidencePassword: string;
}

/** A hit as it may be shown: who and when, never what. */
export interface ShownHit {
  readonly id: string;
  readonly at: string;
  readonly user: string | null;
  readonly client: string;
  readonly lists: readonly string[];
  readonly isSealed: boolean;
}

export interface EvidenceState {
  readonly key: { readonly madeAt: string; readonly holders: readonly string[] } | null;
  readonly hits: readonly ShownHit[];
}

/** What only two people may do together: see the address of a hit, and end an illegal list. Every attempt is on record. */
export interface Evidence {
  /** Newest hits first, those that this person may see. */
  state(personId: string, limit: number): EvidenceState;
  /** Makes the key for three people, of whom any two open. Rejects with a SchoolgateError (`evidence_…`); then nothing was made. */
  init(actor: Actor, three: readonly HolderInput[]): Promise<void>;
  /** The address of a hit; of none that either of the two is the subject of. Rejects with a SchoolgateError (`evidence_…`). */
  open(actor: Actor, hitId: string, evidencePassword: string, second: HolderInput): Promise<string>;
  /**
   * Asks for the end of an enforced illegal list, or, as another person than who asked, ends it. Rejects with a SchoolgateError
   * (`removal_…`).
   */
  removeList(actor: Actor, listId: string): Promise<'asked' | 'removed'>;
}

export interface EvidenceOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly publishing: Publishing;
  readonly clock: Clock;
  /** Whose account name, password and code these are; null: nobody's, or tried too often. */
  readonly identify: (holder: HolderInput, actor: Actor) => Promise<NamedPerson | null>;
  readonly userNameOf: (tx: ReadTx, personId: string) => string;
  /** Whether somebody may be one of the three. */
  readonly mayHold: (tx: ReadTx, personId: string) => boolean;
  /** Whether somebody may be the one of two without whom no illegal list ends. */
  readonly mayAgreeToRemoval: (tx: ReadTx, personId: string) => boolean;
  readonly hits: (tx: ReadTx, personId: string, limit: number) => readonly ShownHit[];
  /** What a hit's target was sealed to; null: it was not sealed. Undefined: there is no such hit that this person may see. */
  readonly sealedOf: (tx: ReadTx, hitId: string, personId: string) => string | null | undefined;
  /** Whether somebody made a hit. */
  readonly isAbout: (tx: ReadTx, hitId: string, personId: string) => boolean;
  /** Ids of the illegal lists that are enforced. */
  readonly enforcedLists: () => readonly string[];
  /** Deletes what is kept of a list, and builds the index anew. */
  readonly dropList: (listId: string) => Promise<void>;
}

const HOLDERS = 3;
const MOST_FAILURES = 5;
/** A removal that nobody agreed to within this time must be asked for again. */
const REMOVAL_MS = 7 * 86_400_000;

/** What gateways seal to; null before there is a key. */
export function evidencePublicKey(tx: ReadTx): string | null {
  return findKey(tx)?.publicKey ?? null;
}

export function createEvidence(options: EvidenceOptions): Evidence {
  const { record } = options;
  return {
    state: (personId, limit) =>
      record.read((tx) => ({ key: keyState(options, tx), hits: options.hits(tx, personId, limit) })),
    init: (actor, three) => init(options, actor, three),
    open: (actor, hitId, password, second) => open(options, actor, hitId, password, second),
    removeList: (actor, listId) => removeList(options, actor, listId),
  };
}

function keyState({ userNameOf }: EvidenceOptions, tx: ReadTx): EvidenceState['key'] {
  const key = findKey(tx);
  if (key === null) return null;
  return { madeAt: key.madeAt, holders: holders(tx).map(({ personId }) => userNameOf(tx, personId)) };
}

async function init(options: EvidenceOptions, actor: Actor, three: readonly HolderInput[]): Promise<void> {
  const { record, audit, publishing, clock } = options;
  if (record.read(findKey) !== null) throw refusal('evidence_exists', 'There is an evidence key already.');
  const found = await identifyAll(options, actor, three);
  const made = generateKeyPairSync('x25519');
  const secret = made.privateKey.export({ format: 'der', type: 'pkcs8' });
  const keyed = await Promise.all(
    found.map(async ({ person, evidencePassword }) => {
      const salt = newSalt();
      return { personId: person.id, userName: person.userName, salt, key: await stretch(evidencePassword, salt) };
    }),
  );
  keyed.sort((a, b) => (a.personId < b.personId ? -1 : 1));
  record.write((tx) => {
    if (findKey(tx) !== null) throw refusal('evidence_exists', 'There is an evidence key already.');
    insertKey(tx, { publicKey: publicKeyText(made.publicKey), madeAt: isoTime(clock()) });
    for (const { personId, salt } of keyed) insertHolder(tx, { personId, salt });
    for (const [i, first] of keyed.entries()) {
      for (const second of keyed.slice(i + 1)) {
        insertWrap(tx, first.personId, second.personId, wrapForPair(secret, first.key, second.key));
      }
    }
    audit.append(tx, {
      actor: actor.userName,
      action: 'evidence.initialised',
      subject: 'evidence:key',
      after: { holders: keyed.map(({ userName }) => userName) },
      address: actor.address,
    });
    publishing.callFor(tx, 'live');
  });
  secret.fill(0);
  void publishing.send();
}

async function identifyAll(
  { identify, record, mayHold }: EvidenceOptions,
  actor: Actor,
  three: readonly HolderInput[],
): Promise<{ person: NamedPerson; evidencePassword: string }[]> {
  if (three.length !== HOLDERS) throw refusal('evidence_holders', 'Name three people.');
  const found: { person: NamedPerson; evidencePassword: string }[] = [];
  for (const holder of three) {
    const { userName, password, evidencePassword } = holder;
    if (Array.from(evidencePassword).length < MIN_PASSWORD || evidencePassword === password) {
      const text = `The evidence password of ${userName} needs ${MIN_PASSWORD} characters and must not be the account's.`;
      throw refusal('evidence_password', text);
    }
    const person = await identify(holder, actor);
    if (person === null)
      throw refusal('evidence_person', `The name, account password or code of ${userName} is wrong.`);
    if (!record.read((tx) => mayHold(tx, person.id))) {
      throw refusal('evidence_person', `The role of ${userName} does not let them be one of the three.`);
    }
    found.push({ person, evidencePassword });
  }
  const ids = new Set(found.map(({ person }) => person.id));
  if (ids.size !== HOLDERS || !ids.has(actor.personId)) {
    throw refusal('evidence_holders', 'Name three different people, yourself among them.');
  }
  return found;
}

async function open(
  options: EvidenceOptions,
  actor: Actor,
  hitId: string,
  evidencePassword: string,
  second: HolderInput,
): Promise<string> {
  const { record, audit } = options;
  const sealed = record.read((tx) => options.sealedOf(tx, hitId, actor.personId));
  if (sealed === undefined) throw refusal('evidence_unknown', 'There is no such hit.');
  if (sealed === null)
    throw refusal('evidence_unsealed', 'Nothing was sealed with this hit: there was no evidence key.');
  beginAttempt(options, actor.personId);
  const named = await options.identify(second, actor);
  const isTheirs = named !== null && record.read((tx) => options.isAbout(tx, hitId, named.id));
  const other = isTheirs ? null : named;
  const privateKey = other === null ? null : await privateKeyOf(options, actor, evidencePassword, other, second);
  const subject = `hit:${hitId}`;
  const about = { actor: actor.userName, subject, address: actor.address };
  if (other === null || privateKey === null) {
    record.write((tx) => audit.append(tx, { ...about, action: 'evidence.refused' }));
    throw refusal(
      'evidence_refused',
      'One of the passwords is wrong, or one of you is not among the three or not to see this. It is on record.',
    );
  }
  const target = openTarget(privateKey, sealed);
  record.write((tx) => {
    for (const { id } of [{ id: actor.personId }, other]) deleteAttempts(tx, id);
    audit.append(tx, { ...about, action: 'evidence.opened', approver: other.userName });
  });
  return target;
}

/** Counted before any password is looked at: many at once must not all be the first. */
function beginAttempt({ record, clock }: EvidenceOptions, personId: string): void {
  const isHeld = record.write((tx) => {
    if (countAttempts(tx, personId, clock() - HOUR_MS) >= MOST_FAILURES) return true;
    insertAttempt(tx, personId, clock());
    return false;
  });
  if (isHeld) throw refusal('evidence_held', 'Too many attempts failed; try again in an hour.');
}

async function privateKeyOf(
  { record }: EvidenceOptions,
  actor: Actor,
  evidencePassword: string,
  other: NamedPerson,
  second: HolderInput,
): Promise<ReturnType<typeof createPrivateKey> | null> {
  const all = record.read(holders);
  const pair = [
    { id: actor.personId, password: evidencePassword },
    { id: other.id, password: second.evidencePassword },
  ].sort((a, b) => (a.id < b.id ? -1 : 1));
  const [first, last] = pair.map(({ id, password }) => {
    const holder = all.find(({ personId }) => personId === id);
    return holder === undefined ? null : { id, password, salt: holder.salt };
  });
  if (!first || !last || first.id === last.id) return null;
  const wrapped = record.read((tx) => findWrap(tx, first.id, last.id));
  if (wrapped === null) return null;
  const keys = [await stretch(first.password, first.salt), await stretch(last.password, last.salt)] as const;
  const secret = unwrapByPair(wrapped, ...keys);
  return secret === null ? null : createPrivateKey({ key: secret, format: 'der', type: 'pkcs8' });
}

async function removeList(options: EvidenceOptions, actor: Actor, listId: string): Promise<'asked' | 'removed'> {
  const { record } = options;
  if (!options.enforcedLists().includes(listId)) {
    throw refusal('removal_unknown', `No illegal list "${listId}" is enforced.`);
  }
  const step = record.write((tx) => takeRemovalStep(options, tx, actor, listId));
  if (step === 'removed') await options.dropList(listId);
  return step;
}

function takeRemovalStep(options: EvidenceOptions, tx: Tx, actor: Actor, listId: string): 'asked' | 'removed' {
  const { audit, clock, mayAgreeToRemoval } = options;
  const about = { actor: actor.userName, subject: `list:${listId}`, address: actor.address };
  const before = findRemoval(tx, listId);
  const isOpen = before !== null && clock() - Date.parse(before.requestedAt) < REMOVAL_MS;
  if (isOpen && before.requestedBy !== actor.personId) {
    if (![actor.personId, before.requestedBy].some((id) => mayAgreeToRemoval(tx, id))) {
      throw refusal(
        'removal_lead',
        'One of the two must be the headteacher or the safeguarding lead; ask them to run it.',
      );
    }
    deleteRemoval(tx, listId);
    audit.append(tx, { ...about, action: 'list.removed', approver: actor.userName });
    return 'removed';
  }
  if (isOpen) {
    throw refusal('removal_own', 'You have asked for this already; another person has to run the same command.');
  }
  insertRemoval(tx, { listId, requestedBy: actor.personId, requestedAt: isoTime(clock()) });
  audit.append(tx, { ...about, action: 'list.removal-asked' });
  return 'asked';
}

function refusal(code: string, text: string): SchoolgateError {
  return new SchoolgateError(code, 'client', text);
}
