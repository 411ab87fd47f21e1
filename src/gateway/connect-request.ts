// client ── CONNECT host:port ──► gateway ── dial ──► upstream, then bytes both ways
import type { Socket } from 'node:net';
import { hostText, parseAuthority } from '../kernel/url.ts';
import { type Admission, admit, admitServerName, type Ask, isRefused, isWarned, type Target } from './admit.ts';
import { findRoute } from './find-route.ts';
import { clientOf } from './client-address.ts';
import { GatheredHello, readClientHello } from './client-hello.ts';
import type { GatewayContext } from './context.ts';
import type { Route } from './dial.ts';
import { headerValues, isLoop, PSEUDONYM } from './headers.ts';
import type { Inside } from './http-request.ts';
import type { GatewayLimits } from './limits.ts';
import type { OpenConnection } from './open-connections.ts';
import type { ConnectHead } from './plain-connect.ts';
import { accessRecord, announce, finish, NOTHING_YET, type Outcome } from './record.ts';
import { failConnect, refuseConnect } from './refuse.ts';
import { Relay, RELAY_READ, type RelayEnd, type RelayOwner } from './relay.ts';

/** Hands a connection whose bytes are plain HTTP on to the HTTP carrier, as requests to this one place. */
export type ServeInside = (client: Socket, place: Inside, route: Route, upstream: Socket) => void;

const ESTABLISHED = Buffer.from('HTTP/1.1 200 Connection Established\r\n\r\n');

/** Says where a search engine is really connected to (RFC 9209 §2.1.2): SafeSearch is no secret, and so it can be tested. */
function established({ retarget }: Admission): Buffer {
  if (retarget === null) return ESTABLISHED;
  return Buffer.from(
    `HTTP/1.1 200 Connection Established\r\nProxy-Status: ${PSEUDONYM}; next-hop="${retarget.name}"\r\n\r\n`,
  );
}

/**
 * Serves one CONNECT (RFC 9110 §9.3.6). `200` goes out only when the upstream connection stands.
 * `serveInside` is null for a CONNECT inside another one, which is refused.
 */
export async function connectRequest(
  context: GatewayContext,
  head: ConnectHead,
  client: Socket,
  early: Buffer,
  serveInside: ServeInside | null,
): Promise<void> {
  const ask = readAsk(head, client, serveInside === null);
  const sentBy = context.proxyAuth.proofOf(head.rawHeaders, ask.client);
  const admission = admit(context, ask, sentBy instanceof Promise ? await sentBy : sentBy);
  if (isRefused(admission) && !warnsInside(admission)) return refuseConnect(context, admission, client);
  const { host, port } = admission.ask.target!;
  const { dialler } = context;
  const isTls = isTlsPort(admission);
  const isPlainHttp = carriesPlainHttp(admission);
  let route: Route;
  let upstream: Socket;
  try {
    route = await findRoute(context, admission);
    // Its addresses may stand on a list although its name does not.
    if (isRefused(admission) && !warnsInside(admission)) return refuseConnect(context, admission, client);
    upstream = await dialler.connect(route, isPlainHttp || route.parent !== null ? undefined : RELAY_READ);
  } catch (error) {
    return failConnect(context, admission, client, error);
  }
  if (client.destroyed) {
    upstream.destroy();
    return finish(context, accessRecord(context, admission, { ...NOTHING_YET, error: 'client_aborted' }));
  }
  client.write(established(admission));
  if (isPlainHttp) {
    finish(context, accessRecord(context, admission, { ...NOTHING_YET, status: 200 }));
    if (early.length > 0) client.unshift(early);
    return serveInside!(client, { host, port, proof: admission.proof }, route, upstream);
  }
  context.spool.opening(admission.id, () => accessRecord(context, admission, { ...NOTHING_YET, status: 200 }));
  const viaOnRead = route.parent === null;
  new Tunnel(context, admission, (owner) => new Relay(client, upstream, viaOnRead, isTls, owner)).start(early);
}

function isTlsPort({ ask, snapshots }: Admission): boolean {
  return snapshots.connectPorts.get(ask.target!.port) === true;
}

function carriesPlainHttp(admission: Admission): boolean {
  return admission.ask.target!.port === 80 && !isTlsPort(admission);
}

/** A warning can be shown inside: each request there is judged, and gets the page, before anything of it goes up. */
function warnsInside(admission: Admission): boolean {
  return isWarned(admission) && carriesPlainHttp(admission);
}

