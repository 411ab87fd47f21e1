import type { WorkId } from './options.ts';
import type { ProxyId } from './setting.ts';

/** One thing that is measured. */
export interface Metric {
  readonly id: MetricId;
  readonly work: WorkId;
  readonly title: string;
  readonly unit: string;
  /** Digits after the point when it is printed. */
  readonly digits: number;
}

export type MetricId =
  | `${'http' | 'connect' | 'cold' | 'refused-http' | 'flagged-http' | 'refused-connect'}.${'cpu' | 'p50' | 'p99'}`
  | `bulk-${'tunnel' | 'http'}.${'cpu' | 'time'}`
  | 'single.p50'
  | 'round-trip.p50'
  | `sign-in.${'cpu' | 'alone' | 'among' | 'burst'}`
  | `swap.${'before' | 'during' | 'time' | 'steady' | 'peak' | 'growth'}`
  | `idle.${'before' | 'fresh' | 'used'}`
  | `lists.${'disk' | 'memory' | 'ready' | 'build' | 'hit' | 'miss'}`
  | 'lists-many.size'
  | `decide.${'added' | 'compile'}`
  | `pages.${'p50' | 'p95'}`
  | `alerts.${'p50' | 'p99' | 'behind'}`
  | `history.${'sums' | 'sums-memory' | 'weekly' | 'weekly-memory' | 'first-look' | 'look' | 'spool-bytes' | 'parquet-bytes'}`;

