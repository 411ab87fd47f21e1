// browser ── new password, and a ticket or the one in use ──► front desk ──► console
import type { FastifyPluginAsync } from 'fastify';
import type { FieldProblem } from '../kernel/errors.ts';
import { messagePage } from './pages.ts';
import { passwordChangedPage, passwordPage } from './password-pages.ts';
import { askingClient, NO_CLIENT } from './routes.ts';
import {
  answerPage,
  isSignedIn,
  RATION,
  readForm,
  refuseForm,
  seeSignIn,
  send,
  SHOWN,
  type SignInRoutesOptions,
} from './sign-in-forms.ts';

/** Choosing a password of one's own: of whoever has just signed in with a card, and of whoever types the one they have. */
export const passwordRoutes: FastifyPluginAsync<SignInRoutesOptions> = async (app, options) => {
  const { devices, facts, tokens } = options;
  const formFor =
    (client: string, name: string) =>
    (errors: readonly FieldProblem[]): string =>
      passwordPage({ facts: facts(), token: tokens.make(client), owner: { ticket: null, name }, errors });

  app.get('/password', async (request, reply) => {
    const client = askingClient(request, options.clientFrom);
    if (client === null) return send(reply.code(400), messagePage(facts(), 'That did not work', NO_CLIENT));
    const found = await devices.at(client);
    return send(reply, formFor(client, found.state === 'signed-in' ? found.userName : '')([]));
  });

  app.post('/password', RATION, async (request, reply) => {
    const form = readForm(options, request);
    if (form === null) return refuseForm(options, reply);
    const { client, fields } = form;
    const [name, current] = [(fields.get('name') ?? '').trim(), fields.get('current') ?? ''];
    const ticket = fields.get('ticket') ?? '';
    const page = formFor(client, name.slice(0, SHOWN));
    const errors = ticket === '' ? missing(name, current) : [];
    if (errors.length > 0) return send(reply.code(422), page(errors));
    const [next, again] = [fields.get('next') ?? '', fields.get('again') ?? ''];
    const answer = await devices.changePassword({ ticket, name, current, next, again, address: client });
    if (isSignedIn(answer)) return seeSignIn(reply);
    if (answer.state === 'shared') return send(reply, passwordChangedPage(facts()));
    return answerPage(options, reply, client, answer, page);
  });
};

function missing(name: string, current: string): FieldProblem[] {
  return [
    ...(name === '' ? [{ field: 'name', reason: 'Type your user name.' }] : []),
    ...(current === '' ? [{ field: 'current', reason: 'Type the password you have now.' }] : []),
  ];
}
