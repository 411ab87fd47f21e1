import { ALL_ROLES, ROLES, type Role } from './roles.ts';

interface Rule {
  /** What it allows, in words for people: "may …". */
  readonly may: string;
  readonly roles: readonly Role[];
  /** What it takes besides the password of the sign-in; default `code`. */
  readonly guard?: Guard;
}

/**
 * `none`: nothing more. `code`: whoever may this can change or see people, so each of their sign-ins takes a code of an authenticator
 * app. `password`: that, and the password once more within the last minutes.
 */
export type Guard = 'none' | 'code' | 'password';

/** Whoever answers for children or for the filter. Everybody in it can change or see people. */
const LEADS: readonly Role[] = [
  'headteacher',
  'senior-leadership',
  'safeguarding-lead',
  'online-safety-lead',
  'network-manager',
];
const OPERATORS: readonly Role[] = ['network-manager', 'technician'];

/** Roles that judge others: that somebody is given one, or loses it, is announced to everybody with an account. */
export const JUDGES: readonly Role[] = ['headteacher', 'chair-of-governors', 'vice-chair-of-governors'];

/**
 * Who may give which roles, and take them away. Nobody changes their own, and nobody makes the one who judges them: concerns about the
 * headteacher go to the chairs of governors, who are therefore not the headteacher's to appoint, nor each other's.
 */
export const APPOINTS: Readonly<Partial<Record<Role, readonly Role[]>>> = {
  headteacher: ALL_ROLES.filter((role) => !JUDGES.includes(role)),
  'chair-of-governors': ['headteacher'],
  'network-manager': ['technician', 'teacher', 'chair-of-governors', 'vice-chair-of-governors'],
};

