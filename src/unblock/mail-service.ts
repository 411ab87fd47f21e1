import type { PeopleMail } from '../delivery/people-mail-service.ts';
import type { Person } from '../identity/accounts.ts';
import type { Permission } from '../identity/permissions.ts';
import { type Clock, HOUR_MS } from '../kernel/clock.ts';
import type { ReadTx, Tx } from '../store/database.ts';
import { type Decision, decidedMail, waitingMail, wishMail } from './mail-words.ts';
import { type Unblock, mayMove } from './model.ts';
import { missingWords } from './queue.ts';
import type { Wish } from './wish.ts';

/** Mail about requests, each in the transaction of what it tells of and once for each recipient. */
export interface RequestMail {
  /** To everybody whose word is missing and who may give it. */
  waiting(tx: Tx, unblock: Unblock): void;
  /** The same people once more, because it begins soon. */
  reminder(tx: Tx, unblock: Unblock): void;
  /** To whoever asked. */
  decided(tx: Tx, unblock: Unblock, decision: Decision): void;
  /** To people who may answer a wish; at most one an hour to each, whatever pupils wish for. */
  wished(tx: Tx, wish: Wish, people: readonly Person[]): void;
}

export interface RequestMailOptions {
  readonly mail: PeopleMail;
  readonly clock: Clock;
  /** Everybody with an account in the console. */
  readonly people: (tx: ReadTx) => readonly Person[];
  readonly may: (person: Person, permission: Permission) => boolean;
  /** IANA zone of the school's clocks. */
  readonly timeZone: () => string;
}

const NEEDS = { approve: 'unblock.decide', agree: 'unblock.agree' } as const satisfies Record<string, Permission>;
/** Where the console has them. */
const PLACE = 'under Unblocks';

export function createRequestMail(options: RequestMailOptions): RequestMail {
  const { mail, clock, people, timeZone } = options;
  const pageOf = ({ id }: Unblock): string => mail.where(`/unblocks/${id}`, PLACE);
  const askDeciders = (tx: Tx, unblock: Unblock, step: 'waiting' | 'reminder'): void => {
    const everybody = people(tx);
    const askedBy = everybody.find(({ id }) => id === unblock.requested.by)?.fullName ?? 'Somebody';
    const facts = { askedBy, where: pageOf(unblock), zone: timeZone() };
    for (const person of everybody.filter((one) => mayDecide(options, unblock, one))) {
      mail.queue(tx, person, `unblock:${unblock.id}#${step}`, waitingMail(unblock, facts, step === 'reminder'));
    }
  };
  return {
    waiting: (tx, unblock) => askDeciders(tx, unblock, 'waiting'),
    reminder: (tx, unblock) => askDeciders(tx, unblock, 'reminder'),
    decided(tx, unblock, decision) {
      const person = people(tx).find(({ id }) => id === unblock.requested.by);
      if (person === undefined) return;
      const content = decidedMail(unblock, decision, { where: pageOf(unblock), zone: timeZone() });
      mail.queue(tx, person, `unblock:${unblock.id}#${decision}`, content);
    },
    wished(tx, { kind }, answerers) {
      const hour = Math.floor(clock() / HOUR_MS);
      const where = mail.where('/unblocks/asked', PLACE);
      for (const person of answerers) mail.queue(tx, person, `wishes:${kind}#${hour}`, wishMail(kind, where));
    },
  };
}

/** Whether a word is missing that this person may give. */
function mayDecide({ clock, may }: RequestMailOptions, unblock: Unblock, person: Person): boolean {
  const act = { by: person.id, at: clock() };
  return missingWords(unblock).some((move) => may(person, NEEDS[move]) && mayMove(unblock, move, act));
}
