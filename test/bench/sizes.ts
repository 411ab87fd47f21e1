import type { PageSizes } from './measure-pages.ts';

/** How much of each work is done. Counts, so that a run is bounded; bytes. */
export interface Sizes {
  readonly rounds: number;
  readonly warmTunnels: number;
  readonly warmRequests: number;
  readonly requests: number;
  readonly tunnels: number;
  /** Tunnels through a proxy that has just started. */
  readonly coldTunnels: number;
  readonly bulkBytes: number;
  readonly refusedRequests: number;
  readonly refusedTunnels: number;
  /** Tunnels one after the other, for the latency. */
  readonly singleTunnels: number;
  readonly roundTrips: number;
  /** How often 21 people sign in. */
  readonly classes: number;
  /** How often the index is replaced, names in it, and requests of a job meanwhile. */
  readonly swaps: number;
  readonly swapNames: number;
  readonly swapRequests: number;
  readonly idleTunnels: number;
  readonly idleBytes: number;
  /** Names in a list, for what each costs in a proxy. */
  readonly listNames: number;
  /** Names in the largest index that is built. */
  readonly manyNames: number;
  readonly listRounds: number;
  readonly lookUps: number;
  /** Decisions of each round. */
  readonly decisions: number;
  /** What a console has on record while its pages are asked for. */
  readonly pages: PageSizes;
  /** How long events flow, two thousand a second. */
  readonly alertSeconds: number;
  /** Requests of a week's history, and of one that is converted. */
  readonly historyRequests: number;
  readonly keptRequests: number;
  /** Connections at a time. */
  readonly requestConcurrency: number;
  readonly tunnelConcurrency: number;
  /** How long after a job its proxy's CPU still counts for it, ms: records are written and closed in the background. */
  readonly settleMs: number;
}

export const FULL: Sizes = {
  rounds: 5,
  warmTunnels: 10_000,
  warmRequests: 10_000,
  requests: 10_000,
  tunnels: 2_000,
  coldTunnels: 1_000,
  bulkBytes: 1_000_000_000,
  refusedRequests: 10_000,
  refusedTunnels: 4_000,
  singleTunnels: 500,
  roundTrips: 2_000,
  classes: 20,
  swaps: 100,
  swapNames: 1_400_000,
  swapRequests: 4_000,
  idleTunnels: 5_000,
  idleBytes: 1_000_000,
  listNames: 1_000_000,
  manyNames: 5_000_000,
  listRounds: 3,
  lookUps: 5_000_000,
  decisions: 200_000,
  pages: { people: 5_000, auditRows: 100_000, unblocks: 2_000, asked: 100 },
  alertSeconds: 120,
  historyRequests: 50_000_000,
  keptRequests: 200_000,
  requestConcurrency: 32,
  tunnelConcurrency: 16,
  settleMs: 1_100,
};

export const QUICK: Sizes = {
  ...FULL,
  rounds: 1,
  warmTunnels: 500,
  warmRequests: 1_000,
  requests: 1_000,
  tunnels: 300,
  coldTunnels: 100,
  bulkBytes: 100_000_000,
  refusedRequests: 1_000,
  refusedTunnels: 400,
  singleTunnels: 50,
  roundTrips: 200,
  classes: 2,
  swaps: 10,
  swapNames: 140_000,
  swapRequests: 1_000,
  idleTunnels: 500,
  listNames: 20_000,
  manyNames: 40_000,
  listRounds: 1,
  lookUps: 500_000,
  decisions: 20_000,
  pages: { people: 500, auditRows: 2_000, unblocks: 200, asked: 10 },
  alertSeconds: 5,
  historyRequests: 500_000,
  keptRequests: 20_000,
  settleMs: 200,
};
