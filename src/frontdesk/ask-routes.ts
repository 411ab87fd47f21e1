// browser ── what I need, or what should be blocked ──► front desk ──► console ── to a teacher, or to whoever decides
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import type { Clock } from '../kernel/clock.ts';
import type { DeskWishAnswer, TypedWish, WishAsk } from '../unblock/wish.ts';
import { askPage } from './ask-pages.ts';
import { addFormParser } from './forms.ts';
import { messagePage } from './pages.ts';
import { type RecentRefusals, refusedAlongside } from './refusals.ts';
import { askingClient, NO_CLIENT } from './routes.ts';
import { FORM_BYTES, RATION, readForm, refuseForm, send, type SignInRoutesOptions } from './sign-in-forms.ts';

export interface AskRoutesOptions extends SignInRoutesOptions {
  readonly recentRefusals: RecentRefusals;
  readonly clock: Clock;
  /** Asks the console as whoever is signed in at an address. Never rejects. */
  readonly askWishes: (address: string, ask: WishAsk) => Promise<DeskWishAnswer>;
  /** For each form that is shown. */
  readonly newFormKey: () => string;
}

/** Asking for a site to be opened or blocked, for whoever is signed in on the device. */
export const askRoutes: FastifyPluginAsync<AskRoutesOptions> = async (app, options) => {
  addFormParser(app, FORM_BYTES);

  app.get('/ask', async (request, reply) => {
    const client = askingClient(request, options.clientFrom);
    if (client === null) return send(reply.code(400), messagePage(options.facts(), 'That did not work', NO_CLIENT));
    const { site, what, done } = request.query as Readonly<Record<string, unknown>>;
    const sites = typeof site === 'string' ? site.slice(0, 300) : '';
    const typed = { kind: what === 'close' ? 'close' : 'open', sites, reason: '', key: options.newFormKey() } as const;
    const answer = await options.askWishes(client, { act: 'see' });
    return show(options, reply, client, answer, typed, done === 'yes');
  });

  app.post('/ask', RATION, async (request, reply) => {
    const form = readForm(options, request);
    if (form === null) return refuseForm(options, reply);
    const one = (name: string): string => form.fields.get(name) ?? '';
    const kind = one('kind') === 'close' ? 'close' : 'open';
    const [sites, reason, key] = [one('sites'), one('reason'), one('key')];
    const all = [sites, ...form.fields.getAll('with')].join('\n');
    const answer = await options.askWishes(form.client, { act: 'make', kind, sites: all, reason, key });
    // Loading what comes next again asks for nothing.
    if (answer.state === 'done') {
      return reply.header('cache-control', 'no-store').redirect(`/ask?what=${kind}&done=yes`, 303);
    }
    return show(options, reply, form.client, answer, { kind, sites: all, reason, key }, false);
  });
};

async function show(
  options: AskRoutesOptions,
  reply: FastifyReply,
  client: string,
  answer: DeskWishAnswer,
  typed: TypedWish & { readonly key: string },
  isDone: boolean,
): Promise<FastifyReply> {
  const facts = options.facts();
  const message = (status: number, words: string, isFault = false): FastifyReply =>
    send(reply.code(status), messagePage(facts, 'Ask for a site', words, isFault));
  switch (answer.state) {
    case 'nobody':
      return message(403, 'Sign in on this device first, so that the school knows who asks.');
    case 'no-answer':
      return message(503, 'The front desk cannot pass anything on at the moment. Try again in a minute.', true);
    case 'refused':
      return message(409, answer.reason);
    default: {
      const errors = answer.state === 'wrong' ? answer.fields : [];
      const others =
        typed.kind === 'open' ? refusedAlongside(await refusals(options, client), client, typed.sites) : [];
      const page = askPage({
        facts,
        token: options.tokens.make(client),
        view: answer.view,
        typed,
        others,
        errors,
        isDone,
      });
      return send(reply.code(errors.length === 0 ? 200 : 422), page);
    }
  }
}

/** A form without suggestions is still a form. */
async function refusals({ recentRefusals }: AskRoutesOptions, client: string) {
  try {
    return await recentRefusals.of(client);
  } catch {
    return [];
  }
}