function readAsk({ authority, rawHeaders }: ConnectHead, client: Socket, isNested: boolean): Ask {
  const place = parseAuthority(authority, null);
  const target: Target | null = place && { ...place, path: null, text: `${hostText(place.host)}:${place.port}` };
  const isMalformed =
    target === null || headerValues(rawHeaders, 'host').length > 1 || hasContent(rawHeaders) || isLoop(rawHeaders);
  return {
    method: 'CONNECT',
    client: clientOf(client),
    target,
    violation: isMalformed ? 'malformed' : isNested ? 'protocol' : null,
  };
}

/** Content in a CONNECT means nothing (RFC 9110 §9.3.6), and one reader may take it for what another takes for the tunnel's bytes. */
function hasContent(rawHeaders: readonly string[]): boolean {
  const lengths = headerValues(rawHeaders, 'content-length');
  return lengths.some((length) => length !== '0') || headerValues(rawHeaders, 'transfer-encoding').length > 0;
}

/** An open tunnel. On a TLS port the ClientHello is judged before its first byte goes up. */
class Tunnel implements OpenConnection, RelayOwner {
  readonly kind = 'tunnel';
  readonly admission: Admission;
  readonly #context: GatewayContext;
  readonly #relay: Relay;
  #hello: GatheredHello | null = null;
  #serverName: string | undefined;
  #ech = false;
  #error: string | undefined;

  constructor(context: GatewayContext, admission: Admission, relayFor: (owner: RelayOwner) => Relay) {
    this.#context = context;
    this.admission = admission;
    this.#relay = relayFor(this);
    context.open.add(context, this);
  }

  start(early: Buffer): void {
    this.#relay.start(early);
  }

  patience({ helloMs, halfClosedIdleMs, tunnelIdleMs }: GatewayLimits): number {
    if (this.#relay.isHeld) return helloMs;
    return this.#relay.halfClosed ? halfClosedIdleMs : tunnelIdleMs;
  }

  quietFor(ms: number): number {
    return this.#relay.quietFor(ms);
  }

  cut(why: Exclude<RelayEnd, null>): void {
    this.#relay.cut(why);
  }

  /** The client's first bytes, until the ClientHello is whole. */
  heldBytes(chunk: Buffer): void {
    const hello = this.#hello === null ? readClientHello(chunk) : this.#hello.add(chunk);
    if (hello.state === 'incomplete') {
      this.#hello ??= new GatheredHello(chunk, hello.missing);
      return;
    }
    const bytes = this.#hello?.bytes ?? chunk;
    this.#hello = null;
    if (hello.state !== 'complete' || hello.conflicting) return this.#refuse('not_tls');
    this.#ech = hello.ech;
    if (hello.serverName === null) return this.#relay.release(bytes);
    this.#serverName = hello.serverName;
    const { decision } = this.admission;
    admitServerName(this.#context, this.admission, hello.serverName);
    if (this.admission.decision === decision) return this.#relay.release(bytes);
    this.#announceServerName(bytes);
  }

  spokeFirst(): void {
    this.#refuse('not_tls');
  }

  /** The server name made the decision stricter: that is told before the hello goes up, or the connection is cut. */
  #announceServerName(bytes: Buffer): void {
    const go = (): void => {
      if (this.admission.decision.verdict === 'block') return this.#refuse('server_name');
      this.#relay.client.resume();
      this.#relay.release(bytes);
    };
    const record = accessRecord(this.#context, this.admission, this.#outcome());
    const told = announce(this.#context, this.admission, record, this.#context.ids());
    if (told === null) return go();
    this.#relay.client.pause();
    void told.then(go);
  }

  #refuse(error: string): void {
    this.#error = error;
    if (error === 'not_tls') this.admission.decision = protocolDecision(this.admission);
    this.#relay.cut('cut');
  }

  #outcome(): Outcome {
    const { up, down, ended } = this.#relay;
    const error = this.#error ?? ended ?? undefined;
    return { status: 200, up, down, error, serverName: this.#serverName, ech: this.#ech };
  }

  relayClosed(): void {
    this.#context.open.delete(this);
    finish(this.#context, accessRecord(this.#context, this.admission, this.#outcome()));
  }
}

function protocolDecision(admission: Admission): Admission['decision'] {
  return {
    ...admission.decision,
    verdict: 'block',
    action: 'block',
    reason: 'protocol',
    step: 'target',
    category: null,
    rule: null,
  };
}
