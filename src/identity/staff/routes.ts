import { Type, type FastifyPluginAsyncTypebox, type Static } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest, Table } from 'fastify';
import { isoTime, readInstant } from '../../kernel/clock.ts';
import { InvalidFieldsError, SchoolgateError } from '../../kernel/errors.ts';
import { instantOf, localInput } from '../../kernel/local-time.ts';
import { APPOINTS, GUARDS, appointable, permissionRows, rolesText } from '../permissions.ts';
import { ALL_ROLES, ROLES, type Role } from '../roles.ts';
import type { SecondFactors } from './second-factor-service.ts';
import type { Staff, StaffMember } from './service.ts';

export interface StaffRoutesOptions {
  readonly staff: Staff;
  readonly secondFactors: SecondFactors;
  /** IANA zone of the school. */
  readonly timeZone: () => string;
}

const Strict = { additionalProperties: false };
const Text = Type.String({ maxLength: 1000 });
const Csrf = Type.Optional(Type.String());
const RoleNames = Type.Array(Type.String({ maxLength: 40 }), { maxItems: 20 });
/** A box that is ticked once comes as text, ticked twice as a list, and not at all when it is not. */
const Ticked = Type.Optional(Type.Union([Text, RoleNames]));
const InviteForm = Type.Object({ _csrf: Csrf, fullName: Text, userName: Text, roles: Ticked, endsOn: Text }, Strict);
const RolesForm = Type.Object({ _csrf: Csrf, roles: Ticked, endsOn: Text }, Strict);
const NoFields = Type.Object({ _csrf: Csrf }, Strict);
const EndsAt = Type.Optional(Type.String({ description: 'ISO 8601 with its zone; left out: no end' }));
const InviteBody = Type.Object(
  { fullName: Type.Optional(Text), userName: Type.Optional(Text), roles: RoleNames, endsAt: EndsAt },
  Strict,
);
const RolesBody = Type.Object({ roles: RoleNames, endsAt: EndsAt }, Strict);
const Params = Type.Object({ id: Type.String({ pattern: '^[0-9A-Z]{26}$' }) });
const LinkParams = Type.Object({ hash: Type.String({ pattern: '^[0-9a-f]{64}$' }) });

