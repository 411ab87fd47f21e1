// browser ── form ──► front desk ── name, password, address ──► console ──► who is signed in at this address
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { DeviceAnswer } from '../identity/signed-in-devices.ts';
import type { DeskFacts } from './facts.ts';
import type { FormTokens } from './form-token.ts';
import { addFormParser, isOwnOrigin } from './forms.ts';
import { messagePage } from './pages.ts';
import { askingClient, type DeskRoutesOptions, NO_CLIENT } from './routes.ts';
import { type FieldError, sharedPage, signedInPage, signInPage } from './sign-in-pages.ts';

/** Who is signed in at which address. None of these rejects. */
export interface DeskDevices {
  signIn(name: string, password: string, address: string): Promise<DeviceAnswer>;
  signInGuest(code: string, address: string): Promise<DeviceAnswer>;
  signOut(address: string): Promise<DeviceAnswer>;
  at(address: string): Promise<DeviceAnswer>;
}

export interface SignInRoutesOptions extends Pick<DeskRoutesOptions, 'facts' | 'clientFrom' | 'publicUrl'> {
  readonly devices: DeskDevices;
  readonly tokens: FormTokens;
}

/** Room for any name and password, and for a clear answer to what is far too long for one. */
const FORM_BYTES = 32_768;
const RATION = { config: { rateLimit: { max: 30, timeWindow: '1 minute' } }, bodyLimit: FORM_BYTES } as const;

/** Signing in and out by the device's address. */
export const signInRoutes: FastifyPluginAsync<SignInRoutesOptions> = async (app, options) => {
  const { devices } = options;
  addFormParser(app, FORM_BYTES);

  app.get('/sign-in', async (request, reply) => {
    const client = askingClient(request, options.clientFrom);
    if (client === null) return send(reply.code(400), messagePage(options.facts(), 'That did not work', NO_CLIENT));
    return answerPage(options, reply, client, await devices.at(client), '');
  });

  app.post('/sign-in', RATION, async (request, reply) => {
    const form = readForm(options, request);
    if (form === null) return send(reply.code(403), messagePage(options.facts(), 'Please try again', STALE_FORM));
    const { client, fields } = form;
    const [name, password] = [(fields.get('name') ?? '').trim(), fields.get('password') ?? ''];
    const errors = missing(name, password);
    if (errors.length > 0) return send(reply.code(422), formPage(options, client, name, errors));
    const answer = await devices.signIn(name, password, client);
    // Loading the page again must not send the password again.
    if (answer.state === 'signed-in') return reply.header('cache-control', 'no-store').redirect('/sign-in', 303);
    return answerPage(options, reply, client, answer, name);
  });

  app.post('/guest', RATION, async (request, reply) => {
    const form = readForm(options, request);
    if (form === null) return send(reply.code(403), messagePage(options.facts(), 'Please try again', STALE_FORM));
    const code = (form.fields.get('code') ?? '').trim();
    const refuse = (status: number, reason: string): FastifyReply =>
      send(reply.code(status), formPage(options, form.client, '', [{ field: 'code', reason }]));
    if (code === '') return refuse(422, 'Type the code of your voucher.');
    const answer = await devices.signInGuest(code, form.client);
    if (answer.state === 'wrong') return refuse(401, 'This code is not good, or not at this time.');
    if (answer.state === 'signed-in') return reply.header('cache-control', 'no-store').redirect('/sign-in', 303);
    return answerPage(options, reply, form.client, answer, '');
  });

  app.post('/sign-out', RATION, async (request, reply) => {
    const form = readForm(options, request);
    if (form === null) return send(reply.code(403), messagePage(options.facts(), 'Please try again', STALE_FORM));
    const answer = await devices.signOut(form.client);
    if (answer.state === 'no-answer') return answerPage(options, reply, form.client, answer, '');
    return reply.header('cache-control', 'no-store').redirect('/sign-in', 303);
  });
};

const STALE_FORM =
  'This page was open for too long, or the form came from another page. Choose “Sign in” above and try again.';
const NO_ANSWER = 'The front desk cannot look up names and passwords at the moment. Try again in a minute.';

/** Whose form it is and what it says; null unless it was made for this device, by us, not long ago. */
function readForm(
  { clientFrom, tokens, publicUrl }: SignInRoutesOptions,
  request: FastifyRequest,
): { readonly client: string; readonly fields: URLSearchParams } | null {
  const client = askingClient(request, clientFrom);
  const fields = request.body;
  if (client === null || !(fields instanceof URLSearchParams) || !isOwnOrigin(request, publicUrl)) return null;
  return tokens.holds(fields.get('token') ?? '', client) ? { client, fields } : null;
}

function missing(name: string, password: string): FieldError[] {
  return [
    ...(name === '' ? [{ field: 'name', reason: 'Type your user name.' } as const] : []),
    ...(password === '' ? [{ field: 'password', reason: 'Type your password.' } as const] : []),
  ];
}

function answerPage(
  options: SignInRoutesOptions,
  reply: FastifyReply,
  client: string,
  answer: DeviceAnswer,
  name: string,
): FastifyReply {
  const facts = options.facts();
  switch (answer.state) {
    case 'signed-in':
      return send(reply, signedInPage(facts, answer, options.tokens.make(client)));
    case 'nobody':
      return send(reply, formPage(options, client, name, []));
    case 'shared':
      return send(reply, sharedPage(facts));
    case 'wrong':
      return send(reply.code(401), formPage(options, client, name, [WRONG]));
    case 'held': {
      const minutes = Math.ceil(answer.forMs / 60_000);
      const wait = `Too many attempts have failed. Try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`;
      void reply.header('retry-after', String(Math.ceil(answer.forMs / 1000)));
      return send(reply.code(429), formPage(options, client, name, [{ field: 'name', reason: wait }]));
    }
    case 'suspended':
      return send(reply.code(403), messagePage(facts, 'Your access is stopped', stopped(facts)));
    default:
      return send(reply.code(503), messagePage(facts, 'You cannot sign in just now', NO_ANSWER, true));
  }
}

const WRONG = { field: 'name', reason: 'The user name or the password is not right.' } as const;

function stopped({ contacts }: DeskFacts): string {
  return `The school has stopped your access to the web for now. Pupils can ask: ${contacts.pupils}. Staff: ${contacts.staff}.`;
}

/** What was typed comes back so that it can be mended, but not pages of it. */
const SHOWN = 200;

function formPage(
  { facts, tokens }: SignInRoutesOptions,
  client: string,
  name: string,
  errors: readonly FieldError[],
): string {
  return signInPage({ facts: facts(), token: tokens.make(client), name: name.slice(0, SHOWN), errors });
}

function send(reply: FastifyReply, text: string): FastifyReply {
  // Without an origin the browser would not say that the form was ours.
  void reply.header('referrer-policy', 'same-origin').header('cache-control', 'no-store');
  return reply.type('text/html; charset=utf-8').send(text);
}
