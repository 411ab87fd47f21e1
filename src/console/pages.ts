import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyView from '@fastify/view';
import type { FastifyInstance, FastifyReply, Table } from 'fastify';
import nunjucks from 'nunjucks';
import type { Environment } from 'nunjucks';
import type { Permission } from '../identity/permissions.ts';
import type { FieldProblem } from '../kernel/errors.ts';
import { localText } from '../kernel/local-time.ts';
import { formUser } from './access.ts';
import type { PageData } from './decorations.ts';
import { navigationAt } from './places.ts';
import { addStyles } from './styles.ts';
import { tableCsv, tableState, tableView } from './table.ts';

export interface PagesOptions {
  /** IANA zone in which times are shown. */
  readonly timeZone: () => string;
  readonly school: () => string | null;
}

const HERE = dirname(fileURLToPath(import.meta.url));
const GOVUK = dirname(createRequire(import.meta.url).resolve('govuk-frontend/package.json'));

/** Pages rendered on the server, with the GOV.UK Frontend components' markup and style sheet, and no script. */
export async function addPages(app: FastifyInstance, { timeZone, school }: PagesOptions): Promise<void> {
  await app.register(fastifyView, {
    engine: { nunjucks },
    templates: [join(HERE, 'views'), join(GOVUK, 'dist')],
    options: {
      autoescape: true,
      throwOnUndefined: false,
      onConfigure: (env: Environment) => addFilters(env, timeZone),
    },
  });
  app.decorateReply('page', function page(this: FastifyReply, view: string, data: PageData) {
    const { signedIn, url } = this.request;
    const fieldErrors = byField(data.errors ?? []);
    const may = (permission: Permission): boolean => this.request.may(permission);
    const path = url.split('?')[0]!;
    const csrfToken = this.generateCsrf({ userInfo: formUser(this.request) });
    return this.view(`${view}.njk`, {
      ...data,
      fieldErrors,
      csrfToken,
      signedIn,
      may,
      path,
      navigation: navigationAt(path, may),
      school: school(),
    });
  });
  app.decorateReply('tablePage', function table(this: FastifyReply, view, data, table, rows) {
    return tablePage(this, view, data, table, rows, timeZone());
  });
  const text = (...path: string[]): string => readFileSync(join(...path), 'utf8');
  addStyles(app, {
    govuk: text(GOVUK, 'dist', 'govuk', 'govuk-frontend.min.css'),
    own: text(HERE, 'static', 'console.css'),
    icon: text(HERE, 'static', 'icon.svg'),
  });
}

function tablePage<Row>(
  reply: FastifyReply,
  view: string,
  data: PageData,
  table: Table<Row>,
  rows: readonly Row[],
  zone: string,
): FastifyReply {
  const query = reply.request.query as Readonly<Record<string, unknown>>;
  const state = tableState(table, query);
  if (query['format'] !== 'csv') {
    const { text, needs } = table.empty;
    const empty = needs === undefined || reply.request.may(needs) ? table.empty : { text };
    return reply.page(view, { ...data, table: { ...tableView(table, rows, state), empty } });
  }
  const name = `${table.caption.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.csv`;
  return reply
    .header('content-disposition', `attachment; filename="${name}"`)
    .type('text/csv; charset=utf-8')
    .send(tableCsv(table, rows, state, zone));
}

/** What the components want beside a field: all that is wrong with it, or nothing. */
function byField(errors: readonly FieldProblem[]): Record<string, { readonly text: string }> {
  const groups = Map.groupBy(errors, ({ field }) => field);
  return Object.fromEntries(
    [...groups].map(([field, same]) => [field, { text: same.map((one) => one.reason).join(' ') }]),
  );
}

function addFilters(env: Environment, timeZone: () => string): void {
  // `ms` or ISO 8601 to the school's clock.
  const instant = (value: number | string): number => (typeof value === 'number' ? value : Date.parse(value));
  env.addFilter('localText', (value: number | string) => localText(instant(value), timeZone()));
  env.addFilter('count', (value: number) => value.toLocaleString('en-GB'));
}
