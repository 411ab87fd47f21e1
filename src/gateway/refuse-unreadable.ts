import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Admission, admit } from './admit.ts';
import { errorPage } from './block-page.ts';
import { clientOf } from './client-address.ts';
import type { GatewayContext } from './context.ts';
import { accessRecord, finish } from './record.ts';
import { closeSoon, failureFields, pageFields, pageInput, responseHead } from './refuse.ts';

/** Node's own mark of the response that is due on a connection; its default handler of this error goes by it too. */
type ServingSocket = Socket & { readonly _httpMessage?: ServerResponse | null };

/** The parser's own errors carry what it was reading. */
type UnreadableError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

/** What the HTTP parser itself refuses: answered in plain words, recorded, closed. `hasAsked`: something came for it to read. */
export function refuseUnreadable(
  context: GatewayContext,
  client: Socket,
  error: UnreadableError,
  hasAsked: boolean,
): void {
  if (error.code === 'ECONNRESET' || client.destroyed || !client.writable) return void client.destroy();
  if (cutWhenDue(context, client)) return;
  if (!hasAsked) return void client.destroy();
  const status = unreadableStatus(error);
  const admission = admitUnreadable(context, client, '-');
  const page = errorPage(400, pageInput(admission));
  const fields = [...failureFields('http_request_error'), 'Connection', 'close', ...pageFields(page)];
  client.end(responseHead(status, fields) + page, 'latin1');
  closeSoon(client);
  finish(context, accessRecord(context, admission, { status, up: 0, down: page.length }));
}

/** An expectation other than 100-continue (RFC 9110 §10.1.1). */
export function refuseExpectation(context: GatewayContext, request: IncomingMessage, response: ServerResponse): void {
  const status = 417;
  response.writeHead(status, { Connection: 'close', 'Content-Length': '0' }).end();
  const admission = admitUnreadable(context, request.socket, request.method!);
  finish(context, accessRecord(context, admission, { status, up: 0, down: 0 }));
}

/**
 * Closes a connection on which the answer to an earlier request is due; false if none is. Whatever was sent now would be taken
 * for that answer, and it for a part of what follows. A broken body is on the record of its own request already.
 */
export function cutWhenDue(context: GatewayContext, client: Socket): boolean {
  const due = (client as ServingSocket)._httpMessage;
  if (!due) return false;
  client.destroy();
  if (due.req.complete) {
    finish(context, accessRecord(context, admitUnreadable(context, client, '-'), { status: 0, up: 0, down: 0 }));
  }
  return true;
}

function admitUnreadable(context: GatewayContext, client: Socket, method: string): Admission {
  return admit(context, { method, client: clientOf(client), target: null, violation: 'malformed' }, null);
}

function unreadableStatus({ code, rawPacket }: UnreadableError): number {
  if (code === 'HPE_HEADER_OVERFLOW') return isWithinTarget(rawPacket) ? 414 : 431;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}

// The parser does not say what grew too long. Where a target came in several pieces, 431 has to do: a piece of it looks like any other.
const UNENDED_TARGET = /^[A-Z]+ [^\s]+$/;

/** Whether the bytes begin with a request line that does not end in them (RFC 9112 §3). */
function isWithinTarget(bytes: Buffer | undefined): boolean {
  return bytes !== undefined && UNENDED_TARGET.test(bytes.toString('latin1'));
}
