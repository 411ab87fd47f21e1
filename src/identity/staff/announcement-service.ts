// act's transaction ── words, for whom ──► announcement (home pages) and a mail each ──► queue
import type { PeopleMail } from '../../delivery/people-mail-service.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { IdMaker } from '../../kernel/ids.ts';
import type { ReadTx, RecordDatabase, Tx } from '../../store/database.ts';
import type { Person } from '../accounts.ts';
import { listPeople } from '../repository.ts';
import type { Role } from '../roles.ts';
import { type Announcement, deleteAnnouncements, insertAnnouncement, listAnnouncements } from './repository.ts';

/** For data whose time has come. */
export { eraseAnnouncements, oldestAnnouncement } from './repository.ts';

/** What people with an account are told, whether or not they sign in. */
export interface Announcements {
  /** Part of the act's transaction: nobody does it without the others hearing of it. `subject`: of the mail. */
  tell(tx: Tx, to: Audience, subject: string, text: string): void;
  /** What somebody's home page says, the newest first. */
  shownTo(personId: string): readonly Announcement[];
}

/** Everybody with an account; or one person, and whoever holds a role. */
export type Audience = 'everybody' | { readonly personId: string; readonly and: Role };

export interface AnnouncementOptions {
  readonly record: RecordDatabase;
  readonly clock: Clock;
  readonly newId: IdMaker;
  readonly mail: Pick<PeopleMail, 'queue' | 'where'>;
}

/** How long a home page says it, ms: whoever comes once a week sees it. */
const SHOWN_MS = 8 * 86_400_000;

export function createAnnouncements(options: AnnouncementOptions): Announcements {
  const { record, clock } = options;
  return {
    tell: (tx, to, subject, text) => tell(options, tx, to, subject, text),
    shownTo: (personId) => record.read((tx) => listAnnouncements(tx, personId, clock() - SHOWN_MS)),
  };
}

function tell({ clock, newId, mail }: AnnouncementOptions, tx: Tx, to: Audience, subject: string, text: string): void {
  const at = clock();
  // The record of acts has what is not shown any more.
  deleteAnnouncements(tx, at - SHOWN_MS);
  const id = newId();
  const people = audienceOf(tx, to, at);
  if (to === 'everybody') insertAnnouncement(tx, { id, at, text }, null);
  else for (const person of people) insertAnnouncement(tx, { id: newId(), at, text }, person.id);
  const where = mail.where('/');
  const content = { subject: `Schoolgate: ${subject}`, text: `${text}\n\n${where}\n` };
  for (const person of people) mail.queue(tx, person, `announcement:${id}`, content);
}

function audienceOf(tx: ReadTx, to: Audience, now: number): Person[] {
  const people = listPeople(tx, now);
  if (to === 'everybody') return people.filter(({ roles }) => roles.length > 0);
  return people.filter(({ id, roles }) => id === to.personId || roles.includes(to.and));
}
