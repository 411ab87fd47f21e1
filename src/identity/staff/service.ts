import type { Actor } from '../../audit/entry.ts';
import type { Audit } from '../../audit/service.ts';
import { type Clock, isoTime } from '../../kernel/clock.ts';
import { type FieldProblem, SchoolgateError, wrongField } from '../../kernel/errors.ts';
import type { ReadTx, RecordDatabase, Tx } from '../../store/database.ts';
import { INVITATION_MS, type Person } from '../accounts.ts';
import { JUDGES, type Permission, appointable, may, rolesText } from '../permissions.ts';
import { deleteSessionsOf, listPeople } from '../repository.ts';
import { ROLES, type Role } from '../roles.ts';
import { newToken, tokenHash } from '../token.ts';
import { canonicalUser } from '../user-name.ts';
import type { Announcements } from './announcement-service.ts';
import { type HeldRole, type Invitation, type RolesInput, beyond, readRoles } from './model.ts';
import {
  type Candidate,
  deleteExpiredInvitations,
  deleteInvitation,
  findCandidate,
  findInvitation,
  insertInvitation,
  listInvitations,
  rolesOf,
  storeRoles,
} from './repository.ts';

/** Whom to invite, as typed. */
export interface InvitationInput extends RolesInput {
  readonly fullName: string;
  /** Of somebody whom the record knows already, such as a teacher of the roster; empty: somebody new. */
  readonly userName: string;
}

/** Somebody with an account, and what they hold; nothing: they held roles once. */
export interface StaffMember extends Person {
  readonly held: readonly HeldRole[];
}

/** Who may use the console: invitations, and roles given and taken away. */
export interface Staff {
  list(): { readonly people: readonly StaffMember[]; readonly invitations: readonly Invitation[] };
  /** Throws `account_unknown`. */
  find(personId: string): StaffMember;
  /** Whose roles end within three weeks, of those that this person may give anew. */
  endingSoon(personId: string): readonly StaffMember[];
  /** The token of a link, shown once. Throws an InvalidFieldsError. */
  invite(actor: Actor, input: InvitationInput): { readonly token: string; readonly invitation: Invitation };
  /** Throws `invitation_unknown`, or an InvalidFieldsError. */
  withdraw(actor: Actor, tokenHash: string): void;
  /** Gives and takes away; the person's sessions end. Throws as `invite`, and `account_unknown`, `account_own`. */
  changeRoles(actor: Actor, personId: string, input: RolesInput): void;
}

export interface StaffOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly announcements: Announcements;
}

const MAX_NAME = 100;

export function createStaff(options: StaffOptions): Staff {
  const { record, clock } = options;
  return {
    list: () => record.read((tx) => ({ people: members(tx, clock()), invitations: listInvitations(tx, clock()) })),
    find: (personId) => record.read((tx) => member(tx, personId, clock())),
    endingSoon: (personId) => record.read((tx) => endingSoon(tx, personId, clock())),
    invite: (actor, input) => record.write((tx) => invite(options, tx, actor, input)),
    withdraw: (actor, hash) => record.write((tx) => withdraw(options, tx, actor, hash)),
    changeRoles: (actor, personId, input) => record.write((tx) => changeRoles(options, tx, actor, personId, input)),
  };
}

function members(tx: ReadTx, now: number): StaffMember[] {
  return listPeople(tx, now).map((person) => Object.assign(person, { held: rolesOf(tx, person.id, now) }));
}

function member(tx: ReadTx, personId: string, now: number): StaffMember {
  const found = members(tx, now).find(({ id }) => id === personId);
  if (found === undefined) throw new SchoolgateError('account_unknown', 'client', 'There is no such account.');
  return found;
}

const RENEW_MS = 21 * 86_400_000;

function endingSoon(tx: ReadTx, personId: string, now: number): StaffMember[] {
  const given = appointable(rolesOf(tx, personId, now).map(({ role }) => role));
  return members(tx, now).filter(({ id, held }) => {
    const ending = held.filter(({ endsAt }) => endsAt !== null && endsAt <= now + RENEW_MS);
    return id !== personId && ending.some(({ role }) => given.includes(role));
  });
}

function invite(
  { audit, clock }: StaffOptions,
  tx: Tx,
  actor: Actor,
  input: InvitationInput,
): ReturnType<Staff['invite']> {
  const now = clock();
  const problems: FieldProblem[] = [];
  const known = readInvited(tx, input, now, problems);
  const fullName = (known?.fullName ?? input.fullName).replace(/\p{Cc}+/gu, ' ').trim();
  if (fullName === '' || fullName.length > MAX_NAME) {
    problems.push({ field: 'fullName', reason: `Give their name, in at most ${MAX_NAME} characters.` });
  }
  if (input.roles.length === 0) problems.push({ field: 'roles', reason: 'Choose at least one role.' });
  const held = readRoles(input, now, problems);
  refuseBeyond(tx, actor, [], held, now);
  deleteExpiredInvitations(tx, now);
  const token = newToken();
  const invitation: Invitation = {
    tokenHash: tokenHash(token),
    roles: held.map(({ role }) => role),
    rolesEndAt: held[0]!.endsAt,
    fullName,
    person: known,
    invitedBy: actor.personId,
    expiresAt: now + INVITATION_MS,
  };
  insertInvitation(tx, invitation);
  audit.append(tx, {
    actor: actor.userName,
    action: 'person.invited',
    subject: known === null ? 'person:new' : `person:${known.id}`,
    after: { fullName, userName: known?.userName ?? null, roles: shown(held) },
    address: actor.address,
  });
  return { token, invitation };
}

