// browser ── “I agree”, ticket, version ──► front desk ──► console ── live ──► gateways
import type { FastifyPluginAsync } from 'fastify';
import { agreedPage } from './agreement-pages.ts';
import { messagePage } from './pages.ts';
import { askingClient, NO_CLIENT } from './routes.ts';
import {
  answerPage,
  RATION,
  readForm,
  refuseForm,
  seeSignIn,
  send,
  signInForm,
  type SignInRoutesOptions,
} from './sign-in-forms.ts';

/** Where a gateway sends whoever has yet to accept the agreement, and the button that accepts it. */
export const agreementRoutes: FastifyPluginAsync<SignInRoutesOptions> = async (app, options) => {
  const { devices, facts } = options;

  app.get('/agreement', async (request, reply) => {
    const client = askingClient(request, options.clientFrom);
    if (client === null) return send(reply.code(400), messagePage(facts(), 'That did not work', NO_CLIENT));
    const answer = await devices.at(client);
    const page = signInForm(options, client, '');
    // Nobody can be signed in at a shared address: name and password tell who it is that agrees.
    return answer.state === 'shared' ? send(reply, page([])) : answerPage(options, reply, client, answer, page);
  });

  app.post('/agreement', RATION, async (request, reply) => {
    const form = readForm(options, request);
    if (form === null) return refuseForm(options, reply);
    const { client, fields } = form;
    const answer = await devices.accept(fields.get('ticket') ?? '', fields.get('version') ?? '', client);
    if (answer.state === 'signed-in') return seeSignIn(reply);
    if (answer.state === 'shared') return send(reply, agreedPage(facts()));
    return answerPage(options, reply, client, answer, signInForm(options, client, ''));
  });
};
