import type { Actor } from '../../audit/entry.ts';
import type { Audit } from '../../audit/service.ts';
import type { Clock } from '../../kernel/clock.ts';
import { SchoolgateError } from '../../kernel/errors.ts';
import type { RecordDatabase } from '../../store/database.ts';
import { type PersonName, SESSION_IDLE_MS, SESSION_MOST_MS } from '../accounts.ts';
import { type StoredSession, deleteSession, findById, listSessions } from '../repository.ts';

/** A session of the console, and whose it is. */
export type OpenSession = StoredSession & { readonly person: PersonName };

/** Where people are signed in to the console, for whoever may end it. Each use case is one transaction. */
export interface OpenSessions {
  /** By person, the newest first. Looking is put on record. */
  list(actor: Actor): readonly OpenSession[];
  /** By the hash of its token. Throws `session_unknown`. */
  end(actor: Actor, session: string): void;
}

export interface OpenSessionsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
}

export function createOpenSessions({ record, audit, clock }: OpenSessionsOptions): OpenSessions {
  return {
    list: ({ userName, address }) =>
      record.write((tx) => {
        const now = clock();
        audit.append(tx, { actor: userName, action: 'sessions.listed', subject: 'sessions', address });
        return listSessions(tx, null, now - SESSION_IDLE_MS, now - SESSION_MOST_MS).map((session) =>
          Object.assign(session, { person: findById(tx, session.personId, now)!.person }),
        );
      }),
    end: ({ userName, address }, session) =>
      record.write((tx) => {
        const now = clock();
        const found = listSessions(tx, null, now - SESSION_IDLE_MS, now - SESSION_MOST_MS).find(
          ({ tokenHash }) => tokenHash === session,
        );
        if (found === undefined)
          throw new SchoolgateError('session_unknown', 'client', 'This session has ended already.');
        deleteSession(tx, session, found.personId);
        const subject = `person:${found.personId}`;
        audit.append(tx, { actor: userName, action: 'session.closed', subject, address });
      }),
  };
}
