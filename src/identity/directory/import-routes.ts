import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../kernel/clock.ts';
import { type FieldProblem, InvalidFieldsError, SchoolgateError, formatProblem } from '../../kernel/errors.ts';
import { ShortMemory } from '../../kernel/short-memory.ts';
import { ROSTER_MAX_BYTES, type RosterFile } from '../roster/roster.ts';
import { type SentFile, takeFiles } from '../roster/take-files.ts';
import { newToken } from '../token.ts';
import type { Directory, ImportReport } from './service.ts';

/** What lies where a school's system may leave its roster. */
export interface DropFolder {
  readonly folder: string;
  /** `changedAt` in ms since the epoch. */
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly changedAt: number }[];
  /** The last time that it was not imported, of the last month. */
  readonly refused: { readonly at: string; readonly text: string } | null;
}

export interface ImportRoutesOptions {
  readonly directory: Directory;
  readonly dropFolder: () => DropFolder;
  readonly clock: Clock;
}

const Strict = { additionalProperties: false };
const Csrf = Type.Optional(Type.String());
const Upload = Type.Object({ upload: Type.String({ pattern: '^[\\w-]{43}$' }) });
const Query = Type.Object({ done: Type.Optional(Type.String({ maxLength: 20 })) });
const AcceptForm = Type.Object(
  {
    _csrf: Csrf,
    digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    accept: Type.Optional(Type.Literal('yes')),
  },
  Strict,
);

const IMPORT = { access: 'people.import' } as const;
/** Reading a roster keeps the console busy for a second, and each upload is held in memory. */
const RATION = { rateLimit: { max: 20, timeWindow: '1 minute' } };
const MOST_HELD = 3;
const HELD_MS = 30 * 60_000;
/** Lines of each kind on the page. */
const SHOWN = 200;

/** Somebody's upload, until they accept it. */
interface Held {
  readonly personId: string;
  readonly files: readonly RosterFile[];
}

/** Pages: importing a roster in two steps, a preview and its acceptance; and how the drop folder stands. */
export const importRoutes: FastifyPluginAsyncTypebox<ImportRoutesOptions> = async (app, options) => {
  const { directory, clock } = options;
  const uploads = new ShortMemory<Held>(MOST_HELD);
  app.addContentTypeParser(
    'multipart/form-data',
    { parseAs: 'buffer', bodyLimit: ROSTER_MAX_BYTES },
    async (request: FastifyRequest, body: Buffer) => readForm(request.headers['content-type']!, body),
  );

  app.get('/people/import', { config: IMPORT, schema: { querystring: Query } }, async (request, reply) =>
    importPage(options, reply, { done: request.query.done }),
  );

  app.post(
    '/people/import',
    {
      config: { ...IMPORT, ...RATION },
      errorHandler: (error, _request, reply) => {
        if (error.code !== 'FST_ERR_CTP_BODY_TOO_LARGE') throw error;
        const reason = `The files have more than ${ROSTER_MAX_BYTES >> 20} MB together; choose only those of the roster.`;
        void importPage(options, reply.code(413), { errors: [{ field: 'files', reason }] });
      },
    },
    async (request, reply) => {
      try {
        const { files: sent = [] } = request.body as { files?: SentFile[] };
        const files = takeFiles('files', sent);
        // Whether it is a roster at all is told beside the field.
        await directory.preview(files);
        const upload = newToken();
        uploads.set(upload, { personId: request.actor().personId, files }, clock() + HELD_MS);
        return reply.redirect(`/people/import/${upload}`, 303);
      } catch (error) {
        return importPage(options, reply.code(422), { errors: fieldProblems(error) });
      }
    },
  );

  const heldFor = (request: FastifyRequest, upload: string): readonly RosterFile[] | null => {
    const held = uploads.get(upload, clock());
    return held?.personId === request.actor().personId ? held.files : null;
  };

  app.get('/people/import/:upload', { config: IMPORT, schema: { params: Upload } }, async (request, reply) => {
    const files = heldFor(request, request.params.upload);
    if (files === null) return importPage(options, reply.code(410), { errors: [GONE] });
    return previewPage(reply, request.params.upload, await directory.preview(files));
  });

  app.post(
    '/people/import/:upload',
    { config: { ...IMPORT, ...RATION }, schema: { params: Upload, body: AcceptForm } },
    async (request, reply) => {
      const { upload } = request.params;
      const { digest, accept } = request.body;
      const files = heldFor(request, upload);
      if (files === null) return importPage(options, reply.code(410), { errors: [GONE] });
      try {
        const report = await directory.import(request.actor(), files, accept === 'yes', digest);
        if (report.outcome === 'refused') return previewPage(reply.code(422), upload, report, [NOT_ACCEPTED]);
        return reply.redirect(`/people/import?done=${report.outcome}`, 303);
      } catch (error) {
        if (!(error instanceof SchoolgateError) || error.code !== 'import_stale') throw error;
        const errors = [{ field: 'main-content', reason: error.publicText }];
        return previewPage(reply.code(409), upload, await directory.preview(files), errors);
      }
    },
  );
};

const GONE = {
  field: 'files',
  reason: 'This preview is no longer held: they are kept for half an hour, until others come. Choose the files again.',
};
const NOT_ACCEPTED = { field: 'accept', reason: 'Say that you have read what stands above, or mend the roster first.' };

/** Fields of a form with files (RFC 7578); the token is where the console looks for it in every form. */
async function readForm(contentType: string, body: Buffer): Promise<{ _csrf?: string; files: SentFile[] }> {
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } })
    .formData()
    .catch((cause: unknown) => {
      throw new SchoolgateError('invalid_form', 'client', 'This form cannot be read. Load the page again.', { cause });
    });
  const files = form.getAll('files').flatMap((one) => (typeof one === 'string' ? [] : [one]));
  const sent = files.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) }));
  const token = form.get('_csrf');
  return { ...(typeof token === 'string' && { _csrf: token }), files: await Promise.all(sent) };
}

/** What is wrong with what was chosen; any other fault goes on. */
function fieldProblems(error: unknown): readonly FieldProblem[] {
  if (error instanceof InvalidFieldsError) return error.fields;
  if (error instanceof SchoolgateError && error.fault === 'client') {
    return [{ field: 'files', reason: error.publicText }];
  }
  throw error;
}

function importPage(
  { directory, dropFolder }: ImportRoutesOptions,
  reply: FastifyReply,
  shown: { readonly done?: string | undefined; readonly errors?: readonly FieldProblem[] },
): FastifyReply {
  const imports = directory.lastImports();
  return reply.page('import', { title: 'Import a roster', drop: dropFolder(), imports, ...shown });
}

function previewPage(
  reply: FastifyReply,
  upload: string,
  report: ImportReport,
  errors: readonly FieldProblem[] = [],
): FastifyReply {
  const part = (title: string, lines: readonly string[], areNames = false) => ({
    title,
    areNames,
    count: lines.length,
    lines: lines.slice(0, SHOWN),
    more: Math.max(0, lines.length - SHOWN),
  });
  const { added, changed, leaving, problems, notes } = report;
  const parts = [
    part('Problems', problems.map(formatProblem)),
    part('Leaving', leaving, true),
    part('Changed', changed),
    part('New', added, true),
    part('Notes', notes),
  ].filter(({ count }) => count > 0);
  const isEmpty = added.length + changed.length + leaving.length === 0;
  return reply.page('import-preview', { title: 'Preview of the import', upload, report, parts, isEmpty, errors });
}
