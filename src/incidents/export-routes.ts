import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { ShortMemory } from '../kernel/short-memory.ts';
import { type ExportedIncidents, EXPORT_FIELDS } from './export.ts';
import type { Incidents } from './service.ts';

export interface IncidentExportOptions {
  readonly incidents: Incidents;
  readonly clock: Clock;
}

const Id = Type.Optional(Type.String({ pattern: '^[0-9A-Z]{26}$' }));
const Query = Type.Object({ id: Id });
const Form = Type.Object(
  { _csrf: Type.Optional(Type.String()), id: Id, as: Type.Union([Type.Literal('csv'), Type.Literal('json')]) },
  { additionalProperties: false },
);
const FileParams = Type.Object({ sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) });

const config = { access: 'incidents.see' } as const;
const TYPES = { csv: 'text/csv; charset=utf-8', json: 'application/json; charset=utf-8' } as const;
/** How long a file that was made waits to be fetched, ms, and how many wait at most. */
const FILE_MS = 10 * 60_000;
const MOST_FILES = 5;

/** Incidents as files: what is in them, making one, fetching it. */
export const incidentExportRoutes: FastifyPluginAsyncTypebox<IncidentExportOptions> = async (app, options) => {
  const { incidents, clock } = options;
  const files = new ShortMemory<ExportedIncidents>(MOST_FILES);
  const keyOf = (request: FastifyRequest, sha256: string): string => `${request.actor().personId}\n${sha256}`;

  app.get('/incidents/export', { config, schema: { querystring: Query } }, async (request, reply) =>
    reply.page('incident-export', { title: 'Export incidents', id: request.query.id, fields: EXPORT_FIELDS }),
  );

  app.post('/incidents/export', { config, schema: { body: Form } }, async (request, reply) => {
    const { id, as } = request.body;
    const subject = id === undefined ? 'incidents:all' : `incident:${id}`;
    const purpose = request.purposeOf(subject);
    if (purpose === null) return reply.askPurpose(subject, `/incidents/export${id === undefined ? '' : `?id=${id}`}`);
    const made = incidents.export(request.actor(), purpose, id ?? null, as);
    files.set(keyOf(request, made.sha256), made, clock() + FILE_MS);
    return reply.page('incident-export', { title: 'The file is ready', id, made });
  });

  app.get('/incidents/export/:sha256', { config, schema: { params: FileParams } }, async (request, reply) => {
    const made = files.get(keyOf(request, request.params.sha256), clock());
    if (made === undefined) {
      throw new SchoolgateError('export_gone', 'client', 'This file is kept for ten minutes: make it again.');
    }
    const name = `schoolgate-incidents-${made.sha256.slice(0, 12)}.${made.format}`;
    return reply
      .header('content-disposition', `attachment; filename="${name}"`)
      .type(TYPES[made.format])
      .send(made.text);
  });
};
