import type { PeopleMail } from '../delivery/people-mail-service.ts';
import type { Person } from '../identity/accounts.ts';
import type { Role } from '../identity/roles.ts';
import type { ReadTx, RecordDatabase } from '../store/database.ts';
import { type Month, monthBefore, monthMail } from './month.ts';
import { countActs } from './repository.ts';

export interface MonthReportsOptions {
  readonly record: RecordDatabase;
  readonly mail: PeopleMail;
  /** Everybody with an account in the console. */
  readonly people: (tx: ReadTx) => readonly Person[];
  /** IANA zone of the school's clocks. */
  readonly timeZone: () => string;
}

/** Whom a network manager answers to, the nearest first; whoever it is about is passed over. */
const ANSWERS_TO: readonly Role[] = ['headteacher', 'chair-of-governors', 'vice-chair-of-governors'];

/**
 * Mails what each network manager did in the month before `due` (ms since the epoch) to the headteacher, also when it was nothing. Again
 * for the same month it sends nothing more.
 */
export function mailMonths({ record, mail, people, timeZone }: MonthReportsOptions, due: number): void {
  const month = monthBefore(due, timeZone());
  record.write((tx) => {
    const everybody = people(tx);
    for (const manager of everybody.filter(({ roles }) => roles.includes('network-manager'))) {
      const counts = countActs(tx, manager.userName, month.from, month.until);
      const content = monthMail(manager.fullName, month, counts, whereOf(mail, manager, month));
      for (const person of readers(everybody, manager)) {
        mail.queue(tx, person, `month:${month.id}#${manager.id}`, content);
      }
    }
  });
}

function readers(people: readonly Person[], { id }: Person): readonly Person[] {
  const others = people.filter((person) => person.id !== id);
  const groups = ANSWERS_TO.map((role) => others.filter(({ roles }) => roles.includes(role)));
  return groups.find((group) => group.length > 0) ?? [];
}

function whereOf(mail: PeopleMail, { userName }: Person, { first, last }: Month): string {
  const query = new URLSearchParams({ actor: userName, from: first, to: last });
  return mail.where(`/audit?${query.toString()}`, 'under Audit');
}
