// client ── absolute-form request ──► gateway ── pool ──► upstream
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Proof } from '../identity/credentials.ts';
import { canonicalUrl, type CanonicalUrl, hostText, originText, parseAuthority, parseUrl } from '../kernel/url.ts';
import { type Admission, admit, type Ask, isRefused, type Target } from './admit.ts';
import { findRoute } from './find-route.ts';
import { clientOf } from './client-address.ts';
import type { GatewayContext } from './context.ts';
import { isAskedOfParent, type ParentProxy, type Route } from './dial.ts';
import { failHttp, forward, type UpstreamRequest } from './forward.ts';
import { headerValues, isLoop, requestHeaders } from './headers.ts';
import type { ProxyAuth } from './proxy-auth.ts';
import { destinationRefused, FRONT_DESK_HOST, refuseHttp } from './refuse.ts';
import { upstreamError } from './upstream-error.ts';
import type { UpstreamPools } from './upstream-pools.ts';

/** The place a CONNECT named, for requests that come inside it in origin-form, and who made it: credentials are for the proxy alone. */
export interface Inside extends Pick<Target, 'host' | 'port'> {
  readonly proof: Proof | null;
}

/** A request as it was read: what to ask for, or null in `url` when it cannot be judged. */
interface ReadRequest {
  readonly url: CanonicalUrl | null;
  readonly ask: Ask;
}

/** Serves one plain HTTP request: the common carrier for absolute-form and for HTTP inside a CONNECT to port 80. */
export async function httpRequest(
  context: GatewayContext,
  pools: UpstreamPools,
  request: IncomingMessage,
  response: ServerResponse,
  inside: Inside | null,
): Promise<void> {
  const read = readRequest(context, request, inside);
  const hasBody = bodyFollows(request);
  const sentBy = proofOf(context, request, inside);
  const admission = admit(context, read.ask, sentBy instanceof Promise ? await sentBy : sentBy);
  if (read.url?.host.name === FRONT_DESK_HOST && read.ask.violation === null) {
    return toFrontDesk(context, pools, admission, read.url, request, response, hasBody);
  }
  if (isRefused(admission)) return refuseHttp(context, admission, response, hasBody);
  const url = read.url!;
  let route: Route;
  try {
    route = await findRoute(context, admission);
  } catch (error) {
    const failure = upstreamError(error);
    if (failure.type !== 'destination_ip_prohibited') return failHttp(context, admission, response, failure, 0);
    admission.decision = destinationRefused(admission.decision);
    return refuseHttp(context, admission, response, hasBody);
  }
  // Its addresses may stand on a list although its name does not.
  if (isRefused(admission)) return refuseHttp(context, admission, response, hasBody);
  forward(
    context,
    admission,
    pools.forRoute(route),
    upstreamRequest(url, request, hasBody, isAskedOfParent(route) ? route.parent : null),
    request,
    response,
  );
}

/** Reads target and Host strictly: what two readers could understand differently is malformed (RFC 9112 §3.2, §11.2). */
export function readRequest(context: GatewayContext, request: IncomingMessage, inside: Inside | null): ReadRequest {
  const client = clientOf(request.socket);
  const method = request.method!;
  const url = readTarget(request.url!, inside);
  if (typeof url === 'string') {
    return {
      url: null,
      ask: { method, client, target: null, violation: url === 'protocol' ? 'protocol' : 'malformed' },
    };
  }
  const target: Target = { host: url.host, port: url.port, path: url.path, text: url.text };
  if (request.url!.length > context.limits.targetBytes) {
    return { url: null, ask: { method, client, target, violation: 'malformed', isTooLong: true } };
  }
  const isOdd =
    !hostAgrees(request, url) || !framingIsPlain(request) || isLoop(request.rawHeaders) || method === 'TRACE';
  if (isOdd) return { url: null, ask: { method, client, target, violation: 'malformed' } };
  return { url, ask: { method, client, target, violation: url.scheme === 'https' ? 'protocol' : null } };
}

/** Whose request it is, as {@link ProxyAuth.proofOf} has it. */
export function proofOf(
  context: GatewayContext,
  request: IncomingMessage,
  inside: Inside | null,
): ReturnType<ProxyAuth['proofOf']> {
  if (inside !== null) return inside.proof;
  return context.proxyAuth.proofOf(request.rawHeaders, clientOf(request.socket));
}

function readTarget(raw: string, inside: Inside | null): ReturnType<typeof parseUrl> {
  if (!raw.startsWith('/')) return parseUrl(raw);
  return inside === null ? 'malformed' : canonicalUrl('http', inside.host, inside.port, raw);
}

/** Exactly one Host field, naming the target once both are canonical; HTTP/1.0 may leave it out. */
function hostAgrees(request: IncomingMessage, url: CanonicalUrl): boolean {
  const hosts = headerValues(request.rawHeaders, 'host');
  if (hosts.length === 0) return request.httpVersion === '1.0';
  // As nearly everybody writes it.
  if (hosts.length === 1 && url.scheme === 'http' && hosts[0] === hostField(url)) return true;
  const named = hosts.length === 1 ? parseAuthority(hosts[0]!.trim(), url.scheme === 'https' ? 443 : 80) : null;
  return named !== null && named.host.name === url.host.name && named.port === url.port;
}

/** `chunked` is the one transfer coding that is undone and made again here, and HTTP/1.0 knows none (RFC 9112 §6.1). */
function framingIsPlain(request: IncomingMessage): boolean {
  const codings = request.headers['transfer-encoding'];
  return codings === undefined || (codings.toLowerCase() === 'chunked' && request.httpVersion !== '1.0');
}

/** By its fields alone: before anything of the body has been read. */
export function bodyFollows(request: IncomingMessage): boolean {
  const { headers } = request;
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** Canonical host, the client's own path; a parent proxy gets the absolute form and its own credentials. */
function upstreamRequest(
  url: CanonicalUrl,
  request: IncomingMessage,
  hasBody: boolean,
  parent: ParentProxy | null,
): UpstreamRequest {
  const host = hostField(url);
  const headers = requestHeaders(request.rawHeaders, host, request.httpVersion);
  if (parent?.authorization !== null && parent?.authorization !== undefined) {
    headers.push('proxy-authorization', parent.authorization);
  }
  const path = parent === null ? url.rawPath : originText('http', url.host, url.port) + url.rawPath;
  return { method: request.method!, path, headers, hasBody };
}

export function hostField(url: Pick<CanonicalUrl, 'host' | 'port'>): string {
  return url.port === 80 ? hostText(url.host) : `${hostText(url.host)}:${url.port}`;
}

/** Our own pages: always reachable, and told who asks. */
function toFrontDesk(
  context: GatewayContext,
  pools: UpstreamPools,
  admission: Admission,
  url: CanonicalUrl,
  request: IncomingMessage,
  response: ServerResponse,
  hasBody: boolean,
): void {
  const headers = requestHeaders(request.rawHeaders, hostField(url), request.httpVersion);
  headers.push('schoolgate-client', admission.ask.client);
  const isOurs = {
    ...admission.decision,
    verdict: 'allow',
    action: 'allow',
    reason: 'default',
    step: 'default',
  } as const;
  admission.decision = { ...isOurs, category: null, rule: null, flagged: false, locked: false };
  forward(
    context,
    admission,
    pools.forFrontDesk(),
    { method: request.method!, path: url.rawPath, headers, hasBody },
    request,
    response,
  );
}