/** Who may use the console and what each may do: pages, and the same for programs. */
export const staffRoutes: FastifyPluginAsyncTypebox<StaffRoutesOptions> = async (app, options) => {
  const { staff, secondFactors, timeZone } = options;
  const toSee = { access: 'accounts.see' } as const;
  const toAppoint = { access: 'accounts.appoint' } as const;
  const form = { ...toAppoint, keepsForm: true } as const;

  app.get('/permissions', { config: { access: 'permissions.see' } }, async (_request, reply) => {
    const rows = permissionRows().map(({ permission, may, roles, guard }) => {
      return { permission, may, who: rolesText(roles), takes: GUARDS[guard] };
    });
    const appoints = ALL_ROLES.flatMap((role) => {
      const given = APPOINTS[role];
      return given === undefined ? [] : [{ title: ROLES[role], gives: rolesText(given) }];
    });
    return reply.page('permissions', { title: 'Who may do what', rows, appoints });
  });

  app.get('/accounts', { config: toSee }, async (request, reply) => accountsPage(options, request, reply));

  app.get('/accounts/invite', { config: toAppoint }, async (request, reply) =>
    invitePage(request, reply, keptOf(request) ?? {}),
  );

  app.post('/accounts/invite', { config: form, schema: { body: InviteForm } }, async (request, reply) => {
    const { fullName, userName, roles, endsOn } = request.body;
    try {
      const input = { fullName, userName, roles: ticked(roles), endsAt: endOfDay(endsOn, timeZone()) };
      const { token, invitation } = staff.invite(request.actor(), input);
      // Shown here and never again, so it is not a page that can be gone back to.
      return await reply.code(201).page('invitation', {
        title: `Invitation for ${invitation.fullName}`,
        address: `${request.protocol}://${request.host}/join/${token}`,
        invitation,
        roleTitles: rolesText(invitation.roles),
      });
    } catch (error) {
      if (!(error instanceof InvalidFieldsError)) throw error;
      return invitePage(request, reply.code(422), typedOf(request.body), error.fields);
    }
  });

  app.post(
    '/accounts/invitations/:hash/withdraw',
    { config: toAppoint, schema: { params: LinkParams, body: NoFields } },
    async (request, reply) => {
      staff.withdraw(request.actor(), request.params.hash);
      return reply.redirect('/accounts', 303);
    },
  );

  app.get('/accounts/:id', { config: toAppoint, schema: { params: Params } }, async (request, reply) => {
    const member = staff.find(request.params.id);
    const end = member.held.find(({ endsAt }) => endsAt !== null)?.endsAt ?? null;
    const endsOn = end === null ? '' : localInput(end, timeZone()).slice(0, 10);
    const held = { roles: member.held.map(({ role }) => role), endsOn };
    return memberPage(options, request, reply, member, keptOf(request) ?? held);
  });

  app.post(
    '/accounts/:id/roles',
    { config: form, schema: { params: Params, body: RolesForm } },
    async (request, reply) => {
      const { id } = request.params;
      const { roles, endsOn } = request.body;
      try {
        staff.changeRoles(
          request.actor(),
          id,
          keepOthers(request, staff.find(id), ticked(roles), endOfDay(endsOn, timeZone())),
        );
        return reply.redirect('/accounts', 303);
      } catch (error) {
        if (!(error instanceof InvalidFieldsError)) throw error;
        return memberPage(options, request, reply.code(422), staff.find(id), typedOf(request.body), error.fields);
      }
    },
  );

  app.post(
    '/accounts/:id/reset-app',
    { config: toAppoint, schema: { params: Params, body: NoFields } },
    async (request, reply) => {
      const { id } = request.params;
      const code = secondFactors.reset(request.actor(), id);
      // Shown here and never again, so it is not a page that can be gone back to.
      return reply.code(201).page('app-reset', { title: 'A code to hand over', member: staff.find(id), code });
    },
  );

  app.get('/api/v1/accounts', { config: toSee }, async () => {
    const { people, invitations } = staff.list();
    return {
      accounts: people.map(toJson),
      invitations: invitations.map(({ fullName, roles, expiresAt }) => ({
        fullName,
        roles,
        expiresAt: isoTime(expiresAt),
      })),
    };
  });

  app.post(
    '/api/v1/accounts/invitations',
    { config: toAppoint, schema: { body: InviteBody } },
    async (request, reply) => {
      const { fullName = '', userName = '', roles, endsAt } = request.body;
      const input = { fullName, userName, roles, endsAt: endOf(endsAt) };
      const { token, invitation } = staff.invite(request.actor(), input);
      return reply.code(201).send({ path: `/join/${token}`, expiresAt: isoTime(invitation.expiresAt) });
    },
  );

  app.post(
    '/api/v1/accounts/:id/roles',
    { config: toAppoint, schema: { params: Params, body: RolesBody } },
    async (request, reply) => {
      const { roles, endsAt } = request.body;
      const { id } = request.params;
      staff.changeRoles(request.actor(), id, { roles, endsAt: endOf(endsAt) });
      return reply.send(toJson(staff.find(id)));
    },
  );
};

function ticked(boxes: string | readonly string[] | undefined): readonly string[] {
  return boxes === undefined ? [] : typeof boxes === 'string' ? [boxes] : boxes;
}

/** The last minute of a day such as `2027-07-31` at the school. */
function endOfDay(day: string, zone: string): number | null | 'wrong' {
  return day.trim() === '' ? null : (instantOf(`${day.trim()}T23:59`, zone) ?? 'wrong');
}

/** As programs give it: ISO 8601 with its offset; left out: the roles do not end. */
function endOf(endsAt: string | undefined): number | null | 'wrong' {
  return endsAt === undefined ? null : (readInstant(endsAt) ?? 'wrong');
}

function typedOf({ roles, ...rest }: Static<typeof InviteForm> | Static<typeof RolesForm>): Record<string, unknown> {
  return { ...rest, roles: ticked(roles) };
}

/** What was typed when the form took the password again. */
function keptOf(request: FastifyRequest): Record<string, unknown> | null {
  const kept = request.keptForm();
  return kept === null ? null : { ...typedOf(kept as Static<typeof RolesForm>), isKept: true };
}

