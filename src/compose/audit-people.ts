import { type HiddenNames, plain } from '../audit/governors.ts';
import type { AuditPeople } from '../audit/routes.ts';
import type { Directory } from '../identity/directory/service.ts';
import { type Accounts, findUserName } from '../identity/service.ts';
import { canonicalUser } from '../identity/user-name.ts';
import type { Publishing } from '../publishing/service.ts';
import type { RecordDatabase } from '../store/database.ts';

export interface AuditPeopleOptions {
  readonly record: RecordDatabase;
  readonly directory: Directory;
  readonly accounts: Accounts;
  readonly publishing: Publishing;
}

/** Who the people of the record are, from the directory and the accounts. */
export function auditPeople({ record, directory, accounts, publishing }: AuditPeopleOptions): AuditPeople {
  let known: { readonly serial: number; readonly names: HiddenNames } | null = null;
  return {
    nameOf: (id) => {
      const account = accounts.people().find((person) => person.id === id);
      return account?.fullName ?? directory.nameOf(id) ?? record.read((tx) => findUserName(tx, id));
    },
    find: (userName) => {
      const asked = canonicalUser(userName);
      const isAsked = (one: { readonly userName: string }): boolean => canonicalUser(one.userName) === asked;
      if (asked === null) return null;
      return (accounts.people().find(isAsked) ?? directory.members().find(isAsked))?.id ?? null;
    },
    staffName: (userName) => accounts.people().find((person) => person.userName === userName)?.fullName ?? null,
    hidden() {
      const serial = publishing.serial('people');
      if (known?.serial !== serial) known = { serial, names: namesOf(directory) };
      return known.names;
    },
  };
}

/** Of everybody who is or was a pupil, as they may be written. */
function namesOf(directory: Directory): HiddenNames {
  return new Set(
    directory
      .pupils()
      .flatMap(({ givenName, familyName, userName }) =>
        [`${givenName} ${familyName}`, `${familyName} ${givenName}`, userName].map(plain),
      ),
  );
}
