/** Bounds of one gateway worker. Connection limits stand in the policy (`network`) and hold over all workers of the gateway. */
export interface GatewayLimits {
  /** Request line and header section, bytes. */
  readonly headerBytes: number;
  /** Request target, bytes; longer is malformed. */
  readonly targetBytes: number;
  /** How long a client may take to send a header section, ms (slow loris). */
  readonly headersMs: number;
  /** How long an idle client connection is kept, ms. */
  readonly clientIdleMs: number;
  readonly connectMs: number;
  /** How long after `200` a client may take to send its ClientHello, ms. */
  readonly helloMs: number;
  /** How long a tunnel or upgraded connection may be silent in both directions, ms. */
  readonly tunnelIdleMs: number;
  /** The same once one side has closed its half. */
  readonly halfClosedIdleMs: number;
  /** How long an upstream may take to begin its answer, ms. */
  readonly responseHeadersMs: number;
  /** How long a body may pause, the client's or the upstream's, ms. */
  readonly bodyIdleMs: number;
}

export const DEFAULT_LIMITS: GatewayLimits = {
  headerBytes: 32 * 1024,
  targetBytes: 16 * 1024,
  headersMs: 10_000,
  clientIdleMs: 60_000,
  connectMs: 10_000,
  helloMs: 10_000,
  tunnelIdleMs: 15 * 60_000,
  halfClosedIdleMs: 60_000,
  responseHeadersMs: 120_000,
  bodyIdleMs: 15 * 60_000,
};
