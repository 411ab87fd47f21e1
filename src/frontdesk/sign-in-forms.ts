import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PasswordChange } from '../identity/change-password.ts';
import type { DeviceAnswer } from '../identity/signed-in-devices.ts';
import type { FieldProblem } from '../kernel/errors.ts';
import type { DeskFacts } from './facts.ts';
import type { FormTokens } from './form-token.ts';
import { agreementPage, consentPage } from './agreement-pages.ts';
import { isOwnOrigin } from './forms.ts';
import { messagePage } from './pages.ts';
import { passwordPage } from './password-pages.ts';
import { askingClient, type DeskRoutesOptions } from './routes.ts';
import { sharedPage, signedInPage, signInPage } from './sign-in-pages.ts';

/** Who is signed in at which address. None of these rejects. */
export interface DeskDevices {
  signIn(name: string, password: string, address: string): Promise<DeviceAnswer>;
  signInGuest(code: string, address: string): Promise<DeviceAnswer>;
  signOut(address: string): Promise<DeviceAnswer>;
  changePassword(change: PasswordChange): Promise<DeviceAnswer>;
  accept(ticket: string, version: string, address: string): Promise<DeviceAnswer>;
  at(address: string): Promise<DeviceAnswer>;
}

export interface SignInRoutesOptions extends Pick<DeskRoutesOptions, 'facts' | 'clientFrom' | 'publicUrl'> {
  readonly devices: DeskDevices;
  readonly tokens: FormTokens;
}

/** Room for any name and password, and for a clear answer to what is far too long for one. */
export const FORM_BYTES = 32_768;
export const RATION = { config: { rateLimit: { max: 30, timeWindow: '1 minute' } }, bodyLimit: FORM_BYTES } as const;

/** Whose form it is and what it says; null unless it was made for this device, by us, not long ago. */
export function readForm(
  { clientFrom, tokens, publicUrl }: SignInRoutesOptions,
  request: FastifyRequest,
): { readonly client: string; readonly fields: URLSearchParams } | null {
  const client = askingClient(request, clientFrom);
  const fields = request.body;
  if (client === null || !(fields instanceof URLSearchParams) || !isOwnOrigin(request, publicUrl)) return null;
  return tokens.holds(fields.get('token') ?? '', client) ? { client, fields } : null;
}

/** A form that is too old, or came from elsewhere. */
export function refuseForm({ facts }: SignInRoutesOptions, reply: FastifyReply): FastifyReply {
  return send(reply.code(403), messagePage(facts(), 'Please try again', STALE));
}

const STALE =
  'This page was open for too long, or the form came from another page. Choose “Sign in” above and try again.';
const NO_ANSWER = 'The front desk cannot look up names and passwords at the moment. Try again in a minute.';

/** Whoever is signed in now sees so on the page for it: loading that again must not send a password again. */
export function seeSignIn(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store').redirect('/sign-in', 303);
}

/** Whether somebody is signed in here now, whatever they have yet to agree to. */
export function isSignedIn(answer: DeviceAnswer): boolean {
  return (
    answer.state === 'signed-in' ||
    ((answer.state === 'agreement' || answer.state === 'consent') && answer.until !== null)
  );
}

/** The page for what became of signing in. `form`: the page that was filled in, with what is wrong. */
export function answerPage(
  options: SignInRoutesOptions,
  reply: FastifyReply,
  client: string,
  answer: DeviceAnswer,
  form: (errors: readonly FieldProblem[]) => string,
): FastifyReply {
  const facts = options.facts();
  switch (answer.state) {
    case 'signed-in':
      return send(reply, signedInPage(facts, answer, options.tokens.make(client)));
    case 'nobody':
      return send(reply, form([]));
    case 'shared':
      return send(reply, sharedPage(facts));
    case 'wrong':
      return send(reply.code(401), form([WRONG]));
    case 'held': {
      const minutes = Math.ceil(answer.forMs / 60_000);
      const wait = `Too many attempts have failed. Try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`;
      void reply.header('retry-after', String(Math.ceil(answer.forMs / 1000)));
      return send(reply.code(429), form([{ field: 'name', reason: wait }]));
    }
    case 'password': {
      const errors = answer.fault === null ? [] : [answer.fault];
      const page = passwordPage({ facts, token: options.tokens.make(client), owner: answer, errors });
      return send(reply.code(errors.length === 0 ? 200 : 422), page);
    }
    case 'agreement':
      return send(reply, agreementPage(facts, answer, options.tokens.make(client)));
    case 'consent':
      return send(reply, consentPage(facts, answer, options.tokens.make(client)));
    case 'password-stays':
      return send(reply.code(403), messagePage(facts, 'This password stays as it is', passwordStays(facts)));
    case 'stale':
      return send(reply.code(403), messagePage(facts, 'Please sign in again', STALE));
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

function passwordStays({ contacts }: DeskFacts): string {
  return `It is on a card that your teacher keeps, or it opens more than the web. If somebody knows it who should not, pupils can ask: ${contacts.pupils}. Staff: ${contacts.staff}.`;
}

/** What was typed comes back so that it can be mended, but not pages of it. */
export const SHOWN = 200;

/** The form for name and password. */
export function signInForm(
  { facts, tokens }: SignInRoutesOptions,
  client: string,
  name: string,
): (errors: readonly FieldProblem[]) => string {
  return (errors) => signInPage({ facts: facts(), token: tokens.make(client), name: name.slice(0, SHOWN), errors });
}

export function send(reply: FastifyReply, text: string): FastifyReply {
  // Without an origin the browser would not say that the form was ours.
  void reply.header('referrer-policy', 'same-origin').header('cache-control', 'no-store');
  return reply.type('text/html; charset=utf-8').send(text);
}
