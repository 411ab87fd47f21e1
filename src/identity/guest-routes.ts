import { Type, type FastifyPluginAsyncTypebox, type Static } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { type Clock, isoTime } from '../kernel/clock.ts';
import { InvalidFieldsError } from '../kernel/errors.ts';
import { instantOf, localInput } from '../kernel/local-time.ts';
import type { Accounts } from './service.ts';
import type { Vouchers } from './voucher-service.ts';
import { type Voucher, voucherState } from './vouchers.ts';

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

const SHOWN = 200;
const HOUR_MS = 3_600_000;

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
    const start = from === undefined ? clock() : instant(from);
    const { voucher, code } = vouchers.make(request.actor(), { name, purpose, from: start, until: instant(until) });
    return reply.code(201).send({ ...toJson(options, voucher), code });
  });

  app.post('/api/v1/guests/:id/withdraw', { config, schema: { params: Params } }, async (request, reply) => {
    const withdrawn = vouchers.withdraw(request.actor(), request.params.id);
    return reply.send(toJson(options, withdrawn));
  });
};

/** An instant in ISO 8601 with its offset; null: none, or none that says which zone it means. */
function instant(text: string): number | null {
  const ms = /(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

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
  return reply.page('guests', { title: 'Guests', rows, typed, errors });
}

function toJson({ accounts, clock }: GuestRoutesOptions, voucher: Voucher) {
  const { guest, purpose, sponsorId, from, until } = voucher;
  const sponsor = accounts.people().find(({ id }) => id === sponsorId)?.userName ?? null;
  const state = voucherState(voucher, clock());
  const times = { from: isoTime(from), until: isoTime(until) };
  return { id: guest.id, userName: guest.userName, name: guest.fullName, purpose, sponsor, state, ...times };
}