/** Every metric, in the order of the table. CPU is the proxy's whole process tree, user and system. */
export const METRICS: readonly Metric[] = [
  { id: 'http.cpu', work: 'http', title: 'plain HTTP, 1 KB GET, keep-alive: CPU', unit: 'µs/request', digits: 1 },
  { id: 'http.p50', work: 'http', title: '  median', unit: 'ms', digits: 2 },
  { id: 'http.p99', work: 'http', title: '  99th percentile', unit: 'ms', digits: 2 },
  { id: 'connect.cpu', work: 'connect', title: 'CONNECT + TLS + GET, warm: CPU', unit: 'µs/tunnel', digits: 1 },
  { id: 'connect.p50', work: 'connect', title: '  median', unit: 'ms', digits: 2 },
  { id: 'connect.p99', work: 'connect', title: '  99th percentile', unit: 'ms', digits: 2 },
  { id: 'cold.cpu', work: 'cold', title: 'CONNECT + TLS + GET, just started: CPU', unit: 'µs/tunnel', digits: 1 },
  { id: 'cold.p50', work: 'cold', title: '  median', unit: 'ms', digits: 2 },
  { id: 'bulk-tunnel.cpu', work: 'bulk', title: 'bulk in a tunnel: CPU', unit: 's/GB', digits: 3 },
  { id: 'bulk-tunnel.time', work: 'bulk', title: '  elapsed', unit: 's/GB', digits: 2 },
  { id: 'bulk-http.cpu', work: 'bulk', title: 'bulk over plain HTTP: CPU', unit: 's/GB', digits: 3 },
  { id: 'bulk-http.time', work: 'bulk', title: '  elapsed', unit: 's/GB', digits: 2 },
  { id: 'refused-http.cpu', work: 'refused', title: 'refused plain request: CPU', unit: 'µs/request', digits: 1 },
  { id: 'refused-http.p50', work: 'refused', title: '  median', unit: 'ms', digits: 2 },
  { id: 'flagged-http.cpu', work: 'refused', title: '  and an adult is told: CPU', unit: 'µs/request', digits: 1 },
  { id: 'refused-connect.cpu', work: 'refused', title: 'refused CONNECT: CPU', unit: 'µs/request', digits: 1 },
  { id: 'refused-connect.p50', work: 'refused', title: '  median', unit: 'ms', digits: 2 },
  {
    id: 'single.p50',
    work: 'latency',
    title: 'one tunnel at a time, CONNECT + TLS + GET: median',
    unit: 'ms',
    digits: 3,
  },
  { id: 'round-trip.p50', work: 'latency', title: 'one GET in an open tunnel: median', unit: 'ms', digits: 3 },
  { id: 'sign-in.cpu', work: 'sign-in', title: 'a sign-in at the front desk: CPU', unit: 'ms/sign-in', digits: 1 },
  { id: 'sign-in.alone', work: 'sign-in', title: '  nobody else does: median', unit: 'ms', digits: 0 },
  { id: 'sign-in.among', work: 'sign-in', title: '  21 within a second: 95th percentile', unit: 'ms', digits: 0 },
  { id: 'sign-in.burst', work: 'sign-in', title: '  21 at the same instant: 95th percentile', unit: 'ms', digits: 0 },
  {
    id: 'swap.before',
    work: 'swap',
    title: 'GET before the index is replaced: 99th percentile',
    unit: 'ms',
    digits: 2,
  },
  { id: 'swap.during', work: 'swap', title: '  while it is replaced again and again', unit: 'ms', digits: 2 },
  { id: 'swap.time', work: 'swap', title: '  from the build to a client: median', unit: 'ms', digits: 0 },
  { id: 'swap.steady', work: 'swap', title: '  worker’s highest memory before', unit: 'MB', digits: 1 },
  { id: 'swap.peak', work: 'swap', title: '  worker’s highest memory meanwhile', unit: 'MB', digits: 1 },
  { id: 'swap.growth', work: 'swap', title: '  the difference, in sizes of the index', unit: '×', digits: 2 },
  { id: 'idle.before', work: 'idle', title: 'idle tunnels: resident memory before the first', unit: 'MB', digits: 1 },
  { id: 'idle.fresh', work: 'idle', title: '  for each tunnel, fresh', unit: 'KB', digits: 1 },
  { id: 'idle.used', work: 'idle', title: '  for each tunnel, after 1 MB', unit: 'KB', digits: 1 },
  { id: 'lists.memory', work: 'lists', title: 'a list of names: resident memory', unit: 'bytes/name', digits: 2 },
  { id: 'lists.ready', work: 'lists', title: '  time to be ready with it', unit: 's/million', digits: 3 },
  { id: 'lists.disk', work: 'lists', title: '  size on disk', unit: 'bytes/name', digits: 2 },
  { id: 'lists.build', work: 'lists', title: '  compiling it: CPU', unit: 's/million', digits: 2 },
  {
    id: 'lists.hit',
    work: 'lists',
    title: '  a host of four labels that is listed: CPU',
    unit: 'µs/look-up',
    digits: 3,
  },
  { id: 'lists.miss', work: 'lists', title: '  one that is not: CPU', unit: 'µs/look-up', digits: 3 },
  { id: 'decide.added', work: 'decide', title: 'who asks and what is decided: median', unit: 'µs', digits: 2 },
  { id: 'decide.compile', work: 'decide', title: '  reading and compiling that policy', unit: 'ms', digits: 0 },
  {
    id: 'pages.p95',
    work: 'pages',
    title: 'a page of the console, the slowest: 95th percentile',
    unit: 'ms',
    digits: 1,
  },
  { id: 'pages.p50', work: 'pages', title: '  the median page: median', unit: 'ms', digits: 1 },
  {
    id: 'alerts.p99',
    work: 'alerts',
    title: 'a danger among 2,000 events a second, to its mail: 99th percentile',
    unit: 's',
    digits: 2,
  },
  { id: 'alerts.p50', work: 'alerts', title: '  median', unit: 's', digits: 2 },
  {
    id: 'alerts.behind',
    work: 'alerts',
    title: '  how long after the last event all took effect',
    unit: 's',
    digits: 1,
  },
  { id: 'history.spool-bytes', work: 'history', title: 'a request in the history: spool', unit: 'bytes', digits: 1 },
  { id: 'history.parquet-bytes', work: 'history', title: '  converted to Parquet', unit: 'bytes', digits: 1 },
  { id: 'history.sums', work: 'history', title: 'adding up days, in the night after', unit: 's/million', digits: 2 },
  { id: 'history.sums-memory', work: 'history', title: '  its memory', unit: 'MB', digits: 0 },
  { id: 'history.weekly', work: 'history', title: 'weekly report over 50 million requests', unit: 's', digits: 1 },
  { id: 'history.weekly-memory', work: 'history', title: '  its memory', unit: 'MB', digits: 0 },
  { id: 'history.look', work: 'history', title: 'one person’s half hour out of 90 days', unit: 's', digits: 2 },
  {
    id: 'history.first-look',
    work: 'history',
    title: '  the first look, which checks the day’s files',
    unit: 's',
    digits: 2,
  },
  { id: 'lists-many.size', work: 'lists', title: '  an index of 5 million names', unit: 'MB', digits: 1 },
];

/** What was measured: for each metric and proxy one value a round. */
export class Figures {
  readonly #values = new Map<MetricId, Map<ProxyId, number[]>>();

  add(metric: MetricId, proxy: ProxyId, value: number): void {
    const ofMetric = this.#values.get(metric) ?? new Map<ProxyId, number[]>();
    this.#values.set(metric, ofMetric);
    ofMetric.set(proxy, [...(ofMetric.get(proxy) ?? []), value]);
  }

  /** One value a round; empty if it was not measured. */
  rounds(metric: MetricId, proxy: ProxyId): readonly number[] {
    return this.#values.get(metric)?.get(proxy) ?? [];
  }

  /** Median of the rounds; null if it was not measured. */
  value(metric: MetricId, proxy: ProxyId): number | null {
    return median(this.rounds(metric, proxy));
  }

  /**
   * Median over the rounds of `combine(a, b)`, each round with its own two values: what disturbed a round disturbed both.
   * Null if one of them was not measured.
   */
  paired(
    a: readonly [MetricId, ProxyId],
    b: readonly [MetricId, ProxyId],
    combine: (a: number, b: number) => number,
  ): number | null {
    const left = this.rounds(...a);
    const right = this.rounds(...b);
    return median(left.slice(0, right.length).map((value, round) => combine(value, right[round]!)));
  }
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