/** The person of the record whom the input names; null: it names nobody, or somebody who cannot be invited. */
function readInvited(
  tx: ReadTx,
  { userName }: InvitationInput,
  now: number,
  problems: FieldProblem[],
): Candidate | null {
  if (userName.trim() === '') return null;
  const key = canonicalUser(userName.trim());
  const found = key === null ? null : findCandidate(tx, key);
  const reason = found === null ? 'There is nobody with this user name.' : objectionTo(tx, found, now);
  if (reason !== null) problems.push({ field: 'userName', reason });
  return found;
}

/** Whether somebody holds a role with this permission. */
export function mayNow(tx: ReadTx, personId: string, permission: Permission, now: number): boolean {
  return may(
    rolesOf(tx, personId, now).map(({ role }) => role),
    permission,
  );
}

/** Why somebody whom the record knows cannot be given a first role; null: they can. */
export function objectionTo(tx: ReadTx, candidate: Candidate, now: number): string | null {
  if (candidate.rosterRoles?.includes('pupil') === true) return 'A pupil never has a role here.';
  if (candidate.isShared) return 'This account is not one person’s.';
  if (candidate.hasLeft) return 'The roster says that this person has left.';
  return rolesOf(tx, candidate.id, now).length > 0
    ? 'This person has roles already; change them under Accounts.'
    : null;
}

/** Whether whoever invited may still give what they promised; a first link is nobody's promise. */
export function standsBehind(tx: ReadTx, { invitedBy, roles }: Invitation, now: number): boolean {
  if (invitedBy === null) return true;
  const allowed = appointable(rolesOf(tx, invitedBy, now).map(({ role }) => role));
  return roles.every((role) => allowed.includes(role));
}

function withdraw({ audit, clock }: StaffOptions, tx: Tx, actor: Actor, hash: string): void {
  const invitation = findInvitation(tx, hash, clock());
  if (invitation === null || invitation.invitedBy === null) {
    throw new SchoolgateError('invitation_unknown', 'client', 'This invitation was used, or its time has passed.');
  }
  const { fullName, roles } = invitation;
  refuseBeyond(
    tx,
    actor,
    roles.map((role) => ({ role, endsAt: null })),
    [],
    clock(),
  );
  deleteInvitation(tx, hash);
  const { userName, address } = actor;
  const subject = `person:${invitation.person?.id ?? 'new'}`;
  audit.append(tx, { actor: userName, action: 'invitation.withdrawn', subject, before: { fullName, roles }, address });
}

function changeRoles(options: StaffOptions, tx: Tx, actor: Actor, personId: string, input: RolesInput): void {
  const { audit, clock } = options;
  const now = clock();
  const { held: before, userName, fullName } = member(tx, personId, now);
  if (personId === actor.personId) {
    throw new SchoolgateError('account_own', 'client', 'Nobody changes their own roles; ask somebody who may.');
  }
  // A role that stays keeps its end unless the actor may give it another.
  const allowed = appointable(rolesOf(tx, actor.personId, now).map(({ role }) => role));
  const after = readRoles(input, now).map(
    (one) => (allowed.includes(one.role) ? one : before.find(({ role }) => role === one.role)) ?? one,
  );
  refuseBeyond(tx, actor, before, after, now);
  // The roster may have made somebody a pupil since they held a role.
  const reason =
    before.length === 0 && after.length > 0 ? objectionTo(tx, findCandidate(tx, canonicalUser(userName)!)!, now) : null;
  if (reason !== null) throw wrongField('roles', reason);
  storeRoles(tx, personId, after, now);
  deleteSessionsOf(tx, personId);
  audit.append(tx, {
    actor: actor.userName,
    action: 'person.roles-changed',
    subject: `person:${personId}`,
    before: { userName, roles: shown(before) },
    after: { userName, roles: shown(after) },
    address: actor.address,
  });
  announce(options, tx, fullName, before, after);
}

/** Whoever judges others does not change in silence. */
function announce(
  { announcements }: StaffOptions,
  tx: Tx,
  fullName: string,
  before: readonly HeldRole[],
  after: readonly HeldRole[],
): void {
  const judging = (held: readonly HeldRole[]): Role[] =>
    held.map(({ role }) => role).filter((role) => JUDGES.includes(role));
  const [was, is] = [judging(before), judging(after)];
  const given = is.filter((role) => !was.includes(role));
  const taken = was.filter((role) => !is.includes(role));
  const tell = (text: string): void => announcements.tell(tx, 'everybody', 'who judges others', text);
  if (given.length > 0) tell(`${fullName} is now ${rolesText(given)}.`);
  if (taken.length > 0) tell(`${fullName} is no longer ${rolesText(taken)}.`);
}

function refuseBeyond(
  tx: ReadTx,
  actor: Actor,
  before: readonly HeldRole[],
  after: readonly HeldRole[],
  now: number,
): void {
  const own = rolesOf(tx, actor.personId, now).map(({ role }) => role);
  const refused = beyond(own, before, after);
  if (refused.length === 0) return;
  const names = refused.map((role: Role) => ROLES[role].toLowerCase()).join(', ');
  throw wrongField('roles', `Your role does not let you give or take away: ${names}.`);
}

function shown(held: readonly HeldRole[]): unknown[] {
  return held.map(({ role, endsAt }) => (endsAt === null ? role : { role, until: isoTime(endsAt) }));
}
