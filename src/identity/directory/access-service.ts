import type { Actor } from '../../audit/entry.ts';
import { isoTime } from '../../kernel/clock.ts';
import { SchoolgateError, wrongField } from '../../kernel/errors.ts';
import type { ReadTx } from '../../store/database.ts';
import { canonicalUser } from '../user-name.ts';
import { type LogInCard, cardPassword } from './cards.ts';
import { type StoredPerson, fullName } from './model.ts';
import {
  deleteSuspension,
  findPerson,
  findPersonById,
  listDirectory,
  storeSuspension,
  storeTemporaryPassword,
} from './repository.ts';
import type { CardsFor, DirectoryOptions, Suspending, Whom } from './service.ts';

// What is done to a person's access: suspended, given back, a new password on a card.

const MOST_REASON = 500;

export function suspend(
  options: DirectoryOptions,
  actor: Actor,
  whom: Whom,
  { until, reason: typed }: Suspending,
): void {
  const { record, audit, publishing, clock } = options;
  const now = clock();
  const reason = typed === null || typed.trim() === '' ? null : typed.trim();
  if (until !== null && !(until > now)) {
    throw wrongField('until', 'The end of a suspension must lie in the future.');
  }
  if (reason !== null && reason.length > MOST_REASON) {
    throw wrongField('reason', `Give the reason in at most ${MOST_REASON} characters.`);
  }
  record.write((tx) => {
    const person = known(tx, whom);
    storeSuspension(tx, { personId: person.id, until, reason, by: actor.personId, at: now });
    audit.append(tx, {
      actor: actor.userName,
      action: 'person.suspended',
      subject: `person:${person.id}`,
      after: { userName: person.userName, until: until === null ? null : isoTime(until) },
      reason,
      address: actor.address,
    });
    publishing.callFor(tx, 'live');
  });
  void publishing.send();
}

export function lift({ record, audit, publishing }: DirectoryOptions, actor: Actor, whom: Whom): void {
  record.write((tx) => {
    const person = known(tx, whom);
    if (!deleteSuspension(tx, person.id)) {
      throw new SchoolgateError('person_not_suspended', 'client', `${person.userName} is not suspended.`);
    }
    audit.append(tx, {
      actor: actor.userName,
      action: 'person.suspension-lifted',
      subject: `person:${person.id}`,
      before: { userName: person.userName },
      address: actor.address,
    });
    publishing.callFor(tx, 'live');
  });
  void publishing.send();
}

/** A name may be another person's by now; an id never is. */
function known(tx: ReadTx, whom: Whom): { readonly id: string; readonly userName: string } {
  const key = 'id' in whom ? null : canonicalUser(whom.userName.trim());
  const person = 'id' in whom ? findPersonById(tx, whom.id) : key === null ? null : findPerson(tx, key);
  if (person === null) throw new SchoolgateError('person_unknown', 'client', 'There is nobody with this user name.');
  return person;
}

export async function makeCards(options: DirectoryOptions, actor: Actor, whose: CardsFor): Promise<LogInCard[]> {
  const { record, audit, passwords, publishing, clock } = options;
  const people = record
    .read(listDirectory)
    // Whoever has a role in the console has a password that no printed card may replace.
    .filter((person) => person.leftAt === null && !person.isConsoleUser && isWanted(person, whose));
  if (people.length === 0) {
    throw new SchoolgateError(
      'class_unknown',
      'client',
      'There is no class, and nobody, of this name in the directory.',
    );
  }
  const cards = people.map((person) => ({ person, password: cardPassword() }));
  const hashes = await Promise.all(cards.map(({ password }) => passwords.hash(password)));
  record.write((tx) => {
    for (const [i, { person }] of cards.entries()) storeTemporaryPassword(tx, person.id, hashes[i]!, clock());
    const after = { ...whose, cards: cards.length };
    const { userName, address } = actor;
    audit.append(tx, { actor: userName, action: 'people.cards-made', subject: 'people', after, address });
    // What gateways know of the passwords before counts no more.
    publishing.callFor(tx, 'live');
  });
  void publishing.send();
  options.onPasswords();
  for (const { person } of cards) options.endSessionsOf(person.id, 'password changed');
  return cards.map(({ person, password }) => ({ fullName: fullName(person), userName: person.userName, password }));
}

function isWanted({ id, userName, classes }: StoredPerson, whose: CardsFor): boolean {
  if ('id' in whose) return id === whose.id;
  if ('className' in whose) return classes.includes(whose.className);
  const { classOrUser } = whose;
  return classes.includes(classOrUser) || canonicalUser(userName) === canonicalUser(classOrUser.trim());
}
