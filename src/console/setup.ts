import type { Backups } from '../backup/service.ts';
import type { Lists } from '../categories/service.ts';
import type { Directory } from '../identity/directory/service.ts';
import type { Permission } from '../identity/permissions.ts';
import { FIRST_ROLES } from '../identity/roles.ts';
import type { Accounts } from '../identity/service.ts';
import type { SealedCredential, SealedState } from '../identity/staff/sealed-credential-service.ts';
import { type Clock, isoTime } from '../kernel/clock.ts';
import { mailboxOf } from '../policy/alert-rules.ts';
import { lastTermEnd } from '../policy/schedule.ts';
import type { PolicyService } from '../policy/service.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';

/** What the machine is given besides the school's own files. */
export interface MachineFacts {
  /** Mail leaves through a server; else it is only written into files. */
  readonly sendsMail: boolean;
  readonly hasIllegalList: boolean;
  /** Something has come through the proxy. */
  readonly hasTraffic: boolean;
}

/** What says how far a school has come. */
export interface SetupRooms {
  readonly accounts: Accounts;
  readonly policy: PolicyService;
  readonly listUpdates: Lists;
  readonly backups: Backups;
  readonly sealedCredential: SealedCredential;
  readonly directory: Directory;
  readonly machine: () => MachineFacts;
  readonly clock: Clock;
}

interface SetupStep {
  /** Who can take it, and is therefore shown it. */
  readonly needs: Permission;
  readonly text: string;
  /** Why, or how. */
  readonly hint: string;
  readonly href?: string;
  readonly isDone: (facts: SetupFacts) => boolean;
}

interface SetupFacts extends MachineFacts {
  readonly people: readonly ReturnType<Accounts['people']>[number][];
  readonly policy: PolicySnapshot | null;
  readonly lists: ReturnType<Lists['status']>;
  readonly backups: ReturnType<Backups['state']>;
  readonly sealed: SealedState;
  readonly isRosterThere: boolean;
  /** ISO 8601 UTC. */
  readonly now: string;
}

/** As the files are shipped. */
export const SHIPPED_SCHOOL = 'Alder Vale School';
const SHIPPED_LIST = /^starter-/;

/** What a new school does, in this order. Each step reads how things really are, and is gone once it is done. */
export const SETUP: readonly SetupStep[] = [
  {
    needs: 'home.see',
    text: 'Make the accounts of the headteacher and the network manager',
    hint: 'Their links are printed when Schoolgate starts. Until two people have accounts, nothing can be approved.',
    isDone: ({ people }) => FIRST_ROLES.every((role) => people.some(({ roles }) => roles.includes(role))),
  },
  {
    needs: 'accounts.appoint',
    text: 'Invite the designated safeguarding lead',
    hint: 'Concerns about pupils go to them.',
    href: '/accounts/invite',
    isDone: ({ people }) => people.some(({ roles }) => roles.includes('safeguarding-lead')),
  },
  {
    needs: 'policy.propose',
    text: 'Say which school this is',
    hint: 'Its name, terms, lessons and contacts, in school.yaml.',
    href: '/policy',
    isDone: ({ policy, now }) => {
      const last = lastTermEnd(policy?.calendar) ?? '';
      return policy !== null && policy.school !== SHIPPED_SCHOOL && last >= now.slice(0, 10);
    },
  },
  {
    needs: 'policy.propose',
    text: 'Name the networks and rooms, each with its level',
    hint: 'Under identity.ranges in school.yaml. Whoever is not known gets the strictest level.',
    href: '/policy',
    isDone: ({ policy }) => policy !== null && policy.identity.ranges.length > 0,
  },
  {
    needs: 'policy.propose',
    text: 'Say where the headteacher and the safeguarding lead are reached by mail',
    hint: 'Under mail in alerts.yaml. Until then alerts wait in a file.',
    href: '/policy',
    isDone: ({ policy, people }) => {
      const told = people.filter(({ roles }) => roles.includes('headteacher') || roles.includes('safeguarding-lead'));
      const rules = policy?.alerts ?? { mail: {} };
      return told.length > 0 && told.every(({ userName }) => mailboxOf(userName, rules) !== null);
    },
  },
  {
    needs: 'backup.make',
    text: 'Name the mail server',
    hint: 'In SCHOOLGATE_SMTP_URL. Until then mail is only written into data/outbox.',
    href: '/status',
    isDone: ({ sendsMail }) => sendsMail,
  },
  {
    needs: 'lists.change',
    text: 'Switch on maintained lists',
    hint: 'The starter lists hold only the best-known names.',
    href: '/lists',
    isDone: ({ lists }) => lists.some(({ id, health }) => !SHIPPED_LIST.test(id) && health === 'in-force'),
  },
  {
    needs: 'lists.remove-illegal',
    text: 'Load a list of illegal content',
    hint: 'Your authority or the IWF gives it under licence. Schools in the UK are expected to have one.',
    href: '/lists',
    isDone: ({ hasIllegalList }) => hasIllegalList,
  },
  {
    needs: 'backup.make',
    text: 'Make the recovery key, print it, and put it into the safe',
    hint: 'Without it there are no backups.',
    href: '/backups',
    isDone: ({ backups }) => backups.recipient !== null,
  },
  {
    needs: 'sealed-credential.make',
    text: 'Make the sealed credential, print it, and put it into the safe',
    hint: 'For the day on which nobody can act as headteacher.',
    href: '/accounts/sealed-credential',
    isDone: ({ sealed }) => sealed.is !== 'none',
  },
  {
    needs: 'backup.make',
    text: 'Have a backup kept every night',
    hint: 'Name a folder on another disk in SCHOOLGATE_BACKUP_DIR.',
    href: '/backups',
    isDone: ({ backups }) => backups.folder !== null,
  },
  {
    needs: 'people.import',
    text: 'Import the roster',
    hint: 'Then pupils and staff are known by name, and have the level of their year.',
    href: '/people/import',
    isDone: ({ isRosterThere }) => isRosterThere,
  },
  {
    needs: 'people.import',
    text: 'Point one device at the proxy, then close the firewall around it',
    hint: 'README.md, “Put the school behind it”, says how for each kind of device.',
    isDone: ({ hasTraffic }) => hasTraffic,
  },
];

/** What is left of setting up that somebody can do, and how far it is with all that they can do. */
export interface SetupLeft {
  readonly steps: readonly Pick<SetupStep, 'text' | 'hint' | 'href'>[];
  readonly done: number;
  readonly all: number;
}

/** Null: everything is done. */
export function setupLeft(rooms: SetupRooms, may: (permission: Permission) => boolean): SetupLeft | null {
  const mine = SETUP.filter(({ needs }) => may(needs));
  const facts = factsOf(rooms);
  const steps = mine.filter(({ isDone }) => !isDone(facts));
  return steps.length === 0 ? null : { steps, done: mine.length - steps.length, all: mine.length };
}

function factsOf({
  accounts,
  policy,
  listUpdates,
  backups,
  sealedCredential,
  directory,
  machine,
  clock,
}: SetupRooms): SetupFacts {
  return {
    ...machine(),
    people: accounts.people(),
    policy: policy.published()?.snapshot ?? null,
    lists: listUpdates.status(),
    backups: backups.state(),
    sealed: sealedCredential.state(),
    isRosterThere: directory.lastImports().length > 0,
    now: isoTime(clock()),
  };
}
