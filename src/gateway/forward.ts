// client ◄── response ── gateway (Exchange) ◄── undici ── upstream
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher, Pool } from 'undici';
import type { Admission } from './admit.ts';
import type { GatewayContext } from './context.ts';
import { errorPage } from './block-page.ts';
import { responseHeaders, responseTrailers } from './headers.ts';
import type { OpenConnection } from './open-connections.ts';
import { accessRecord, finish, NOTHING_YET } from './record.ts';
import { failureFields, FRONT_DESK_HOST, pageInput, responseHead, sendPage } from './refuse.ts';
import type { RelayEnd } from './relay.ts';
import { discardBody, RequestBody } from './request-body.ts';
import { UpstreamError, upstreamError } from './upstream-error.ts';

/** What is asked of the upstream: method, path as the client wrote it (or an absolute URL for a parent proxy), end-to-end fields. */
export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: string[];
  readonly hasBody: boolean;
}

const SIGN_IN_MISSING = 'The parent proxy wants a sign-in that it does not get.';

/** A body up to this size is put together with its head. */
const SHORT_BYTES = 16 * 1024;

const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS']);
const BROKEN_BEFORE_ANSWER = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** Carries one admitted request and its answer, streaming both ways, and records it when it is over. */
export function forward(
  context: GatewayContext,
  admission: Admission,
  pool: Pool,
  upstreamRequest: UpstreamRequest,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (response.destroyed) {
    // The client went while the name was looked up or word was sent: its leaving cannot be heard any more.
    return finish(context, accessRecord(context, admission, { ...NOTHING_YET, error: 'client_aborted' }));
  }
  new Exchange(context, admission, pool, upstreamRequest, request, response).dispatch();
}

/** Answers for an upstream that could not be reached or broke off before it answered; records it. */
export function failHttp(
  context: GatewayContext,
  admission: Admission,
  response: ServerResponse,
  failure: UpstreamError,
  up: number,
): void {
  let status = failure.status;
  let down = 0;
  if (response.destroyed) {
    status = 0;
  } else {
    const page = errorPage(status === 503 || status === 504 ? status : 502, pageInput(admission));
    down = sendPage(response, status, failureFields(failure.type), page);
    discardBody(response.req);
  }
  finish(context, accessRecord(context, admission, { status, up, down, error: failure.type }));
}

class Exchange implements Dispatcher.DispatchHandler, OpenConnection {
  readonly kind = 'answer';
  readonly admission: Admission;
  readonly #context: GatewayContext;
  readonly #pool: Pool;
  readonly #upstream: UpstreamRequest;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #controller: Dispatcher.DispatchController | null = null;
  #up = 0;
  #down = 0;
  #status = 0;
  #repeated = false;
  #clientGone = false;
  /** Bytes the answer's head promises, and the whole of a short body that came in one piece. */
  #promised = -1;
  #whole: string | null = null;
  #over = false;

