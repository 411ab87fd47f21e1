// browser ── form ──► front desk ── name, password, address ──► console ──► who is signed in at this address
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import type { FieldProblem } from '../kernel/errors.ts';
import { agreementRoutes } from './agreement-routes.ts';
import { addFormParser } from './forms.ts';
import { messagePage } from './pages.ts';
import { passwordRoutes } from './password-routes.ts';
import { askingClient, NO_CLIENT } from './routes.ts';
import {
  answerPage,
  FORM_BYTES,
  isSignedIn,
  RATION,
  readForm,
  refuseForm,
  seeSignIn,
  send,
  signInForm,
  type SignInRoutesOptions,
} from './sign-in-forms.ts';

/** Signing in and out by the device's address, and what must be done on the way. */
export const signInRoutes: FastifyPluginAsync<SignInRoutesOptions> = async (app, options) => {
  const { devices } = options;
  addFormParser(app, FORM_BYTES);
  await app.register(passwordRoutes, options);
  await app.register(agreementRoutes, options);

  app.get('/sign-in', async (request, reply) => {
    const client = askingClient(request, options.clientFrom);
    if (client === null) return send(reply.code(400), messagePage(options.facts(), 'That did not work', NO_CLIENT));
    return answerPage(options, reply, client, await devices.at(client), signInForm(options, client, ''));
  });

  app.post('/sign-in', RATION, async (request, reply) => {
    const form = readForm(options, request);
    if (form === null) return refuseForm(options, reply);
    const { client, fields } = form;
    const [name, password] = [(fields.get('name') ?? '').trim(), fields.get('password') ?? ''];
    const page = signInForm(options, client, name);
    const errors = missing(name, password);
    if (errors.length > 0) return send(reply.code(422), page(errors));
    const answer = await devices.signIn(name, password, client);
    return isSignedIn(answer) ? seeSignIn(reply) : answerPage(options, reply, client, answer, page);
  });

  app.post('/guest', RATION, async (request, reply) => {
    const form = readForm(options, request);
    if (form === null) return refuseForm(options, reply);
    const code = (form.fields.get('code') ?? '').trim();
    const page = signInForm(options, form.client, '');
    const refuse = (status: number, reason: string): FastifyReply =>
      send(reply.code(status), page([{ field: 'code', reason }]));
    if (code === '') return refuse(422, 'Type the code of your voucher.');
    const answer = await devices.signInGuest(code, form.client);
    if (answer.state === 'wrong') return refuse(401, 'This code is not good, or not at this time.');
    return isSignedIn(answer) ? seeSignIn(reply) : answerPage(options, reply, form.client, answer, page);
  });

  app.post('/sign-out', RATION, async (request, reply) => {
    const form = readForm(options, request);
    if (form === null) return refuseForm(options, reply);
    const answer = await devices.signOut(form.client);
    if (answer.state !== 'no-answer') return seeSignIn(reply);
    return answerPage(options, reply, form.client, answer, signInForm(options, form.client, ''));
  });
};

function missing(name: string, password: string): FieldProblem[] {
  return [
    ...(name === '' ? [{ field: 'name', reason: 'Type your user name.' } as const] : []),
    ...(password === '' ? [{ field: 'password', reason: 'Type your password.' } as const] : []),
  ];
}