/** The form has boxes for what the actor may give alone: what else the person holds stays. */
function keepOthers(
  request: FastifyRequest,
  { held }: StaffMember,
  chosen: readonly string[],
  endsAt: number | null | 'wrong',
): { roles: readonly string[]; endsAt: number | null | 'wrong' } {
  const given = appointable(request.signedIn!.person.roles);
  return { roles: [...held.map(({ role }) => role).filter((role) => !given.includes(role)), ...chosen], endsAt };
}

function boxes(request: FastifyRequest): { value: Role; text: string }[] {
  return appointable(request.signedIn!.person.roles).map((role) => ({ value: role, text: ROLES[role] }));
}

interface Row {
  readonly member: StaffMember;
  readonly mayChange: boolean;
}

const TABLE: Table<Row> = {
  path: '/accounts',
  caption: 'Accounts',
  columns: [
    { id: 'name', title: 'Name', value: ({ member }) => member.fullName },
    { id: 'user', title: 'User name', value: ({ member }) => member.userName },
    {
      id: 'roles',
      title: 'Roles',
      value: ({ member }) => member.held.map(({ role }) => ROLES[role]).join(', ') || 'None any more',
    },
    {
      id: 'until',
      title: 'First role ends',
      value: ({ member }) => member.held.flatMap(({ endsAt }) => endsAt ?? []).toSorted((a, b) => a - b)[0] ?? null,
      isTime: true,
    },
  ],
  filters: [
    {
      id: 'role',
      label: 'Role',
      options: [{ value: '', text: 'All' }, ...ALL_ROLES.map((role) => ({ value: role, text: ROLES[role] }))],
      accepts: ({ member }, value) => value === '' || member.held.some(({ role }) => role === value),
    },
  ],
  search: { label: 'Name or user name', of: ({ member }) => `${member.fullName} ${member.userName}` },
  empty: { text: 'Nobody has an account yet.' },
};

function accountsPage({ staff }: StaffRoutesOptions, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { people, invitations } = staff.list();
  const { personId } = request.actor();
  const given = appointable(request.signedIn!.person.roles);
  const rows: Row[] = people.map((member) => ({
    member,
    mayChange:
      member.id !== personId &&
      request.may('accounts.appoint') &&
      (member.held.length === 0 || member.held.some(({ role }) => given.includes(role))),
  }));
  const waiting = invitations.map((invitation) => ({
    invitation,
    roleTitles: rolesText(invitation.roles),
    mayWithdraw: invitation.roles.every((role) => given.includes(role)),
  }));
  return reply.tablePage('accounts', { title: 'Accounts', waiting }, TABLE, rows);
}

function invitePage(
  request: FastifyRequest,
  reply: FastifyReply,
  typed: Record<string, unknown>,
  errors: InvalidFieldsError['fields'] = [],
): FastifyReply {
  return reply.page('invite', { title: 'Invite somebody', boxes: boxes(request), typed, errors });
}

function memberPage(
  { secondFactors }: StaffRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  member: StaffMember,
  typed: Record<string, unknown>,
  errors: InvalidFieldsError['fields'] = [],
): FastifyReply {
  if (member.id === request.actor().personId) {
    throw new SchoolgateError('account_own', 'client', 'Nobody changes their own roles; ask somebody who may.');
  }
  const given = appointable(request.signedIn!.person.roles);
  const { isSetUp, recoveryCodes } = secondFactors.state(member.id);
  const others = member.held.filter(({ role }) => !given.includes(role)).map(({ role }) => ROLES[role].toLowerCase());
  return reply.page('account-roles', {
    title: `Roles of ${member.fullName}`,
    member,
    others,
    mayReset: member.held.some(({ role }) => given.includes(role)) && (isSetUp || recoveryCodes > 0),
    boxes: boxes(request),
    typed,
    errors,
  });
}

function toJson({ id, userName, fullName, held }: StaffMember) {
  return {
    id,
    userName,
    fullName,
    roles: held.map(({ role, endsAt }) => ({ role, endsAt: endsAt === null ? null : isoTime(endsAt) })),
  };
}
