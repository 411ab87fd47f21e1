import { type FieldProblem, InvalidFieldsError } from '../../kernel/errors.ts';
import type { PersonName } from '../accounts.ts';
import { appointable } from '../permissions.ts';
import { ROLES, type Role } from '../roles.ts';

/** A role that somebody holds. `endsAt`: ms since the epoch; null: until somebody takes it away. */
export interface HeldRole {
  readonly role: Role;
  readonly endsAt: number | null;
}

/** A link that gives roles, once. */
export interface Invitation {
  readonly tokenHash: string;
  readonly roles: readonly Role[];
  /** When the roles end that it gives, ms since the epoch; null: when somebody takes them away. */
  readonly rolesEndAt: number | null;
  /** How whoever invited calls them; empty on a first link. */
  readonly fullName: string;
  /** Whom the link is for, where the record knows them already; null: somebody new. */
  readonly person: PersonName | null;
  /** The inviter's id; null: a first link. */
  readonly invitedBy: string | null;
  readonly expiresAt: number;
}

/** What somebody asks for, as typed. */
export interface RolesInput {
  readonly roles: readonly string[];
  /** Ms since the epoch; null: no end; `wrong`: what was typed is no date. */
  readonly endsAt: number | null | 'wrong';
}

/** Roles and their end as they will be kept. Throws an InvalidFieldsError with everything that is wrong. */
export function readRoles({ roles, endsAt }: RolesInput, now: number, problems: FieldProblem[] = []): HeldRole[] {
  if (roles.some((role) => !Object.hasOwn(ROLES, role)))
    problems.push({ field: 'roles', reason: 'Choose from the roles.' });
  if (endsAt === 'wrong' || (endsAt !== null && endsAt <= now)) {
    problems.push({ field: 'endsOn', reason: 'Give a day to come, or leave it empty.' });
  }
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  return [...new Set(roles as readonly Role[])].map((role) => ({ role, endsAt: endsAt as number | null }));
}

/** Roles that differ, or end at another time, and that somebody with roles `own` may not give or take away. */
export function beyond(own: readonly Role[], before: readonly HeldRole[], after: readonly HeldRole[]): Role[] {
  const holds = (list: readonly HeldRole[], { role, endsAt }: HeldRole): boolean =>
    list.some((one) => one.role === role && one.endsAt === endsAt);
  const differing = [...before.filter((one) => !holds(after, one)), ...after.filter((one) => !holds(before, one))];
  const allowed = appointable(own);
  return [...new Set(differing.map(({ role }) => role))].filter((role) => !allowed.includes(role));
}
