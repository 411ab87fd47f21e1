// browser ── what worries me ──► front desk ──► console ── to the safeguarding lead, or to whoever is over whom it is about
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import type { DeskReportAnswer, ReportAsk } from '../incidents/report.ts';
import { addFormParser } from './forms.ts';
import { messagePage } from './pages.ts';
import { reportPage, sentPage } from './report-pages.ts';
import { askingClient, NO_CLIENT } from './routes.ts';
import { FORM_BYTES, RATION, readForm, refuseForm, send, type SignInRoutesOptions } from './sign-in-forms.ts';

export interface ReportRoutesOptions extends SignInRoutesOptions {
  /** Hands a report to the console as from an address. Never rejects. */
  readonly sendReport: (address: string, report: ReportAsk) => Promise<DeskReportAnswer>;
  /** For each form that is shown. */
  readonly newFormKey: () => string;
}

/** Telling the school of a page or of something that happened, for whoever is at a device. */
export const reportRoutes: FastifyPluginAsync<ReportRoutesOptions> = async (app, options) => {
  addFormParser(app, FORM_BYTES);

  app.get('/report', async (request, reply) => {
    const client = askingClient(request, options.clientFrom);
    if (client === null) return send(reply.code(400), messagePage(options.facts(), 'That did not work', NO_CLIENT));
    const { site, done } = request.query as Readonly<Record<string, unknown>>;
    if (done === 'yes') return send(reply, sentPage(options.facts()));
    const typed = { site: typeof site === 'string' ? site.slice(0, 300) : '', what: '', about: '', isUnnamed: false };
    return form(options, reply, client, { ...typed, key: options.newFormKey() });
  });

  app.post('/report', RATION, async (request, reply) => {
    const read = readForm(options, request);
    if (read === null) return refuseForm(options, reply);
    const one = (name: string): string => read.fields.get(name) ?? '';
    const isUnnamed = read.fields.get('unnamed') === 'yes';
    const report = { site: one('site'), what: one('what'), about: one('about'), isUnnamed, key: one('key') };
    const answer = await options.sendReport(read.client, report);
    switch (answer.state) {
      case 'done':
        // Loading what comes next again reports nothing.
        return reply.header('cache-control', 'no-store').redirect('/report?done=yes', 303);
      case 'wrong':
        return form(options, reply.code(422), read.client, report, answer.fields);
      case 'refused':
        return form(options, reply.code(409), read.client, report, [{ field: 'what', reason: answer.reason }]);
      default:
        return form(options, reply.code(503), read.client, report, [{ field: 'what', reason: NO_ANSWER }]);
    }
  });
};

const NO_ANSWER = 'This cannot be sent at the moment. Try again in a minute, or tell a grown-up at school now.';

function form(
  { facts, tokens }: ReportRoutesOptions,
  reply: FastifyReply,
  client: string,
  typed: ReportAsk,
  errors: Parameters<typeof reportPage>[0]['errors'] = [],
): FastifyReply {
  return send(reply, reportPage({ facts: facts(), token: tokens.make(client), typed, errors }));
}
