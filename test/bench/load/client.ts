import { createSecureContext, type SecureContext } from 'node:tls';
import { connectThrough, dial, RawConnection } from '../../helpers/raw-client.ts';
import type { RawResponse } from '../../helpers/raw-response.ts';
import { isBulkAt, PAGE } from '../payload.ts';
import type { Route } from './jobs.ts';

// One device holds a few dozen connections, not thousands; proxies limit connections by address.
const CONNECTIONS_PER_ADDRESS = 100;
const BULK_DEADLINE_MS = 120_000;

const contexts = new Map<string, SecureContext>();

/** The loopback address that client `number` comes from. */
function localAddress(number: number): string {
  const device = Math.floor(number / CONNECTIONS_PER_ADDRESS);
  return `127.1.${device >> 8}.${(device & 255) + 1}`;
}

/** One client's plain HTTP, over one connection for as long as the other side keeps it. */
export class PlainClient implements AsyncDisposable {
  readonly #route: Route;
  readonly #number: number;
  #connection: RawConnection | null = null;

  constructor(route: Route, number: number) {
    this.#route = route;
    this.#number = number;
  }

  /** GET of the small page. Throws unless it comes back whole or, with `refusal`, is refused with that status. */
  async get(refusal: number | null): Promise<void> {
    const connection = await this.#connect();
    await connection.send(this.#request('/page'));
    const response = await connection.readResponse();
    if (refusal === null) expectPage(response);
    else expectRefusal(response, refusal);
    if (!this.#route.keepAlive || !isKept(response, connection)) await this.#drop();
  }

  /** GET of `bytes`, checked as they come. */
  async getBulk(bytes: number): Promise<void> {
    const connection = await this.#connect();
    await connection.send(this.#request(`/bulk?${bytes}`));
    await readBulk(connection, bytes);
    await this.#drop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#drop();
  }

  #request(path: string): string {
    const { host, httpPort, proxyPort } = this.#route;
    const target = proxyPort === null ? path : `http://${host}:${httpPort}${path}`;
    return `GET ${target} HTTP/1.1\r\nHost: ${host}:${httpPort}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`;
  }

  async #connect(): Promise<RawConnection> {
    const { proxyPort, httpPort } = this.#route;
    this.#connection ??= await dial(proxyPort ?? httpPort, { localAddress: localAddress(this.#number) });
    return this.#connection;
  }

  async #drop(): Promise<void> {
    await this.#connection?.close();
    this.#connection = null;
  }
}

/** CONNECT where there is a proxy, then TLS with the origin's certificate checked. Throws unless both succeed. */
export async function openTunnel(route: Route, number: number): Promise<RawConnection> {
  const { proxyPort, host, tlsPort } = route;
  const from = { localAddress: localAddress(number) };
  if (proxyPort === null) return await startTls(await dial(tlsPort, from), route);
  const { connection, response } = await connectThrough(proxyPort, `${host}:${tlsPort}`, [], from);
  if (response.status === 200) return await startTls(connection, route);
  await connection.close();
  throw new Error(`CONNECT was answered ${response.status}, not 200`);
}

/** CONNECT that must be refused with the status `refusal`. */
export async function refusedTunnel(
  { proxyPort, host, tlsPort }: Route,
  number: number,
  refusal: number,
): Promise<void> {
  const from = { localAddress: localAddress(number) };
  const { connection, response } = await connectThrough(proxyPort!, `${host}:${tlsPort}`, [], from);
  await connection.close();
  expectRefusal(response, refusal);
}

/** One GET of the small page in a tunnel. */
export async function getInTunnel(tunnel: RawConnection, host: string): Promise<void> {
  await tunnel.send(`GET /page HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  expectPage(await tunnel.readResponse());
}

/** GET of `bytes` in a tunnel, checked as they come. */
export async function getBulkInTunnel(tunnel: RawConnection, host: string, bytes: number): Promise<void> {
  await tunnel.send(`GET /bulk?${bytes} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await readBulk(tunnel, bytes);
}

async function startTls(connection: RawConnection, route: Route): Promise<RawConnection> {
  let secureContext = contexts.get(route.ca);
  if (secureContext === undefined) {
    secureContext = createSecureContext({ ca: route.ca });
    contexts.set(route.ca, secureContext);
  }
  return await connection.startTls({ secureContext, servername: route.host });
}

async function readBulk(connection: RawConnection, bytes: number): Promise<void> {
  const head = (await connection.read('\r\n\r\n')).toString('latin1');
  if (!/^HTTP\/1\.[01] 200 /.test(head)) throw new Error(`bulk was answered ${JSON.stringify(head.slice(0, 80))}`);
  if (!new RegExp(`^content-length: *${bytes}\r$`, 'im').test(head))
    throw new Error(`bulk came without its length of ${bytes}`);
  let at = 0;
  let wrongAt = -1;
  const check = (chunk: Buffer): void => {
    if (wrongAt < 0 && !isBulkAt(at, chunk)) wrongAt = at;
    at += chunk.length;
  };
  await connection.pass(bytes, check, BULK_DEADLINE_MS);
  if (wrongAt >= 0) throw new Error(`bulk holds wrong bytes after ${wrongAt}`);
}

function expectStatus(response: RawResponse, status: number): void {
  if (response.status !== status) throw new Error(`the answer was ${response.status}, not ${status}`);
}

function expectPage(response: RawResponse): void {
  expectStatus(response, 200);
  if (!response.body.equals(PAGE))
    throw new Error(`the page came back with ${response.body.length} bytes that are not its own`);
}

function expectRefusal(response: RawResponse, status: number): void {
  expectStatus(response, status);
  if (response.body.equals(PAGE)) throw new Error('the page came back although it was to be refused');
}

function isKept(response: RawResponse, connection: RawConnection): boolean {
  const wish = response.header('connection')?.toLowerCase() ?? '';
  if (connection.peer !== 'open' || wish.includes('close')) return false;
  return response.version === '1.1' || wish.includes('keep-alive');
}
