/** What is put on record, and how each act is called in plain English. Closed: an act that is not here cannot be recorded. */
export const AUDIT_ACTIONS = {
  'console.started': 'Console started',
  'console.stopped': 'Console stopped',
  'first-link.made': 'First sign-in link made',
  'person.invited': 'Person invited',
  'invitation.withdrawn': 'Invitation withdrawn',
  'person.joined': 'Account made, or roles taken up, from a link',
  'person.roles-changed': 'Roles of a person changed',
  'session.opened': 'Signed in',
  'session.refused': 'Sign-in refused',
  'session.closed': 'Session ended',
  'session.confirmed': 'Password given again',
  'second-factor.set-up': 'Authenticator app set up',
  'second-factor.codes-made': 'Recovery codes made',
  'second-factor.recovery-used': 'Recovery code used',
  'second-factor.reset': 'Authenticator app of a person reset',
  'sessions.listed': 'List of open sessions looked at',
  'sealed-credential.made': 'Sealed headteacher credential made',
  'sealed-credential.used': 'Sealed headteacher credential used',
  'sealed-credential.refused': 'Sealed headteacher credential refused',
  'proxy-auth.refused': 'Sign-in at the proxy refused',
  'voucher.made': 'Guest voucher made',
  'voucher.withdrawn': 'Guest voucher withdrawn',
  'device.signed-in': 'Signed in on a device',
  'device.refused': 'Sign-in on a device refused',
  'devices.listed': 'List of signed-in devices looked at',
  'device.signed-out': 'Signed out on a device',
  'device.ended': 'Sign-in on a device ended',
  'person.password-changed': 'Own password chosen',
  'agreement.accepted': 'Agreement accepted',
  'agreement.consent-recorded': 'Parent’s consent recorded',
  'agreement.withdrawn': 'Agreement withdrawn',
  'agreements.listed': 'List of agreements looked at',
  'people.imported': 'Roster imported',
  'people.listed': 'List of people looked at',
  'person.looked-at': 'Person looked at',
  'person.suspended': 'Person suspended',
  'person.suspension-lifted': 'Suspension lifted',
  'people.cards-made': 'Log-in cards made',
  'unblock.requested': 'Unblock asked for',
  'unblock.approved': 'Unblock approved',
  'unblock.agreed': 'Unblock agreed to by the safeguarding lead',
  'unblock.refused': 'Unblock refused',
  'unblock.withdrawn': 'Unblock withdrawn',
  'unblock.revoked': 'Unblock revoked',
  'unblock.expired': 'Unblock ended',
  'unblock.outcome': 'Use of an unblock counted',
  'unblock.remarked': 'Remark on an unblock that is over',
  'wish.made': 'Site asked for at the front desk, or to be blocked',
  'wish.answered': 'Such a wish answered',
  'lesson.given': 'Lesson list given',
  'lesson.prolonged': 'Lesson list made longer',
  'lesson.site-added': 'Site added to a lesson list',
  'lesson.ended': 'Lesson list ended early',
  'list.enabled': 'List switched on',
  'list.licence-accepted': 'Licence of a list accepted, to be switched on by hand',
  'list.accepted': 'Update of a list accepted',
  'list.changed': 'Content of a list changed',
  'list.removal-asked': 'Removal of an illegal list asked for',
  'list.removed': 'Illegal list removed',
  'concern.opened': 'Concern opened by the rules',
  'concern.raised': 'Concern raised by the rules',
  'concerns.listed': 'List of concerns looked at',
  'concern.looked-at': 'Concern looked at',
  'concern.acknowledged': 'Concern acknowledged',
  'concern.dismissed': 'Concern called no concern',
  'concern.closed': 'Concern closed',
  'incident.reported': 'Incident reported at the front desk',
  'incident.recorded': 'Incident recorded',
  'incident.taken-on': 'Reported incident taken on',
  'incident.dismissed': 'Report called no incident',
  'incident.changed': 'Incident changed',
  'incident.closed': 'Incident closed',
  'incident.reopened': 'Incident opened again',
  'incident.reporter-shown': 'Name of whoever reported an incident shown',
  'incidents.listed': 'List of incidents looked at',
  'incident.looked-at': 'Incident looked at',
  'incidents.exported': 'Incidents exported',
  'check.recorded': 'Check of the filter recorded',
  'check.self-tested': 'Filter’s self-test run',
  'evidence.initialised': 'Evidence key made',
  'evidence.opened': 'Address of an illegal hit shown',
  'evidence.refused': 'Address of an illegal hit refused',
  'backup.key-made': 'Recovery key for backups made',
  'backup.made': 'Backup made',
  'backup.restored': 'Backup restored',
  'history.investigated': 'Access history looked at',
  'history.person-shown': 'Person seen in the access history',
  'history.exported': 'Access history exported',
  'policy.drafted': 'Policy draft begun',
  'policy.edited': 'Policy draft changed',
  'report.made': 'Report made',
  'report.looked-at': 'Report looked at',
  'alert.told': 'Alert sent to people',
  'alert.noticed': 'Alert taken notice of',
  'policy.proposed': 'Policy change proposed',
  'policy.refused': 'Policy change refused',
  'policy.withdrawn': 'Policy draft withdrawn',
  'policy.superseded': 'Proposed policy change overtaken by newer files',
  'policy.published': 'Policy published',
  'policy.emergency': 'Policy changed by one person in an emergency',
  'policy.reviewed': 'Emergency policy change reviewed',
  'policy.comments-changed': 'Comments in the policy files changed',
  'policy.files-restored': 'Policy files put back to what is published',
  'audit.listed': 'Record of acts looked at',
  'audit.looked-at': 'Looks at a person’s data looked at',
  'audit.payloads-erased': 'Personal part of old rows of the record erased',
  'retention.deleted': 'Data deleted whose time had come',
  'retention.held': 'Data kept beyond its time',
  'retention.freed': 'Data no longer kept beyond its time',
  'audit.anchored': 'End of the record anchored',
} as const;
export type AuditAction = keyof typeof AUDIT_ACTIONS;

