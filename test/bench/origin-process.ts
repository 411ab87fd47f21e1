// A process of its own: what the origin costs is never counted, and must not wait for the load generator.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createAuthority } from '../helpers/certificates.ts';
import { listen } from '../helpers/listening.ts';
import { PAGE, PIECE } from './payload.ts';
import type { OriginPorts } from './setting.ts';

const names = process.argv.slice(2);
const authority = createAuthority('Schoolgate benchmark');
// Idle connections are the measurement, so nothing here may close one.
const patient = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
const plain = await listen(createServer(patient, answer));
const secure = await listen(createTlsServer({ ...patient, ...authority.issue(names) }, answer));
const ports: OriginPorts = { http: plain.port, tls: secure.port, ca: authority.cert };
process.send!(ports);
process.once('disconnect', () => process.exit());

/** `/page`: 1 KB. `/bulk?n`: n bytes. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const bulk = /\/bulk\?(\d+)$/.exec(request.url!);
  const size = bulk === null ? PAGE.length : Number(bulk[1]);
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  if (bulk === null) response.end(PAGE);
  else writePieces(response, size);
}

function writePieces(response: ServerResponse, left: number): void {
  if (response.destroyed) return;
  const size = Math.min(left, PIECE.length);
  const piece = size === PIECE.length ? PIECE : PIECE.subarray(0, size);
  if (left <= PIECE.length) response.end(piece);
  else response.write(piece, () => writePieces(response, left - size));
}
