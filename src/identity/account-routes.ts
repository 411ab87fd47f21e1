import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { permissionRows } from './permissions.ts';
import { ALL_ROLES, ROLES } from './roles.ts';

/** The accounts of people who may use the console, and what each may do. */
export const accountRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/permissions', { config: { access: 'permissions.see' } }, async (request, reply) => {
    const own = request.signedIn!.person.roles;
    const roles = ALL_ROLES.map((role) => ({ role, title: ROLES[role], isOwn: own.includes(role) }));
    return reply.page('permissions', { title: 'Who may do what', roles, rows: permissionRows() });
  });
};
