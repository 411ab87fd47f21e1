import type { Actor } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import type { Person } from '../identity/accounts.ts';
import { canonicalUser } from '../identity/user-name.ts';
import type { Clock } from '../kernel/clock.ts';
import { InvalidFieldsError, SchoolgateError } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { Pupil, School } from '../lessons/reach.ts';
import type { BlockPlace } from '../policy/block-sites.ts';
import type { SiteBlocking } from '../policy/block-service.ts';
import type { DraftState } from '../policy/draft.ts';
import type { RecordDatabase, Tx } from '../store/database.ts';
import { type Unblock, stateAt } from './model.ts';
import { findUnblock, findWish, findWishByForm, insertWish, newestWishes, updateWish, wishesOf } from './repository.ts';
import type { RequestMail } from './mail-service.ts';
import type { KnownPolicy } from './terms.ts';
import {
  type DeskWishAnswer,
  type OwnWish,
  type TypedWish,
  type Wish,
  type WishAsk,
  type WishView,
  answerWish,
  readWish,
  wishState,
} from './wish.ts';

/** What pupils and staff would like to have opened or closed, and what they are answered. */
export interface Wishes {
  /** As somebody at a device asks. Throws a SchoolgateError (`no_policy`, `wish_many`). */
  desk(person: Asker, ask: WishAsk): DeskWishAnswer;
  /** Throws an InvalidFieldsError, or as `desk`. The same form (`formKey`) asks once. */
  make(person: Asker, typed: TypedWish, formKey: string | null): Wish;
  /** Those that this person may answer, newest first. */
  toAnswer(personId: string): Wish[];
  /** One of those. Throws a SchoolgateError: `wish_unknown`. */
  get(personId: string, id: string): Wish;
  /** Throws as `get`, `wish_answered`, or an InvalidFieldsError where nothing was said. */
  refuse(actor: Actor, id: string, word: string): Wish;
  /**
   * Takes up a wish to block: a draft of the policy that blocks its sites in places (by file) is proposed with it. By the same person again
   * it is done already. Throws as `refuse`, and as proposing a draft.
   */
  takeUp(actor: Actor, id: string, places: readonly string[], reason: string): Wish;
  /** Where a site can be blocked. */
  places(): readonly BlockPlace[];
  /** Before a request: throws as `get`. What it gives is done in the request's transaction: the wish has become this unblock. */
  passOn(actor: Actor, id: string): (tx: Tx, unblockId: string) => void;
}

/** Who asks, and from where. */
export interface Asker extends Actor {
  readonly fullName: string;
}

/** What somebody may answer: any wish to open, those of the classes they teach, wishes to close. */
export interface AnswerRights {
  readonly open: 'any' | 'taught' | 'none';
  readonly close: boolean;
}

export interface WishOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly newId: IdMaker;
  readonly policy: () => KnownPolicy | null;
  readonly school: () => School;
  readonly rightsOf: (personId: string) => AnswerRights;
  readonly blocking: SiteBlocking;
  readonly mail: Pick<RequestMail, 'wished'>;
  /** Everybody with an account in the console. Asked outside of transactions. */
  readonly people: () => readonly Person[];
}

/** Of one person that may wait at once. */
const MAX_WAITING = 10;
const LISTED = 1000;
const SHOWN_OWN = 20;

export function createWishes(options: WishOptions): Wishes {
  const { record, clock } = options;
  const get = (personId: string, id: string): Wish => {
    const found = record.read((tx) => findWish(tx, id));
    if (found === null || !isTheirs(options, personId)(found)) throw unknown();
    return found;
  };
  return {
    desk(person, ask) {
      try {
        if (ask.act === 'make') make(options, person, ask, ask.key);
        return { state: 'done', view: viewOf(options, person) };
      } catch (error) {
        if (!(error instanceof InvalidFieldsError)) throw error;
        return { state: 'wrong', view: viewOf(options, person), fields: error.fields };
      }
    },
    make: (person, typed, formKey) => make(options, person, typed, formKey),
    toAnswer: (personId) => record.read((tx) => newestWishes(tx, LISTED)).filter(isTheirs(options, personId)),
    get,
    refuse(actor, id, word) {
      get(actor.personId, id);
      return record.write((tx) => {
        const before = findWish(tx, id)!;
        const after = answerWish(before, 'refuse', { by: actor.personId, at: clock() }, word);
        keep(options, tx, actor, before, after);
        return after;
      });
    },
    takeUp: (actor, id, places, reason) => takeUp(options, actor, get(actor.personId, id), places, reason),
    places: () => options.blocking.places(),
    passOn(actor, id) {
      get(actor.personId, id);
      return (tx, unblockId) => {
        const before = findWish(tx, id)!;
        const after = answerWish(before, 'pass-on', { by: actor.personId, at: clock() }, '', { unblockId });
        keep(options, tx, actor, before, after);
      };
    },
  };
}

function make(options: WishOptions, person: Asker, typed: TypedWish, formKey: string | null): Wish {
  const { record, audit, clock, newId } = options;
  const policy = options.policy();
  if (policy === null) throw refusal('no_policy', 'No policy is published yet, so there is nothing to ask for.');
  const answerersOf = whoAnswers(options, person.personId);
  return record.write((tx) => {
    const before = formKey === null ? null : findWishByForm(tx, person.personId, formKey);
    if (before !== null) return before;
    const now = clock();
    const terms = readWish(typed, policy);
    const waiting = wishesOf(tx, person.personId, LISTED).filter((one) => wishState(one, now) === 'waiting');
    if (waiting.length >= MAX_WAITING) {
      throw refusal('wish_many', `${MAX_WAITING} things that you asked for wait for an answer; ask again after that.`);
    }
    const asked = { by: person.personId, userName: person.userName, at: now };
    const wish: Wish = {
      ...terms,
      id: newId(),
      state: 'waiting',
      asked,
      answered: null,
      word: '',
      unblockId: null,
      draftId: null,
    };
    insertWish(tx, wish, formKey);
    options.mail.wished(tx, wish, answerersOf(wish));
    audit.append(tx, {
      actor: person.userName,
      action: 'wish.made',
      subject: `wish:${wish.id}`,
      after: terms,
      reason: terms.reason,
      address: person.address,
    });
    return wish;
  });
}

