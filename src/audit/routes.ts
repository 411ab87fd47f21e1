import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { csvText } from '../kernel/csv.ts';
import { localInput } from '../kernel/local-time.ts';
import { AUDIT_ACTIONS, type AuditRow, payloadOf } from './entry.ts';
import { GOVERNED, type HiddenNames, governedAct, governedActions } from './governors.ts';
import { readFilter } from './list-filter.ts';
import { type AuditPages, type FoundRows, LOOKS, MOST_COUNTED } from './pages-service.ts';

/** Who the people are that the record knows by id or user name. */
export interface AuditPeople {
  /** Null: nobody has this id. */
  nameOf(personId: string): string | null;
  /** Id of whoever has this user name, and is known; null: nobody. */
  find(userName: string): string | null;
  /** Full name of an account of the console; null: it is none. */
  staffName(userName: string): string | null;
  /** Names that governors do not read. */
  hidden(): HiddenNames;
}

export interface AuditRoutesOptions {
  readonly auditPages: AuditPages;
  readonly auditPeople: AuditPeople;
  /** IANA zone of the school. */
  readonly timeZone: () => string;
}

const Asked = Type.Optional(Type.String({ maxLength: 200 }));
const ListQuery = Type.Object({
  q: Asked,
  actor: Asked,
  action: Asked,
  subject: Asked,
  from: Asked,
  to: Asked,
  before: Asked,
  format: Asked,
});
const RowParams = Type.Object({ seq: Type.String({ pattern: '^[1-9]\\d{0,14}$' }) });
const GovernorsQuery = Type.Object({ kind: Asked, from: Asked, to: Asked, before: Asked });
const LooksQuery = Type.Object({ user: Asked, person: Asked });

const SEE = { access: 'audit.see' } as const;
const PAGE_ROWS = 50;
const GOVERNORS_ROWS = 200;
/** Of one file: more make the console wait. */
const FILE_ROWS = 20_000;

/** Pages of the record: all of it, one row, what governors read, and who looked at the data of one person. */
export const auditRoutes: FastifyPluginAsyncTypebox<AuditRoutesOptions> = async (app, options) => {
  const { auditPages: pages, auditPeople: people, timeZone } = options;

  app.get('/audit', { config: SEE, schema: { querystring: ListQuery } }, async (request, reply) => {
    const { before, format, ...asked } = request.query;
    const isFile = format === 'csv';
    const filter = readFilter(asked, timeZone());
    const found = pages.list(request.actor(), filter, seqOf(before), isFile ? FILE_ROWS : PAGE_ROWS);
    if (isFile) return sendCsv(reply, found, options);
    return reply.page('audit', {
      title: 'The record of acts',
      ...shownPage(found, '/audit', asked, before),
      rows: found.rows.map((row) => shownRow(row, people)),
      asked,
      actions: actionItems(asked.action),
      fileRows: FILE_ROWS,
    });
  });

  app.get('/audit/rows/:seq', { config: SEE, schema: { params: RowParams } }, async (request, reply) => {
    const row = pages.row(request.actor(), Number(request.params.seq));
    if (row === null) return reply.code(404).page('error', { title: 'Not found', message: 'There is no such row.' });
    const payload = payloadOf(row);
    const text = (value: unknown): string | null =>
      value === null || value === undefined ? null : JSON.stringify(value, null, 2);
    const parts = { before: text(payload?.before), after: text(payload?.after), address: payload?.address ?? null };
    return reply.page('audit-row', {
      title: `Row ${row.seq} of the record`,
      one: row,
      shown: shownRow(row, people),
      ...parts,
    });
  });

  app.get(
    '/audit/governors',
    { config: { access: 'audit.review' }, schema: { querystring: GovernorsQuery } },
    async (request, reply) => {
      const { before, ...asked } = request.query;
      const { from, until } = readFilter(asked, timeZone());
      const actions = governedActions(asked.kind);
      const filter = { search: null, actor: null, subject: null, actions, from, until };
      const found = pages.governed(filter, seqOf(before), GOVERNORS_ROWS);
      const hidden = people.hidden();
      const nameOf = (userName: string): string =>
        people.staffName(userName) ?? OTHERS[userName] ?? 'Somebody without an account of the console';
      return reply.page('audit-governors', {
        title: 'What was changed, by whom and why',
        ...shownPage(found, '/audit/governors', asked, before),
        acts: found.rows.map((row) => governedAct(row, { nameOf, hidden, topicOf: (one) => pages.topicOf(one) })),
        asked,
        kinds: kindItems(asked.kind),
      });
    },
  );

  app.get('/audit/looks', { config: SEE, schema: { querystring: LooksQuery } }, async (request, reply) =>
    looksPage(options, request, reply, request.query),
  );
};

