// console ── [parent proxy, by CONNECT] ── TLS ──► the publisher of a list
import { lookup } from 'node:dns/promises';
import { type Readable, Transform, pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Secret } from '../config/secret.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { addressKind, canonicalAddress } from '../kernel/ip.ts';
import { addressText } from './address-text.ts';

/** What is asked of a source. */
export interface SourceRequest {
  /** https. */
  readonly url: string;
  /** Of what we have already; null: give it in any case. */
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** More than this is refused. */
  readonly maxBytes: number;
  /** The field `Authorization` for whom the address names, and for nobody it redirects to. Left out: none. */
  readonly authorization?: Secret;
}

export type Fetched =
  | { readonly status: 'not-modified' }
  | {
      readonly status: 'ok';
      /**
       * The list as its publisher wrote it (a Content-Encoding is taken off). Fails with a SourceError when it breaks off, is silent
       * too long or gets too big.
       */
      readonly body: Readable;
      readonly contentType: string | null;
      readonly etag: string | null;
      readonly lastModified: string | null;
    };

/** Fetches lists from where the school names them, a mirror of its own included: the network manager chose the address. */
export interface SourceClient {
  /**
   * One conditional GET, following redirects from https to https. Rejects with a SourceError. `signal` ends it and the body with it.
   */
  fetch(request: SourceRequest, signal: AbortSignal): Promise<Fetched>;
  close(): Promise<void>;
}

export interface SourceClientOptions {
  /** The authority's proxy; null: straight to the source. */
  readonly parent: { readonly host: string; readonly port: number; readonly authorization: string | null } | null;
  readonly limits?: Partial<FetchLimits>;
  /** PEM of an authority to trust in place of the system's; for tests. */
  readonly ca?: string;
}

export interface FetchLimits {
  readonly connectMs: number;
  /** Without a byte. */
  readonly idleMs: number;
  /** From the request to the last byte. */
  readonly totalMs: number;
}

const LIMITS: FetchLimits = { connectMs: 15_000, idleMs: 30_000, totalMs: 15 * 60_000 };
const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Answers that may be another in a moment (RFC 9110 §15; 429: RFC 6585 §4). */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Why a source gave nothing that can be used: one sentence without a full stop. `again`: it is worth trying soon. */
export class SourceError extends SchoolgateError {
  readonly again: boolean;

  constructor(text: string, again: boolean, options?: { cause?: unknown }) {
    super('source_unusable', 'upstream', text, options);
    this.again = again;
  }
}

/** Opens nothing yet. TLS is always verified. */
export function createSourceClient(options: SourceClientOptions): SourceClient {
  const limits = { ...LIMITS, ...options.limits };
  const dispatcher = openDispatcher(options, limits);
  return {
    fetch: async (request, signal) => {
      const all = AbortSignal.any([signal, AbortSignal.timeout(limits.totalMs)]);
      const explain = (error: unknown, url: string): SourceError => sourceError(error, url, signal);
      let url = request.url;
      for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
        const answer = await send(dispatcher, url, request, all).catch((error: unknown) => {
          throw explain(error, url);
        });
        if (!REDIRECTS.has(answer.statusCode)) return await read(answer, request, url, explain);
        await answer.body.dump().catch(() => {});
        const target = redirectTarget(url, textOf(answer.headers['location']));
        await refuseInside(request.url, url, target, options.parent === null);
        url = target;
      }
      throw new SourceError(`${addressText(request.url)} redirects more than ${MOST_REDIRECTS} times`, false);
    },
    close: () => dispatcher.destroy(),
  };
}

function openDispatcher({ parent, ca }: SourceClientOptions, limits: FetchLimits): Dispatcher {
  const common = { headersTimeout: limits.idleMs, bodyTimeout: limits.idleMs, keepAliveTimeout: 1_000 };
  const tls = ca === undefined ? {} : { ca };
  if (parent === null) return new Agent({ ...common, connect: { ...tls, timeout: limits.connectMs } });
  const host = parent.host.includes(':') ? `[${parent.host}]` : parent.host;
  return new ProxyAgent({
    ...common,
    uri: `http://${host}:${parent.port}`,
    connectTimeout: limits.connectMs,
    ...(parent.authorization !== null && { token: parent.authorization }),
    ...(ca !== undefined && { requestTls: tls }),
  });
}

async function send(
  dispatcher: Dispatcher,
  url: string,
  { url: first, etag, lastModified, authorization }: SourceRequest,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const { origin, pathname, search } = new URL(url);
  const headers: Record<string, string> = { 'accept-encoding': 'gzip', 'user-agent': 'Schoolgate' };
  if (etag !== null) headers['if-none-match'] = etag;
  if (lastModified !== null) headers['if-modified-since'] = lastModified;
  if (authorization !== undefined && origin === new URL(first).origin) {
    headers['authorization'] = authorization.reveal();
  }
  return await dispatcher.request({ origin, path: pathname + search, method: 'GET', headers, signal });
}