/** The one table of who may do what in the console: what is not here, nobody may. Every route names a line of it. */
export const PERMISSIONS = {
  'home.see': { may: 'see the home page, alarms, and how many requests were flagged', roles: ALL_ROLES, guard: 'none' },
  'permissions.see': { may: 'see this table', roles: ALL_ROLES, guard: 'none' },
  'accounts.see': {
    may: 'see who has an account, with which roles',
    roles: [...LEADS, 'chair-of-governors', 'data-protection-officer'],
  },
  'accounts.appoint': {
    may: 'invite people, give roles and take them away, and reset their authenticator apps, as far as the next table goes',
    roles: ['headteacher', 'chair-of-governors', 'network-manager'],
    guard: 'password',
  },
  'sessions.end': {
    may: 'see where others are signed in to the console, and end it',
    roles: ['headteacher', 'network-manager'],
  },
  'sealed-credential.make': {
    may: 'make the sealed headteacher credential for the safe',
    roles: ['headteacher'],
    guard: 'password',
  },
  'policy.see': { may: 'see the policy, and what the files would change', roles: ALL_ROLES, guard: 'none' },
  'policy.propose': {
    may: 'draft and propose policy changes, and take back their own',
    roles: ['headteacher', 'safeguarding-lead', 'online-safety-lead', 'network-manager', 'technician'],
  },
  'policy.decide': { may: 'approve or refuse a policy change that somebody else proposed', roles: LEADS },
  'policy.loosen': {
    may: 'approve one that opens something for pupils',
    roles: ['headteacher', 'safeguarding-lead'],
  },
  'policy.emergency': {
    may: 'change the policy alone in an emergency, of which everybody is told',
    roles: ['headteacher', 'safeguarding-lead', 'network-manager'],
  },
  'policy.review': {
    may: 'review what somebody else changed in an emergency, and take it back',
    roles: ['headteacher', 'safeguarding-lead'],
  },
  'health.see': {
    may: 'see how gateways, lists, alerts, mail and backups are',
    roles: ['headteacher', ...OPERATORS],
  },
  'site.check': {
    may: 'ask what would become of an address, for a level or a time',
    roles: ALL_ROLES,
    guard: 'none',
  },
  'unblock.see': { may: 'see unblocks', roles: ALL_ROLES, guard: 'none' },
  'unblock.request': {
    may: 'ask for an unblock, and take back what they asked for',
    roles: [...LEADS, 'technician', 'teacher'],
    guard: 'none',
  },
  'unblock.decide': { may: 'approve or refuse an unblock that somebody else asked for', roles: LEADS },
  'unblock.agree': {
    may: 'agree to an unblock of what is of high risk, or one that passes a pupil’s own block',
    roles: ['safeguarding-lead'],
  },
  'unblock.revoke': { may: 'end an unblock early', roles: [...LEADS, 'technician'] },
  'lessons.give': {
    may: 'give lesson lists to classes they teach, and look up what these could open',
    roles: [...LEADS, 'teacher'],
    guard: 'none',
  },
  'lessons.give-any': { may: 'give lesson lists to any class, and end those of others', roles: LEADS },
  'guests.manage': { may: 'see guests, make their vouchers and withdraw them', roles: [...LEADS, 'technician'] },
  'lists.see': { may: 'see the lists and how they stand', roles: ALL_ROLES, guard: 'none' },
  'lists.update': { may: 'have lists fetched now', roles: OPERATORS },
  'lists.change': {
    may: 'switch on a list under its licence, and accept an update that lost many entries',
    roles: ['network-manager'],
  },
  'lists.remove-illegal': {
    may: 'be one of the two people who end an illegal list',
    roles: ['headteacher', 'safeguarding-lead', 'network-manager'],
    guard: 'password',
  },
  'lists.agree-removal': {
    may: 'be the one of those two without whom it does not end',
    roles: ['headteacher', 'safeguarding-lead'],
  },
  'people.see': {
    may: 'see people of the directory, their classes, and who is signed in on devices',
    roles: [...LEADS, 'technician'],
  },
  'people.import': { may: 'import a roster', roles: OPERATORS },
  'people.suspend': { may: 'stop a person’s access, give it back, and sign somebody out on a device', roles: LEADS },
  'people.cards': { may: 'make log-in cards with new temporary passwords', roles: OPERATORS },
  'alerts.see': { may: 'see alerts that were sent to them', roles: ALL_ROLES },
  'agreements.see': { may: 'see who has accepted the agreement', roles: [...LEADS, 'technician', 'teacher'] },
  'agreements.record': {
    may: 'record a parent’s consent, and that it was taken back',
    roles: [...LEADS, 'technician', 'teacher'],
  },
  'backup.make': {
    may: 'make backups, and the recovery key that opens them',
    roles: ['headteacher', 'network-manager'],
    guard: 'password',
  },
  'retention.see': {
    may: 'see how long data is kept, and what was deleted when',
    roles: ['headteacher', 'safeguarding-lead', 'network-manager', 'data-protection-officer'],
    guard: 'none',
  },
  'retention.hold': {
    may: 'keep data beyond its time, for a court or an inquiry, and let it go again',
    roles: ['headteacher', 'safeguarding-lead'],
  },
  'concerns.see': {
    may: 'see concerns that are theirs to see, their evidence, and which rules are dismissed most',
    roles: ['headteacher', 'safeguarding-lead', 'chair-of-governors', 'vice-chair-of-governors'],
  },
  'concerns.decide': {
    may: 'acknowledge concerns, call them no concern, and close them',
    roles: ['headteacher', 'safeguarding-lead', 'chair-of-governors', 'vice-chair-of-governors'],
  },
  'incidents.see': {
    may: 'see and record incidents that are theirs to see, act on them, and export them',
    roles: ['headteacher', 'safeguarding-lead', 'chair-of-governors', 'vice-chair-of-governors'],
  },
  'checks.see': {
    may: 'see the log of checks that the filter does what it should',
    roles: [...LEADS, 'technician', 'governor', 'chair-of-governors', 'data-protection-officer'],
    guard: 'none',
  },
  'checks.record': {
    may: 'record checks of the filter, and start its self-test',
    roles: [...LEADS, 'technician'],
  },
  'audit.see': {
    may: 'read the whole record of acts, and who looked at the data of a person',
    roles: ['headteacher', 'data-protection-officer'],
  },
  'audit.review': {
    may: 'read what was changed, by whom and why, without pupils’ names',
    roles: ['headteacher', 'senior-leadership', 'governor', 'chair-of-governors', 'data-protection-officer'],
  },
  'reports.see': {
    may: 'see reports, each those that are for their role',
    roles: [...LEADS, 'governor', 'chair-of-governors', 'vice-chair-of-governors', 'data-protection-officer'],
  },
  'reports.weekly': {
    may: 'see the weekly report, which names who carried most data',
    roles: ['headteacher', 'safeguarding-lead', 'online-safety-lead', 'network-manager'],
  },
  'reports.digest': {
    may: 'see the daily digest of concerns that are theirs to see',
    roles: ['headteacher', 'safeguarding-lead', 'chair-of-governors', 'vice-chair-of-governors'],
  },
  'reports.governors': {
    may: 'see the report for governors and school leaders',
    roles: [...LEADS, 'governor', 'chair-of-governors', 'vice-chair-of-governors', 'data-protection-officer'],
  },
  'reports.make': {
    may: 'have a weekly or governors’ report made now',
    roles: ['headteacher', 'network-manager'],
  },
  'history.investigate': {
    may: 'look into the access history with a stated purpose, and export what they found',
    roles: ['safeguarding-lead', 'network-manager'],
  },
  'evidence.see': {
    may: 'see when, where and for whom illegal material was refused',
    roles: [...LEADS, 'chair-of-governors'],
  },
  'evidence.init': { may: 'have three people make the evidence key', roles: ['headteacher'], guard: 'password' },
  'evidence.open': {
    may: 'be one of those three, of whom two together see the address of an illegal hit',
    roles: [...LEADS, 'chair-of-governors'],
    guard: 'password',
  },
} as const satisfies Readonly<Record<string, Rule>>;
export type Permission = keyof typeof PERMISSIONS;