  constructor(
    context: GatewayContext,
    admission: Admission,
    pool: Pool,
    upstream: UpstreamRequest,
    request: IncomingMessage,
    response: ServerResponse,
  ) {
    this.#context = context;
    this.admission = admission;
    this.#pool = pool;
    this.#upstream = upstream;
    this.#request = request;
    this.#response = response;
    response.on('close', () => this.#onClientClosed());
    response.on('drain', () => this.#controller?.resume());
    response.on('error', () => response.destroy());
  }

  dispatch(): void {
    const { method, path, headers, hasBody } = this.#upstream;
    try {
      this.#pool.dispatch({ method, path, headers, body: hasBody ? new RequestBody(this.#request) : null }, this);
    } catch (error) {
      this.#fail(error);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#clientGone) return controller.abort(new Error('the client has gone'));
    // A client that waits to be asked for its body is asked when there is somebody to send it to.
    if (this.#upstream.hasBody && expectsContinue(this.#request)) this.#response.writeContinue();
  }

  onBodySent(chunk: Buffer): void {
    this.#up += chunk.length;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    const response = this.#response;
    const raw = controller.rawHeaders as Buffer[];
    if (status < 200) return this.#passHints(status, raw);
    // Only a proxy may ask for this, and the client's proxy is this one: it must not send its sign-in to anybody else's.
    if (status === 407) return controller.abort(new UpstreamError('destination_unavailable', SIGN_IN_MISSING));
    this.#status = status;
    response.sendDate = false;
    this.#promised = Number(headers['content-length'] ?? -1);
    try {
      // Without the upstream's reason phrase: it means nothing (RFC 9112 §4), and any byte can stand in it.
      response.writeHead(status, responseHeaders(raw, '1.1'));
    } catch (error) {
      // Thrown here, it would be lost, and the client would wait for ever.
      return controller.abort(
        new UpstreamError('http_protocol_error', 'The site sent an answer that is not valid HTTP.', error),
      );
    }
    // A short answer is over before its permission could end, and our own pages need none.
    const isShort = this.#promised >= 0 && this.#promised <= SHORT_BYTES;
    if (!isShort && this.admission.ask.target!.host.name !== FRONT_DESK_HOST)
      this.#context.open.add(this.#context, this);
  }

  // Written as they are: Node's own way refuses links that are right, and throws. A response in a queue has no connection yet.
  #passHints(status: number, raw: readonly Buffer[]): void {
    const { socket } = this.#response;
    if (status !== 103 || socket === null || !socket.writable || this.#request.httpVersion === '1.0') return;
    socket.write(responseHead(status, responseHeaders(raw, '1.1')), 'latin1');
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#down += chunk.length;
    if (chunk.length === this.#promised && chunk.length <= SHORT_BYTES) {
      this.#whole = chunk.toString('latin1');
      return;
    }
    if (!this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    const trailers = controller.rawTrailers as Buffer[] | null | undefined;
    if (trailers !== null && trailers !== undefined && trailers.length > 0)
      this.#response.addTrailers(responseTrailers(trailers));
    // Head and text go out in one write; with a Buffer Node would make two pieces of them.
    if (this.#whole === null) this.#response.end();
    else this.#response.end(this.#whole, 'latin1');
    if (this.#upstream.hasBody) discardBody(this.#request);
    this.#finish();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  /** Bodies have a limit of their own on how long they may pause. */
  patience(): number {
    return Number.POSITIVE_INFINITY;
  }

  quietFor(): number {
    return 0;
  }

  cut(why: Exclude<RelayEnd, null>): void {
    this.#finish(why);
    this.#response.destroy();
    this.#controller?.abort(new Error('no longer allowed'));
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    if (this.#clientGone) return this.#finish('client_aborted');
    if (this.#mayRepeat(error)) {
      this.#repeated = true;
      this.#controller = null;
      return this.dispatch();
    }
    const failure = upstreamError(error);
    if (failure.type === 'proxy_internal_error') this.#context.log.error({ err: error }, 'forwarding failed');
    if (!this.#response.headersSent) {
      this.#over = true;
      return failHttp(this.#context, this.admission, this.#response, failure, this.#up);
    }
    // Cutting the connection is the only way left to tell the client that this was not all.
    this.#response.destroy();
    this.#finish(failure.type === 'proxy_internal_error' ? failure.type : 'http_response_incomplete');
  }

  // A kept-alive connection may be closed by the upstream just as it is used again (RFC 9112 §9.3.1).
  #mayRepeat(error: unknown): boolean {
    const code = (error as { code?: string }).code ?? '';
    return (
      !this.#repeated &&
      !this.#response.headersSent &&
      !this.#upstream.hasBody &&
      REPEATABLE.has(this.#upstream.method) &&
      BROKEN_BEFORE_ANSWER.has(code)
    );
  }

  #onClientClosed(): void {
    if (this.#over) return;
    this.#clientGone = true;
    this.#controller?.abort(new Error('the client has gone'));
  }

  #finish(error?: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#context.open.delete(this);
    const outcome = { status: this.#status, up: this.#up, down: this.#down, error };
    finish(this.#context, accessRecord(this.#context, this.admission, outcome));
  }
}

function expectsContinue(request: IncomingMessage): boolean {
  return request.headers.expect !== undefined && request.httpVersion !== '1.0';
}