/** An act, as whoever does it reports it. */
export interface AuditEntry {
  /** User name of who did it; `console` or `file` where no person did. */
  readonly actor: string;
  readonly action: AuditAction;
  /** What it was done to, such as `unblock:01J…` or `policy:41`. */
  readonly subject: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly reason?: string | null;
  /** User name of the second person, where one agreed. */
  readonly approver?: string | null;
  /** Where the actor's request came from: an IP address, or `local` for the machine's own socket. */
  readonly address?: string | null;
}

/** Who does something, as the use cases of every room take it. */
export interface Actor {
  readonly personId: string;
  readonly userName: string;
  readonly address: string;
}

/** A row of the record as it is stored. */
export interface AuditRow {
  readonly seq: number;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly actor: string;
  readonly action: AuditAction;
  readonly subject: string;
  readonly approver: string | null;
  /** JSON of `AuditPayload`; empty: erased, as is the salt. */
  readonly payload: string;
  /** Hex. */
  readonly salt: string;
  readonly payload_hash: string;
  /** Hash of the row before; of the first row: 64 zeros. */
  readonly prev: string;
  readonly hash: string;
}

export interface AuditPayload {
  readonly before: unknown;
  readonly after: unknown;
  readonly reason: string | null;
  readonly address: string | null;
}

/** Whether the personal part of a row is gone. With it goes its salt, without which the hash that stays tells nothing. */
export function isErased({ payload, salt }: Pick<AuditRow, 'payload' | 'salt'>): boolean {
  return payload === '' && salt === '';
}

/** The personal part of a row; null: its time had come, and it was erased. */
export function payloadOf({ payload }: Pick<AuditRow, 'payload'>): AuditPayload | null {
  return payload === '' ? null : (JSON.parse(payload) as AuditPayload);
}