const OTHERS: Readonly<Record<string, string>> = { console: 'Schoolgate by itself', file: 'The policy files' };

function looksPage(
  { auditPages: pages, auditPeople: people }: AuditRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: { readonly user?: string | undefined; readonly person?: string | undefined },
): FastifyReply {
  const title = 'Who looked at a person’s data';
  const typed = (asked.user ?? '').trim();
  const id = asked.person ?? (typed === '' ? null : people.find(typed));
  const name = id === null ? null : people.nameOf(id);
  if (id === null || name === null) {
    const isUnknown = typed !== '' || asked.person !== undefined;
    const errors = isUnknown
      ? [{ field: 'user', reason: 'Nobody with this user name is known; check how it is spelt.' }]
      : [];
    return reply.code(isUnknown ? 404 : 200).page('audit-looks', { title, typed, errors });
  }
  if (id === request.actor().personId) {
    const reason = 'Who looked at your own data is shown to somebody else who may read the record.';
    return reply.code(403).page('audit-looks', { title, typed, errors: [{ field: 'user', reason }] });
  }
  const purpose = request.purposeOf(`person:${id}`);
  if (purpose === null) return reply.askPurpose(`person:${id}`, `/audit/looks?person=${id}`);
  const rows = pages.about(request.actor(), id, purpose);
  const looks = new Set<string>(LOOKS);
  const shown = (isLook: boolean) =>
    rows.filter(({ action }) => looks.has(action) === isLook).map((row) => shownRow(row, people));
  return reply.page('audit-looks', { title, typed, name, looks: shown(true), changes: shown(false) });
}

/** A row as a list shows it. */
function shownRow(row: AuditRow, people: AuditPeople) {
  const payload = payloadOf(row);
  const id = /^person:([0-9A-Z]{26})$/.exec(row.subject)?.[1];
  const { seq, at, actor, approver, subject } = row;
  return {
    seq,
    at,
    actor,
    approver,
    subject,
    what: AUDIT_ACTIONS[row.action] as string,
    about: (id === undefined ? null : people.nameOf(id)) ?? subject,
    reason: payload?.reason ?? null,
    isErased: payload === null,
  };
}

type Asking = Readonly<Record<string, string | undefined>>;

function shownPage({ rows, found, next }: FoundRows, path: string, asked: Asking, before: string | undefined) {
  const given = Object.entries(asked).filter((entry): entry is [string, string] => (entry[1] ?? '') !== '');
  const address = (extra: Readonly<Record<string, string>>): string => {
    const query = new URLSearchParams([...given, ...Object.entries(extra)]).toString();
    return query === '' ? path : `${path}?${query}`;
  };
  return {
    found,
    mostCounted: MOST_COUNTED,
    isFirst: before === undefined,
    shownRows: rows.length,
    isFiltered: given.length > 0,
    newest: address({}),
    next: next === null ? null : address({ before: String(next) }),
    csv: address({ format: 'csv' }),
  };
}

function seqOf(text: string | undefined): number | null {
  return text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}

function actionItems(chosen: string | undefined) {
  const items = Object.entries(AUDIT_ACTIONS).map(([value, text]) => ({ value, text, selected: value === chosen }));
  return [{ value: '', text: 'Any' }, ...items.toSorted((a, b) => (a.text < b.text ? -1 : 1))];
}

function kindItems(chosen: string | undefined) {
  const items = Object.entries(GOVERNED).map(([value, { title }]) => ({
    value,
    text: title,
    selected: value === chosen,
  }));
  return [{ value: '', text: 'All' }, ...items];
}

function sendCsv(
  reply: FastifyReply,
  { rows }: FoundRows,
  { auditPeople, timeZone }: AuditRoutesOptions,
): FastifyReply {
  const zone = timeZone();
  const lines = rows.map((row) => {
    const { seq, at, actor, approver, what, subject, about, reason } = shownRow(row, auditPeople);
    const when = localInput(Date.parse(at), zone).replace('T', ' ');
    return [seq, when, actor, approver ?? '', what, subject, about, reason ?? '', row.payload, row.hash];
  });
  const heads = ['Row', 'When', 'Who', 'Approved by', 'Act', 'Subject', 'About', 'Why', 'All of it', 'Hash'];
  return reply
    .header('content-disposition', 'attachment; filename="record-of-acts.csv"')
    .type('text/csv; charset=utf-8')
    .send(csvText([heads, ...lines]));
}
