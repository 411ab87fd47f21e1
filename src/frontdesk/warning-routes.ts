// browser ── “go on” ──► front desk ── pass ──► supervisor ──► every worker ── they have it ──► back to the site
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { siteOf } from '../categories/public-suffix.ts';
import type { GivenWarning, WarningTickets } from '../gateway/warning-ticket.ts';
import { isoTime } from '../kernel/clock.ts';
import { type Pass, passEnd } from '../policy/passes.ts';
import type { DeskFacts } from './facts.ts';
import { addFormParser, isOwnOrigin } from './forms.ts';
import { messagePage, passedPage } from './pages.ts';
import { askingClient, type DeskRoutesOptions, NO_CLIENT } from './routes.ts';

/** Where a pass goes. Rejects when the gateway cannot be told. */
export interface DeskPasses {
  /** Resolves once it is in force on every worker. */
  put(pass: Pass): Promise<void>;
}

export interface WarningRoutesOptions extends Pick<DeskRoutesOptions, 'facts' | 'clientFrom' | 'publicUrl' | 'clock'> {
  readonly passes: DeskPasses;
  readonly warnings: WarningTickets;
}

/** Room for a ticket with the longest address. So few a minute keep one device from pushing out what others have passed. */
const FORM_BYTES = 49_152;
const RATION = { config: { rateLimit: { max: 10, timeWindow: '1 minute' } }, bodyLimit: FORM_BYTES } as const;

const STALE = 'This warning is more than an hour old, or was for another device. Open the site again to read it anew.';
const NOT_NOW = 'The filter could not be told that you read the warning. Try again in a minute.';

/** Going on after a warning: the one thing it opens is what the ticket was sealed for. */
export const warningRoutes: FastifyPluginAsync<WarningRoutesOptions> = async (app, options) => {
  addFormParser(app, FORM_BYTES);

  app.post('/warning', RATION, async (request, reply) => {
    const facts = options.facts();
    const client = askingClient(request, options.clientFrom);
    if (client === null) return send(reply.code(400), messagePage(facts, 'That did not work', NO_CLIENT));
    const fields = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    const warning = options.warnings.read(fields.get('ticket') ?? '');
    // A warning is shown on the very site it is about, and here.
    const isFromPage = isOwnOrigin(request, options.publicUrl) || request.headers.origin === originOf(warning);
    if (warning === null || warning.client !== client || !isFromPage) {
      return send(reply.code(403), messagePage(facts, 'Please read it again', STALE));
    }
    const pass = passFor(warning, options.clock(), facts);
    try {
      await options.passes.put(pass);
    } catch (error) {
      request.log.error({ err: error }, 'a pass could not be put in force');
      return send(reply.code(503), messagePage(facts, 'You cannot go on just now', NOT_NOW, true));
    }
    if (fields.get('from') !== 'why') return reply.header('cache-control', 'no-store').redirect(warning.url, 303);
    return send(reply, passedPage(facts, warning, isoTime(pass.until)));
  });
};

/** For the whole site and not one name of it: its pictures and styles have names of their own, which nobody could be shown. */
function passFor({ host, category, user, client }: GivenWarning, now: number, facts: DeskFacts): Pass {
  return { site: siteOf(host), category, user, client, until: passEnd(now, facts.timeZone, facts.schoolDayEnds) };
}

function originOf(warning: GivenWarning | null): string | null {
  return warning === null ? null : new URL(warning.url).origin;
}

function send(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('cache-control', 'no-store').type('text/html; charset=utf-8').send(text);
}