function takeUp(options: WishOptions, actor: Actor, wish: Wish, places: readonly string[], reason: string): Wish {
  const { record, clock, newId, blocking } = options;
  if (wish.state === 'taken-up' && wish.answered?.by === actor.personId) return wish;
  const act = { by: actor.personId, at: clock() };
  const draftId = newId();
  // Before the draft is thought through: what was answered meanwhile is told as that.
  answerWish(wish, 'take-up', act, '');
  const propose = blocking.propose(actor, draftId, wish.hosts, places, reason);
  return record.write((tx) => {
    const before = findWish(tx, wish.id)!;
    const after = answerWish(before, 'take-up', act, '', { draftId });
    propose(tx);
    keep(options, tx, actor, before, after);
    return after;
  });
}

function keep({ audit }: WishOptions, tx: Tx, actor: Actor, before: Wish, after: Wish): void {
  updateWish(tx, after);
  audit.append(tx, {
    actor: actor.userName,
    action: 'wish.answered',
    subject: `wish:${after.id}`,
    before: { state: before.state },
    after: { state: after.state, unblock: after.unblockId, draft: after.draftId },
    reason: after.word,
    address: actor.address,
  });
}

/**
 * Whom a wish is mailed to, `asker` apart. A pupil's goes to their teachers where there are any: whoever else could answer is not written to
 * for each pupil. Who may what is asked at once, before a transaction.
 */
function whoAnswers(options: WishOptions, asker: string): (wish: Wish) => readonly Person[] {
  const everybody = options.people().map((person) => ({
    person,
    isTeacher: options.rightsOf(person.id).open === 'taught',
    answers: isTheirs(options, person.id),
  }));
  return (wish) => {
    const may = everybody.filter(({ person, answers }) => person.id !== asker && answers(wish));
    const teachers = wish.kind === 'open' ? may.filter(({ isTeacher }) => isTeacher) : [];
    return (teachers.length > 0 ? teachers : may).map(({ person }) => person);
  };
}

/** Teachers answer the pupils they teach; what has no teacher here, whoever may decide unblocks. */
function isTheirs({ school, rightsOf }: WishOptions, personId: string): (wish: Wish) => boolean {
  const rights = rightsOf(personId);
  const known = school();
  const taught = new Set(known.members.get(personId)?.teaches);
  return ({ kind, asked }) => {
    if (kind === 'close') return rights.close;
    if (rights.open !== 'taught') return rights.open === 'any';
    return pupilCalled(known, asked.userName)?.classes.some((name) => taught.has(name)) ?? false;
  };
}

function pupilCalled({ pupils }: School, userName: string): Pupil | undefined {
  const user = canonicalUser(userName);
  return pupils.find((pupil) => pupil.user === user);
}

function viewOf(options: WishOptions, { personId, userName, fullName }: Asker): WishView {
  const { record, clock, school, blocking } = options;
  const now = clock();
  const wishes = record.read((tx) =>
    wishesOf(tx, personId, SHOWN_OWN).map((wish): OwnWish => {
      const unblock = wish.unblockId === null ? null : findUnblock(tx, wish.unblockId);
      const draft = wish.draftId === null ? null : blocking.stateOf(tx, wish.draftId);
      const { kind, hosts, word, asked } = wish;
      const state = draft === null ? stateWords(wish, unblock, now) : DRAFT_WORDS[draft];
      return { kind, hosts, word, at: asked.at, state };
    }),
  );
  return { fullName, isPupil: pupilCalled(school(), userName) !== undefined, wishes };
}

/** What whoever asked is told of a change of the policy. */
const DRAFT_WORDS: Readonly<Record<DraftState, string>> = {
  open: 'It was taken up, and waits for a decision.',
  proposed: 'It was taken up, and waits for a decision.',
  published: 'It was taken up, and is blocked now.',
  refused: 'It was taken up, and the answer is no.',
  withdrawn: 'It was taken up, and taken back.',
  superseded: 'It was taken up, and taken back.',
};

/** What whoever asked is told, to the end. */
function stateWords(wish: Wish, unblock: Unblock | null, now: number): string {
  if (unblock === null) {
    return {
      waiting: 'Nobody has answered yet.',
      'passed-on': 'It was passed on.',
      'taken-up': 'It was taken up.',
      refused: 'The answer is no.',
      lapsed: 'Nobody has answered. Ask again if you still need it.',
    }[wishState(wish, now)];
  }
  return {
    requested: 'It was passed on, and waits for a decision.',
    approved: 'The answer is yes. It opens later.',
    active: 'The answer is yes. It is open now, at the times that were asked for.',
    refused: 'It was passed on, and the answer is no.',
    withdrawn: 'It was passed on, and taken back.',
    revoked: 'It was open, and was closed again.',
    expired: 'Its time is over.',
  }[stateAt(unblock, now)];
}

function unknown(): SchoolgateError {
  return refusal('wish_unknown', 'Nobody has asked for that, or it is not yours to answer.');
}

function refusal(code: string, text: string): SchoolgateError {
  return new SchoolgateError(code, 'client', text);
}
