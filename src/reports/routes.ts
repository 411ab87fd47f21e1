import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../kernel/clock.ts';
import { type FieldProblem, SchoolgateError } from '../kernel/errors.ts';
import { barChart } from './charts.ts';
import { fileNameOf, type KeptLine, REPORT_KINDS, type ReportKind } from './kept.ts';
import type { KeptReports } from './kept-service.ts';
import { monthOf } from './period.ts';
import { renderCsv, tableCsv } from './render-csv.ts';
import { formatCell } from './render-table.ts';
import type { Cell, ReportTable } from './report.ts';
import { lastWeek } from './week.ts';

export interface ReportRoutesOptions {
  readonly keptReports: KeptReports;
  readonly clock: Clock;
  /** IANA zone of the school. */
  readonly timeZone: () => string;
}

const KINDS = Object.keys(REPORT_KINDS) as ReportKind[];
const Period = Type.String({ pattern: '^[0-9][0-9A-Za-z-]{5,11}$' });
const Params = Type.Object({ kind: Type.Union(KINDS.map((kind) => Type.Literal(kind))), period: Period });
const CsvQuery = Type.Object({ table: Type.Optional(Type.String({ maxLength: 40 })) });
const MakeForm = Type.Object(
  { _csrf: Type.Optional(Type.String()), kind: Type.String({ maxLength: 20 }), period: Type.String({ maxLength: 20 }) },
  { additionalProperties: false },
);
const SEE = { access: 'reports.see' } as const;

/** Pages: reports as they were made, with pictures, for screen and paper, and each table as CSV. */
export const reportRoutes: FastifyPluginAsyncTypebox<ReportRoutesOptions> = async (app, options) => {
  const { keptReports } = options;

  app.get('/reports', { config: SEE }, async (request, reply) => listPage(options, request, reply));

  app.post('/reports', { config: { access: 'reports.make' }, schema: { body: MakeForm } }, async (request, reply) => {
    const { kind, period } = request.body;
    try {
      if (kind !== 'weekly' && kind !== 'governors') throw unknown();
      const line = await keptReports.make(request.actor(), kind, period.trim());
      return await reply.redirect(pathOf(line), 303);
    } catch (error) {
      if (!(error instanceof SchoolgateError) || !error.code.startsWith('no_such_')) throw error;
      const errors = [{ field: `period-${kind}`, reason: error.publicText }];
      return listPage(options, request, reply.code(422), { errors, typed: { [kind]: period } });
    }
  });

  app.get('/reports/:kind/:period', { config: SEE, schema: { params: Params } }, async (request, reply) => {
    const { line, report } = open(options, request, request.params);
    const isMissingShort = report.missing.rows.length > 0;
    return reply.page('report', {
      title: report.title,
      report,
      isMissingShort,
      figures: report.figures.map((one) => Object.assign({}, one, { words: formatCell(one.kind, one.value) })),
      tables: report.tables.map((table) => tableView(table)),
      csv: `${pathOf(line)}/csv`,
    });
  });

  app.get(
    '/reports/:kind/:period/csv',
    { config: SEE, schema: { params: Params, querystring: CsvQuery } },
    async (request, reply) => {
      const { line, report } = open(options, request, request.params);
      const { table: id } = request.query;
      const table = [report.missing, ...report.tables].find((one) => one.id === id);
      if (id !== undefined && table === undefined) throw unknown();
      const name = `${fileNameOf(line)}${table === undefined ? '' : `-${table.id}`}.csv`;
      return reply
        .header('content-disposition', `attachment; filename="${name}"`)
        .type('text/csv; charset=utf-8')
        .send(table === undefined ? renderCsv(report) : tableCsv(table));
    },
  );
};

function open(
  { keptReports }: ReportRoutesOptions,
  request: FastifyRequest,
  { kind, period }: { kind: ReportKind; period: string },
) {
  // Of a kind that is for others there is nothing.
  if (!request.may(`reports.${kind}`)) throw unknown();
  return keptReports.open(request.actor(), kind, period);
}

function unknown(): SchoolgateError {
  return new SchoolgateError('report_unknown', 'client', 'There is no such report.');
}

interface Refilled {
  readonly errors: readonly FieldProblem[];
  readonly typed: Readonly<Record<string, string>>;
}

function listPage(
  { keptReports, clock, timeZone }: ReportRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  { errors, typed }: Refilled = { errors: [], typed: {} },
): FastifyReply {
  const kinds = KINDS.filter((kind) => request.may(`reports.${kind}`));
  const zone = timeZone();
  const periods = { weekly: lastWeek(clock(), zone).name, governors: monthOf(clock(), zone).name, ...typed };
  const data = { title: 'Reports', errors, periods, mayMake: request.may('reports.make') };
  return reply.tablePage<KeptLine>(
    'reports',
    data,
    {
      path: '/reports',
      caption: 'Reports',
      columns: [
        { id: 'until', title: 'Until', value: ({ until }) => until, sortBy: ({ until }) => -until, isTime: true },
        { id: 'title', title: 'Report', value: ({ title }) => title, href: pathOf },
        { id: 'kind', title: 'For', value: ({ kind }) => REPORT_KINDS[kind].title },
        { id: 'made', title: 'Made', value: ({ madeAt }) => madeAt, isTime: true },
      ],
      filters: [
        {
          id: 'kind',
          label: 'Kind',
          options: [
            { value: '', text: 'All' },
            ...kinds.map((kind) => ({ value: kind, text: REPORT_KINDS[kind].title })),
          ],
          accepts: ({ kind }, value) => value === '' || kind === value,
        },
      ],
      empty: {
        text: 'No report was made yet. When they are stands in policies/school.yaml, under “reports”; each of them is made, also when there is nothing.',
      },
    },
    keptReports.list(kinds),
  );
}

function pathOf({ id }: Pick<KeptLine, 'id'>): string {
  return `/reports/${id.replace(':', '/')}`;
}

/** A table as the page shows it: numbers as people read them, and its picture. */
function tableView(table: ReportTable): Readonly<Record<string, unknown>> {
  const words = (row: readonly Cell[]) =>
    row.map((cell, i) => ({
      text: formatCell(table.columns[i]!.kind, cell),
      isNumber: table.columns[i]!.kind !== 'text',
    }));
  return {
    id: table.id,
    title: table.title,
    note: table.note,
    whenEmpty: table.whenEmpty,
    chart: barChart(table)?.text ?? null,
    columns: table.columns.map(({ title, kind }) => ({ title, isNumber: kind !== 'text' })),
    rows: table.rows.map((row, i) => ({ cells: words(row), href: table.links?.[i] ?? null })),
    rest: table.rest.map(words),
    total: table.total === null ? null : words(table.total),
  };
}
