import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { clientOf } from '../gateway/client-address.ts';
import { BUTTON_CSS, PAGE_CSS } from '../gateway/page-style.ts';
import type { Clock } from '../kernel/clock.ts';
import { canonicalAddress } from '../kernel/ip.ts';
import type { DeskFacts } from './facts.ts';
import { proxyAutoConfig } from './pac.ts';
import { DESK_CSS, homePage, messagePage, whyPage } from './pages.ts';
import { type Place, placeOf } from './place.ts';
import { type RecentRefusals, tellRefusals } from './refusals.ts';
import { LESSON_CSS } from './lesson-pages.ts';
import { FORM_CSS } from './sign-in-pages.ts';

/** Whose word about the client's address counts: the connection's, or, on the gateway's own socket, the gateway's. */
export type ClientFrom = 'peer' | 'gateway';

export interface DeskRoutesOptions {
  /** The facts in force now. */
  readonly facts: () => DeskFacts;
  readonly recentRefusals: RecentRefusals;
  readonly clientFrom: ClientFrom;
  /** SCHOOLGATE_PUBLIC_URL and SCHOOLGATE_PROXY_HOST. */
  readonly publicUrl: string | null;
  readonly proxyHost: string;
  /** The proxy port that devices are sent to, and whether it speaks TLS. */
  readonly proxy: () => { readonly port: number; readonly isTls: boolean };
  readonly clock: Clock;
}

/** Set by the gateway on what it hands to the front desk. */
const CLIENT_FIELD = 'schoolgate-client';

/** The canonical address of whoever asks; null where the gateway did not say. No field of a request counts on TCP. */
export function askingClient(request: FastifyRequest, clientFrom: ClientFrom): string | null {
  if (clientFrom === 'peer') return clientOf(request.raw.socket);
  const told = request.headers[CLIENT_FIELD];
  return typeof told === 'string' ? canonicalAddress(told) : null;
}

export const deskRoutes: FastifyPluginAsync<DeskRoutesOptions> = async (app, options) => {
  const notLimited = { config: { rateLimit: false } } as const;

  app.get('/', (request, reply) => {
    const origin = placeFor(request, options)?.deskOrigin ?? null;
    return sendPage(reply, homePage(options.facts(), origin === null ? null : `${origin}/proxy.pac`));
  });

  app.get('/why', async (request, reply) => {
    const client = askingClient(request, options.clientFrom);
    if (client === null) return sendPage(reply.code(400), messagePage(options.facts(), 'That did not work', NO_CLIENT));
    const records = await options.recentRefusals.of(client);
    const facts = options.facts();
    return sendPage(reply, whyPage(facts, client, tellRefusals(records, client, options.clock(), facts)));
  });

  const sendPac = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const place = placeFor(request, options);
    reply.header('cache-control', 'no-cache');
    if (place === null) return reply.code(404).type('text/plain; charset=utf-8').send(NO_PLACE);
    const { port, isTls } = options.proxy();
    const facts = { proxyHost: place.host, proxyPort: port, isTls, deskOrigin: place.deskOrigin };
    return reply.type('application/x-ns-proxy-autoconfig').send(proxyAutoConfig(facts));
  };
  app.get('/proxy.pac', notLimited, sendPac);
  app.get('/wpad.dat', notLimited, sendPac);

  app.get('/style.css', notLimited, (_request, reply) =>
    reply
      .header('cache-control', 'public, max-age=3600')
      .type('text/css; charset=utf-8')
      .send(`${PAGE_CSS}\n${BUTTON_CSS}\n${DESK_CSS}\n${FORM_CSS}\n${LESSON_CSS}`),
  );

  app.get('/health', notLimited, (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }));
};

/** For a request that the gateway handed in without saying whose it is. */
export const NO_CLIENT = 'The gateway did not say whose device this is. That is our fault: tell the network manager.';
const NO_PLACE =
  'Through the proxy, the front desk cannot tell where the proxy is: fetch this file from the front desk’s own address, or set SCHOOLGATE_PUBLIC_URL.\n';

function placeFor(request: FastifyRequest, { publicUrl, proxyHost }: DeskRoutesOptions): Place | null {
  const { localAddress, localPort } = request.raw.socket;
  const isTls = request.protocol === 'https';
  return placeOf({ publicUrl, proxyHost, hostField: request.headers.host, isTls, localAddress, localPort });
}

function sendPage(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('cache-control', 'no-store').type('text/html; charset=utf-8').send(text);
}
