import type { Figures, MetricId } from './figures.ts';

/** A figure that Schoolgate is to reach. */
export interface Target {
  readonly title: string;
  readonly limit: number;
  readonly unit: string;
  /** Null: not measured in this run. */
  readonly value: number | null;
  readonly met: boolean | null;
}

type Measure = (figures: Figures) => number | null;

const divide = (a: number, b: number): number => a / b;
const subtract = (a: number, b: number): number => a - b;

const againstSquid =
  (metric: MetricId): Measure =>
  (figures) =>
    figures.paired([metric, 'schoolgate'], [metric, 'squid'], divide);

const againstOwn =
  (metric: MetricId, other: MetricId): Measure =>
  (figures) =>
    figures.paired([metric, 'schoolgate'], [other, 'schoolgate'], divide);

const addedToDirect =
  (metric: MetricId): Measure =>
  (figures) =>
    figures.paired([metric, 'schoolgate'], [metric, 'direct'], subtract);

const alone =
  (metric: MetricId): Measure =>
  (figures) =>
    figures.value(metric, 'schoolgate');

/** Not round by round: there are as many rounds with swaps as they take. */
const swapLatency: Measure = (figures) => {
  const [during, before] = [figures.value('swap.during', 'schoolgate'), figures.value('swap.before', 'schoolgate')];
  return during === null || before === null ? null : during / before;
};

const TARGETS: readonly (readonly [title: string, limit: number, unit: string, measure: Measure])[] = [
  ['CONNECT + TLS, warm: CPU against Squid', 1.25, '×', againstSquid('connect.cpu')],
  ['plain HTTP: CPU against Squid', 1.25, '×', againstSquid('http.cpu')],
  ['bulk in a tunnel: CPU against Squid', 1.1, '×', againstSquid('bulk-tunnel.cpu')],
  ['refused plain request: CPU against a forwarded one', 0.6, '×', againstOwn('refused-http.cpu', 'http.cpu')],
  ['refused, and an adult is told: CPU against a forwarded one', 0.6, '×', againstOwn('flagged-http.cpu', 'http.cpu')],
  ['refused CONNECT: CPU against a forwarded one', 0.6, '×', againstOwn('refused-connect.cpu', 'connect.cpu')],
  ['memory of an idle tunnel, fresh', 25, 'KB', alone('idle.fresh')],
  ['memory of an idle tunnel, after 1 MB', 45, 'KB', alone('idle.used')],
  ['GET while the index is replaced: 99th percentile against before', 2, '×', swapLatency],
  ['worker’s memory while the index is replaced, in sizes of it', 1.2, '×', alone('swap.growth')],
  ['one tunnel, CONNECT + TLS + GET: added to direct', 1, 'ms', addedToDirect('single.p50')],
  ['one GET in an open tunnel: added to direct', 1, 'ms', addedToDirect('round-trip.p50')],
  ['a sign-in while 20 others sign in within a second: 95th percentile', 250, 'ms', alone('sign-in.among')],
  ['a page of the console, the slowest: 95th percentile', 60, 'ms', alone('pages.p95')],
  ['a name in the index, on disk', 10, 'bytes', alone('lists.disk')],
  ['a name in the index, in a process', 10, 'bytes', alone('lists.memory')],
  ['loading an index of a million names', 0.03, 's', alone('lists.ready')],
  ['compiling a million names: CPU', 3, 's', alone('lists.build')],
  ['looking up a host that is listed: CPU', 1, 'µs', alone('lists.hit')],
  ['looking up a host that is not: CPU', 1, 'µs', alone('lists.miss')],
  ['5,000 people, 300 classes, 200 rules: added to a look-up', 5, 'µs', alone('decide.added')],
  ['5,000 people, 300 classes, 200 rules: reading and compiling', 500, 'ms', alone('decide.compile')],
  ['a danger among 2,000 events a second, to its mail: 99th percentile', 2, 's', alone('alerts.p99')],
  ['a request in Parquet', 15, 'bytes', alone('history.parquet-bytes')],
  ['weekly report over 50 million requests', 20, 's', alone('history.weekly')],
  ['weekly report: memory', 1000, 'MB', alone('history.weekly-memory')],
  ['one person’s half hour out of 90 days', 0.5, 's', alone('history.look')],
  ['an index of 5 million names, on disk', 50, 'MB', alone('lists-many.size')],
];

/** Each target with what this run says of it. */
export function judgeTargets(figures: Figures): Target[] {
  return TARGETS.map(([title, limit, unit, measure]) => {
    const value = measure(figures);
    return { title, limit, unit, value, met: value === null ? null : value <= limit };
  });
}
