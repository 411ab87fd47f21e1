import { Type, type FastifyPluginAsyncTypebox, type Static } from '@fastify/type-provider-typebox';
import type { FastifyReply, Table } from 'fastify';
import { type Clock, isoTime, readInstant, HOUR_MS } from '../kernel/clock.ts';
import { InvalidFieldsError } from '../kernel/errors.ts';
import { instantOf, localInput } from '../kernel/local-time.ts';
import type { Accounts } from './service.ts';
import type { Vouchers } from './voucher-service.ts';
import { type Voucher, type VoucherState, voucherState } from './vouchers.ts';

export interface GuestRoutesOptions {
  readonly vouchers: Vouchers;
  readonly accounts: Accounts;
  readonly clock: Clock;
  /** IANA zone of the school. */
  readonly timeZone: () => string;
}

const Strict = { additionalProperties: false };
const Text = Type.String({ maxLength: 1000 });
const Csrf = Type.Optional(Type.String());
const VoucherForm = Type.Object({ _csrf: Csrf, name: Text, purpose: Text, from: Text, until: Text }, Strict);
const VoucherBody = Type.Object(
  {
    name: Text,
    purpose: Text,
    from: Type.Optional(Type.String({ description: 'ISO 8601; default: now' })),
    until: Type.String({ description: 'ISO 8601' }),
  },
  Strict,
);
const Params = Type.Object({ id: Type.String({ pattern: '^[0-9A-Z]{26}$' }) });
const NoFields = Type.Object({ _csrf: Csrf }, Strict);

const SHOWN = 1000;

/** Vouchers for guests: pages, and the same for programs. */
export const guestRoutes: FastifyPluginAsyncTypebox<GuestRoutesOptions> = async (app, options) => {
  const { vouchers, clock, timeZone } = options;
  const config = { access: 'guests.manage' } as const;

  app.get('/guests', { config }, async (_request, reply) => {
    const now = Math.ceil(clock() / 300_000) * 300_000;
    const typed = { from: localInput(now, timeZone()), until: localInput(now + 8 * HOUR_MS, timeZone()) };
    return guestsPage(options, reply, typed);
  });

  app.post('/guests', { config, schema: { body: VoucherForm } }, async (request, reply) => {
    const { name, purpose, from, until } = request.body;
    const at = (text: string): number | null => instantOf(text.trim(), timeZone());
    try {
      const made = vouchers.make(request.actor(), { name, purpose, from: at(from), until: at(until) });
      // Shown here and never again, so it is not a page that can be gone back to.
      return reply.code(201).page('voucher', { title: 'Guest voucher', ...made });
    } catch (error) {
      if (!(error instanceof InvalidFieldsError)) throw error;
      return guestsPage(options, reply.code(422), request.body, error.fields);
    }
  });

  app.post('/guests/:id/withdraw', { config, schema: { params: Params, body: NoFields } }, async (request, reply) => {
    vouchers.withdraw(request.actor(), request.params.id);
    return reply.redirect('/guests', 303);
  });

  app.get('/api/v1/guests', { config }, async () => ({
    guests: vouchers.list(SHOWN).map((voucher) => toJson(options, voucher)),
  }));

  app.post('/api/v1/guests', { config, schema: { body: VoucherBody } }, async (request, reply) => {
    const { name, purpose, from, until } = request.body;
    const start = from === undefined ? clock() : readInstant(from);
    const { voucher, code } = vouchers.make(request.actor(), { name, purpose, from: start, until: readInstant(until) });
    return reply.code(201).send({ ...toJson(options, voucher), code });
  });

  app.post('/api/v1/guests/:id/withdraw', { config, schema: { params: Params } }, async (request, reply) => {
    const withdrawn = vouchers.withdraw(request.actor(), request.params.id);
    return reply.send(toJson(options, withdrawn));
  });
};

/** A guest as staff see them. */
interface Guest {
  readonly voucher: Voucher;
  readonly state: VoucherState;
  readonly sponsor: string;
}

const STATES: Readonly<Record<VoucherState, { readonly text: string; readonly tag: string; readonly order: number }>> =
  {
    good: { text: 'In force', tag: 'green', order: 0 },
    'to come': { text: 'To come', tag: 'blue', order: 1 },
    ended: { text: 'Ended', tag: 'grey', order: 2 },
    withdrawn: { text: 'Withdrawn', tag: 'orange', order: 3 },
  };

const TABLE: Table<Guest> = {
  path: '/guests',
  caption: 'Guests',
  columns: [
    {
      id: 'state',
      title: 'State',
      value: ({ state }) => STATES[state].text,
      sortBy: ({ state }) => STATES[state].order,
      tag: ({ state }) => STATES[state].tag,
    },
    { id: 'name', title: 'Guest', value: ({ voucher }) => voucher.guest.fullName },
    { id: 'for', title: 'For', value: ({ voucher }) => voucher.purpose },
    { id: 'from', title: 'From', value: ({ voucher }) => voucher.from, isTime: true },
    { id: 'until', title: 'Until', value: ({ voucher }) => voucher.until, isTime: true },
    { id: 'sponsor', title: 'Sponsor', value: ({ sponsor }) => sponsor },
    { id: 'user', title: 'In records', value: ({ voucher }) => voucher.guest.userName, isOnlyInCsv: true },
  ],
  filters: [
    {
      id: 'which',
      label: 'Which',
      options: [
        { value: '', text: 'All' },
        { value: 'standing', text: 'In force and to come' },
      ],
      accepts: ({ state }, value) => value === '' || state === 'good' || state === 'to come',
    },
  ],
  search: {
    label: 'Guest, purpose or sponsor',
    of: ({ voucher, sponsor }) => `${voucher.guest.fullName} ${voucher.purpose} ${sponsor}`,
  },
  empty: { text: 'There has been no guest yet.' },
};

async function guestsPage(
  options: GuestRoutesOptions,
  reply: FastifyReply,
  typed: Partial<Static<typeof VoucherForm>>,
  errors: InvalidFieldsError['fields'] = [],
): Promise<FastifyReply> {
  const { vouchers, accounts, clock } = options;
  const names = new Map(accounts.people().map((person) => [person.id, person.fullName]));
  const rows = vouchers.list(SHOWN).map((voucher) => ({
    voucher,
    state: voucherState(voucher, clock()),
    sponsor: names.get(voucher.sponsorId) ?? voucher.sponsorId,
  }));
  return reply.tablePage('guests', { title: 'Guests', typed, errors }, TABLE, rows);
}

function toJson({ accounts, clock }: GuestRoutesOptions, voucher: Voucher) {
  const { guest, purpose, sponsorId, from, until } = voucher;
  const sponsor = accounts.people().find(({ id }) => id === sponsorId)?.userName ?? null;
  const state = voucherState(voucher, clock());
  const times = { from: isoTime(from), until: isoTime(until) };
  return { id: guest.id, userName: guest.userName, name: guest.fullName, purpose, sponsor, state, ...times };
}
