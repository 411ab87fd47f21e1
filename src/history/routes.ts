import { Type, type FastifyPluginAsyncTypebox, type Static } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../kernel/clock.ts';
import { type FieldProblem, InvalidFieldsError, SchoolgateError } from '../kernel/errors.ts';
import { localInput } from '../kernel/local-time.ts';
import { ShortMemory } from '../kernel/short-memory.ts';
import { type Question, readQuestion } from './question.ts';
import { type Exported, type Investigations, PAGE_LINES, knownText, siteText } from './service.ts';

export interface HistoryRoutesOptions {
  readonly investigations: Investigations;
  readonly clock: Clock;
  /** IANA zone of the school. */
  readonly timeZone: () => string;
}

const Asked = Type.Optional(Type.String({ maxLength: 300 }));
const Fields = {
  person: Asked,
  address: Asked,
  site: Asked,
  category: Asked,
  verdict: Asked,
  from: Asked,
  until: Asked,
  context: Asked,
  background: Asked,
};
const Query = Type.Object({ ...Fields, page: Asked });
const ExportForm = Type.Object({ _csrf: Type.Optional(Type.String()), ...Fields }, { additionalProperties: false });
const FileParams = Type.Object({ sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) });
type Typed = Omit<Static<typeof Query>, 'page'>;

const INVESTIGATE = { access: 'history.investigate' } as const;
/** How long a file that was made waits to be fetched, ms, and how many wait at most: each may have some megabytes. */
const FILE_MS = 10 * 60_000;
const MOST_FILES = 5;

/** Pages: what somebody did, for whoever has a purpose. */
export const historyRoutes: FastifyPluginAsyncTypebox<HistoryRoutesOptions> = async (app, options) => {
  const { investigations, clock } = options;
  const files = new ShortMemory<Exported>(MOST_FILES);
  const keyOf = (request: FastifyRequest, sha256: string): string => `${request.actor().personId}\n${sha256}`;

  app.get('/history', { config: INVESTIGATE, schema: { querystring: Query } }, async (request, reply) => {
    const { page: pageText, ...typed } = request.query;
    if (Object.keys(typed).length === 0) return formPage(reply, openTyped(options));
    return await asking(options, reply, typed, async (question) => {
      const subject = investigations.subjectOf(question);
      const purpose = request.purposeOf(subject);
      if (purpose === null) return reply.askPurpose(subject, request.url);
      const page = /^[1-9]\d{0,4}$/.test(pageText ?? '') ? Number(pageText) : 1;
      const found = await investigations.look(request.actor(), purpose, question, page);
      const pages = Math.max(1, Math.ceil(found.found / PAGE_LINES));
      const addressOf = (number: number): string =>
        `/history?${new URLSearchParams({ ...typed, page: String(number) }).toString()}`;
      return formPage(reply, typed, [], {
        ...found,
        lines: found.lines.map((line) => Object.assign(line, { site: siteText(line), known: knownText(line) })),
        page,
        pages,
        previous: page > 1 ? addressOf(page - 1) : null,
        next: page < pages ? addressOf(page + 1) : null,
      });
    });
  });

  app.post('/history/export', { config: INVESTIGATE, schema: { body: ExportForm } }, async (request, reply) => {
    const { _csrf, ...typed } = request.body;
    return await asking(options, reply, typed, async (question) => {
      const subject = investigations.subjectOf(question);
      const purpose = request.purposeOf(subject);
      const back = `/history?${new URLSearchParams(typed).toString()}`;
      if (purpose === null) return reply.askPurpose(subject, back);
      const made = await investigations.export(request.actor(), purpose, question, options.timeZone());
      files.set(keyOf(request, made.sha256), made, clock() + FILE_MS);
      return reply.page('history-export', { title: 'The file is ready', made, back });
    });
  });

  app.get(
    '/history/export/:sha256',
    { config: INVESTIGATE, schema: { params: FileParams } },
    async (request, reply) => {
      const made = files.get(keyOf(request, request.params.sha256), clock());
      if (made === undefined) {
        throw new SchoolgateError('export_gone', 'client', 'This file is kept for ten minutes: make it again.');
      }
      return reply
        .header('content-disposition', `attachment; filename="schoolgate-history-${made.sha256.slice(0, 12)}.csv"`)
        .type('text/csv; charset=utf-8')
        .send(made.csv);
    },
  );
};

/** Reads what was typed; what is wrong with it is shown in the form. */
async function asking(
  { investigations, timeZone }: HistoryRoutesOptions,
  reply: FastifyReply,
  typed: Typed,
  answer: (question: Question) => Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await answer(readQuestion(typed, timeZone(), (name) => investigations.canonicalUser(name)));
  } catch (error) {
    const fields = fieldsOf(error);
    if (fields === null) throw error;
    return formPage(reply.code(422), typed, fields);
  }
}

function fieldsOf(error: unknown): readonly FieldProblem[] | null {
  if (error instanceof InvalidFieldsError) return error.fields;
  if (!(error instanceof SchoolgateError)) return null;
  if (error.code === 'investigate_self') return [{ field: 'person', reason: error.publicText }];
  return error.code === 'export_too_large' ? [{ field: 'from', reason: error.publicText }] : null;
}

/** How the form opens: the last hour. */
function openTyped({ clock, timeZone }: HistoryRoutesOptions): Typed {
  const now = clock();
  return { from: localInput(now - 3_600_000, timeZone()), until: localInput(now + 60_000, timeZone()) };
}

function formPage(
  reply: FastifyReply,
  typed: Typed,
  errors: readonly FieldProblem[] = [],
  found: Readonly<Record<string, unknown>> | null = null,
): FastifyReply {
  return reply.page('history', { title: 'Access history', typed, errors, found });
}
