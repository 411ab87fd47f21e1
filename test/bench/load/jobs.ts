/** The way a job takes to the origin. */
export interface Route {
  /** Proxy on 127.0.0.1; null: straight to the origin. */
  readonly proxyPort: number | null;
  /** The name in the URL, the CONNECT line and the server name. */
  readonly host: string;
  /** False: a new connection for each plain request. */
  readonly keepAlive: boolean;
  readonly httpPort: number;
  readonly tlsPort: number;
  /** PEM of the authority that the origin's certificate is checked against. */
  readonly ca: string;
}

interface Counted {
  readonly route: Route;
  readonly count: number;
  readonly concurrency: number;
}

/** GET of 1 KB over keep-alive connections; `refusal`: the status that every answer must have instead. */
export interface Requests extends Counted {
  readonly kind: 'requests';
  readonly refusal: number | null;
}

/** CONNECT, TLS, one GET of 1 KB, close. */
export interface Tunnels extends Counted {
  readonly kind: 'tunnels';
}

/** CONNECT that must be answered with the status `refusal`. */
export interface RefusedTunnels extends Counted {
  readonly kind: 'refused-tunnels';
  readonly refusal: number;
}

/** One response of `bytes`, in a tunnel or over plain HTTP. */
export interface Bulk {
  readonly kind: 'bulk';
  readonly route: Route;
  readonly bytes: number;
  readonly tunnel: boolean;
}

/** One GET after the other in one tunnel. */
export interface RoundTrips {
  readonly kind: 'round-trips';
  readonly route: Route;
  readonly count: number;
}

/** Opens tunnels up to the end of the TLS handshake and keeps them. */
export interface Hold extends Counted {
  readonly kind: 'hold';
}

/** Fetches `bytes` through each tunnel that is held. */
export interface Fill {
  readonly kind: 'fill';
  readonly bytes: number;
  readonly concurrency: number;
}

/** Closes the tunnels that are held. */
export interface Release {
  readonly kind: 'release';
}

/** Work for the load generator. A response that is not exactly what was expected ends the job with an error. */
export type Job = Requests | Tunnels | RefusedTunnels | Bulk | RoundTrips | Hold | Fill | Release;

/** What the load generator saw. One latency per unit of work, whole run. */
export interface JobResult {
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Asked in a message, answered in one; `id` ties them together. */
export interface JobMessage {
  readonly id: number;
  readonly job: Job;
}

export type JobAnswer =
  | { readonly id: number; readonly result: JobResult }
  | { readonly id: number; readonly error: string };