export const ALL_PERMISSIONS = Object.keys(PERMISSIONS) as readonly Permission[];

/** Whether one of these roles has a permission. Without a role nobody may anything. */
export function may(roles: readonly Role[], permission: Permission): boolean {
  const allowed: readonly Role[] = PERMISSIONS[permission].roles;
  return roles.some((role) => allowed.includes(role));
}

const RULES: Readonly<Record<Permission, Rule>> = PERMISSIONS;

/** Whether each sign-in of somebody with these roles takes a code: they can change or see people. */
export function needsSecondFactor(roles: readonly Role[]): boolean {
  return ALL_PERMISSIONS.some((permission) => guardOf(permission) !== 'none' && may(roles, permission));
}

export function guardOf(permission: Permission): Guard {
  return RULES[permission].guard ?? 'code';
}

/** Whether there are two different people of whom one may do the first and the other the second: what an act of two needs. */
export function haveTwo(
  people: readonly { readonly id: string; readonly roles: readonly Role[] }[],
  first: Permission,
  second: Permission,
): boolean {
  return people.some(
    (one) => may(one.roles, first) && people.some((other) => other.id !== one.id && may(other.roles, second)),
  );
}

/** Roles that somebody with these roles may give and take away. */
export function appointable(roles: readonly Role[]): readonly Role[] {
  return ALL_ROLES.filter((role) => roles.some((own) => APPOINTS[own]?.includes(role)));
}

/** How people are told what a line takes. */
export const GUARDS: Readonly<Record<Guard, string>> = {
  none: 'password',
  code: 'password and code',
  password: 'password and code, and the password again',
};

/** One line of the table for people to read. */
export interface PermissionRow {
  readonly permission: Permission;
  readonly may: string;
  readonly roles: readonly Role[];
  readonly guard: Guard;
}

export function permissionRows(): readonly PermissionRow[] {
  return ALL_PERMISSIONS.map((permission) => {
    const { may, roles } = PERMISSIONS[permission];
    return { permission, may, roles, guard: guardOf(permission) };
  });
}

/** The table as it stands in the README. */
export function permissionsMarkdown(): string {
  const lines = permissionRows().map(({ may, roles, guard }) => `| ${may} | ${rolesText(roles)} | ${GUARDS[guard]} |`);
  return ['| may | roles | takes |', '|---|---|---|', ...lines].join('\n');
}

/** Who appoints whom, as it stands in the README. */
export function appointsMarkdown(): string {
  const lines = ALL_ROLES.filter((role) => APPOINTS[role] !== undefined).map(
    (role) => `| ${ROLES[role].toLowerCase()} | ${rolesText(APPOINTS[role]!)} |`,
  );
  return ['| role | may give and take away |', '|---|---|', ...lines].join('\n');
}

/** Roles as a phrase; all of them are "everybody with a role". */
export function rolesText(roles: readonly Role[]): string {
  if (roles.length === ALL_ROLES.length) return 'everybody with a role';
  return roles.map((role) => ROLES[role].toLowerCase()).join(', ');
}