async function read(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  { etag, lastModified, maxBytes, authorization }: SourceRequest,
  url: string,
  explain: (error: unknown, url: string) => SourceError,
): Promise<Fetched> {
  const isConditional = etag !== null || lastModified !== null;
  if (statusCode === 304 && isConditional) {
    await body.dump().catch(() => {});
    return { status: 'not-modified' };
  }
  const refuse = (text: string, again: boolean): never => {
    body.on('error', () => {}).destroy();
    throw new SourceError(`${addressText(url)} ${text}`, again);
  };
  if (statusCode === 401 || statusCode === 403) {
    const what =
      authorization === undefined ? 'may want credentials; give the list some' : 'does not take the credentials';
    return refuse(`answered with status ${statusCode}: it ${what}`, false);
  }
  if (statusCode !== 200) return refuse(`answered with status ${statusCode}`, PASSING.has(statusCode));
  if (Number(headers['content-length'] ?? 0) > maxBytes) return refuse(tooBig(maxBytes), false);
  const encoding = textOf(headers['content-encoding'])?.toLowerCase() ?? 'identity';
  if (!['identity', 'gzip', 'x-gzip'].includes(encoding)) return refuse(`came encoded as "${encoding}"`, false);
  const capped = capAt(maxBytes, url);
  const stages = encoding === 'identity' ? [body, capped] : [body, createGunzip(), capped];
  const whole = new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) });
  // A stream of our own at the end, so that whoever reads is told in our words what went wrong further up.
  pipeline(stages, (error) => {
    if (error) whole.destroy(explain(error, url));
  });
  capped.pipe(whole);
  whole.once('close', () => body.on('error', () => {}).destroy());
  return {
    status: 'ok',
    body: whole,
    contentType: textOf(headers['content-type']),
    etag: textOf(headers['etag']),
    lastModified: textOf(headers['last-modified']),
  };
}

function capAt(maxBytes: number, url: string): Transform {
  let bytes = 0;
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      if (bytes > maxBytes) done(new SourceError(`${addressText(url)} ${tooBig(maxBytes)}`, false));
      else done(null, chunk);
    },
  });
}

function tooBig(maxBytes: number): string {
  return `is bigger than ${maxBytes.toLocaleString('en-GB')} bytes; if that is right, give the list a higher "maxBytes"`;
}

function redirectTarget(from: string, location: string | null): string {
  const to = location !== null && URL.canParse(location, from) ? new URL(location, from) : null;
  if (to === null) throw new SourceError(`${addressText(from)} redirects to nowhere`, false);
  if (to.protocol === 'https:' && to.username === '' && to.password === '') return to.href;
  throw new SourceError(`${addressText(from)} redirects to ${addressText(to.href)}, which is not https`, false);
}

/**
 * A publisher must not make us ask for something in the school's own network. A mirror that is there itself may lead on within it. Names are
 * not looked up behind a parent proxy, which resolves them itself and is the one to connect.
 */
async function refuseInside(first: string, from: string, to: string, resolves: boolean): Promise<void> {
  const [start, end] = [new URL(first).hostname, new URL(to).hostname];
  if (start === end || !(await isInside(end, resolves)) || (await isInside(start, resolves))) return;
  const text = `${addressText(from)} redirects to ${addressText(to)}, which is an address inside a network; if that is meant, name it as the source`;
  throw new SourceError(text, false);
}

/** A name that does not resolve is left for the connection to tell. */
async function isInside(hostname: string, resolves: boolean): Promise<boolean> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const address = canonicalAddress(host);
  if (address !== null) return addressKind(address) !== 'public';
  const found = resolves ? await lookup(host, { all: true }).catch(() => []) : [];
  return found.some((one) => addressKind(one.address) !== 'public');
}

function textOf(header: string | string[] | undefined): string | null {
  return [header].flat()[0] ?? null;
}

function sourceError(error: unknown, url: string, signal: AbortSignal): SourceError {
  if (error instanceof SourceError) return error;
  if (signal.aborted) return new SourceError(`${addressText(url)} was not fetched: Schoolgate is stopping`, true);
  const { name, code = '', message } = deepest(error);
  const options = { cause: error };
  if (name === 'TimeoutError' || code.endsWith('_TIMEOUT')) {
    return new SourceError(`${addressText(url)} did not answer in time`, true, options);
  }
  if (code.startsWith('Z_'))
    return new SourceError(`${addressText(url)} broke off or was damaged on the way`, true, options);
  if (/CERT|SELF_SIGNED|UNABLE_TO|^ERR_TLS|^ERR_SSL/.test(code)) {
    return new SourceError(`${addressText(url)} has no certificate that can be trusted (${code})`, false, options);
  }
  return new SourceError(`${addressText(url)} could not be fetched (${code === '' ? message : code})`, true, options);
}

/** The first of several attempts to connect, and what lies beneath the client's own error. */
function deepest(error: unknown): { name: string; code?: string; message: string } {
  let at = error as Error & { code?: string };
  while (at.cause instanceof Error || at instanceof AggregateError) {
    at = at instanceof AggregateError ? (at.errors[0] as Error) : (at.cause as Error);
  }
  return at;
}
