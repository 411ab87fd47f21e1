import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GatewayContext } from './context.ts';
import { admit } from './admit.ts';
import { clientOf } from './client-address.ts';
import { refuseHttp } from './refuse.ts';

/** Origin-form requests to the proxy port itself: health, readiness, metrics. Anything else there is not a proxy request: 400. */
export async function serveStatus(
  context: GatewayContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const path = isRead ? request.url!.split('?')[0] : null;
  if (path === '/health') return answerJson(request, response, await context.status.health());
  if (path === '/ready') return answerJson(request, response, await context.status.ready());
  if (path === '/metrics') {
    const text = await context.status.metrics();
    return answer(request, response, 200, 'text/plain; version=0.0.4; charset=utf-8', text);
  }
  const ask = {
    method: request.method!,
    client: clientOf(request.socket),
    target: null,
    violation: 'malformed',
  } as const;
  return refuseHttp(context, admit(context, ask, null), response, true);
}

function answerJson(
  request: IncomingMessage,
  response: ServerResponse,
  answered: { status: number; body: unknown },
): void {
  answer(request, response, answered.status, 'application/json', `${JSON.stringify(answered.body)}\n`);
}

function answer(request: IncomingMessage, response: ServerResponse, status: number, type: string, text: string): void {
  const bytes = Buffer.from(text);
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length, 'Cache-Control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
