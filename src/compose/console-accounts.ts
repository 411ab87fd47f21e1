// accounts ── who may sign in ──► sessions
//    └── what judges others, or opens the safe ──► announcements ──► home pages, mail
import type { Audit } from '../audit/service.ts';
import type { PeopleMail } from '../delivery/people-mail-service.ts';
import type { Passwords } from '../identity/passwords.ts';
import { type Accounts, createAccounts } from '../identity/service.ts';
import { type Sessions, createSessions } from '../identity/session-service.ts';
import { type Announcements, createAnnouncements } from '../identity/staff/announcement-service.ts';
import { type OpenSessions, createOpenSessions } from '../identity/staff/open-session-service.ts';
import { type OwnPasswords, createOwnPasswords } from '../identity/staff/own-password-service.ts';
import { type SealedCredential, createSealedCredential } from '../identity/staff/sealed-credential-service.ts';
import { type SecondFactors, createSecondFactors } from '../identity/staff/second-factor-service.ts';
import type { SecretBox } from '../identity/staff/secret-box.ts';
import { type Staff, createStaff } from '../identity/staff/service.ts';
import type { AccountWatch } from '../identity/watch-accounts.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Publishing } from '../publishing/service.ts';
import type { RecordDatabase } from '../store/database.ts';

/** Who may use the console, and how they show that it is them. */
export interface ConsoleAccounts {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly staff: Staff;
  readonly secondFactors: SecondFactors;
  readonly ownPasswords: OwnPasswords;
  readonly openSessions: OpenSessions;
  readonly sealedCredential: SealedCredential;
  readonly announcements: Announcements;
}

export interface ConsoleAccountsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly newId: IdMaker;
  readonly passwords: Passwords;
  readonly secrets: SecretBox;
  readonly publishing: Publishing;
  readonly mail: PeopleMail;
  readonly policy: () => PolicySnapshot | null;
  readonly watch: AccountWatch;
}

export function createConsoleAccounts({ mail, ...options }: ConsoleAccountsOptions): ConsoleAccounts {
  const announcements = createAnnouncements({ ...options, mail });
  const known = { ...options, announcements };
  const accounts = createAccounts(known);
  const sessions = createSessions(known);
  return {
    accounts,
    sessions,
    staff: createStaff(known),
    secondFactors: createSecondFactors(known),
    ownPasswords: createOwnPasswords({
      ...known,
      sessions,
      school: () => options.policy()?.school ?? null,
      onPasswords: () => accounts.forgetWrong(),
    }),
    openSessions: createOpenSessions(known),
    sealedCredential: createSealedCredential(known),
    announcements,
  };
}
