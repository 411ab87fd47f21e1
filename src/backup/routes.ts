import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Clock, isoTime } from '../kernel/clock.ts';
import type { Backups } from './service.ts';

export interface BackupRoutesOptions {
  readonly backups: Backups;
  readonly clock: Clock;
}

const NoFields = Type.Object({ _csrf: Type.Optional(Type.String()) }, { additionalProperties: false });
const config = { access: 'backup.make', rateLimit: { max: 10, timeWindow: '1 minute' } } as const;

/** Pages for backups and their key, and the same for the command `backup`. */
export const backupRoutes: FastifyPluginAsyncTypebox<BackupRoutesOptions> = async (app, { backups, clock }) => {
  const fileName = (): string => `schoolgate-${isoTime(clock()).slice(0, 10)}.age`;

  app.get('/backups', { config }, async (_request, reply) =>
    reply.page('backups', { title: 'Backups', ...backups.state() }),
  );

  app.post('/backups/key', { config, schema: { body: NoFields } }, async (request, reply) => {
    const secret = await backups.makeKey(request.actor());
    // Shown here and never again, so it is not a page that can be gone back to.
    return reply.code(201).page('recovery-key', { title: 'Recovery key', secret });
  });

  app.post('/backups', { config, schema: { body: NoFields } }, async (request, reply) => {
    const sealed = backups.make(request.actor());
    void reply.header('content-disposition', `attachment; filename="${fileName()}"`);
    return reply.type('application/octet-stream').send(sealed);
  });

  app.post('/api/v1/backups/key', { config }, async (request, reply) =>
    reply.code(201).send({ secret: await backups.makeKey(request.actor()) }),
  );

  app.post('/api/v1/backups', { config }, async (request, reply) =>
    reply.type('application/octet-stream').send(backups.make(request.actor())),
  );
};
