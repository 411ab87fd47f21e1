import { type Figures, METRICS, type MetricId } from './figures.ts';
import type { Machine } from './machine.ts';
import type { ProxyId, Way } from './setting.ts';
import type { Sizes } from './sizes.ts';
import { judgeTargets, type Target } from './targets.ts';

/** A run, as it is written to the JSON file. */
export interface Report {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly proxies: readonly { readonly id: ProxyId; readonly version: string; readonly setup: string }[];
  readonly sizes: Sizes;
  /** For each metric and proxy the value of each round. */
  readonly metrics: readonly {
    readonly id: MetricId;
    readonly unit: string;
    readonly values: Readonly<Partial<Record<ProxyId, readonly number[]>>>;
  }[];
  readonly targets: readonly Target[];
}

export interface RunFacts {
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly ways: readonly Way[];
  readonly sizes: Sizes;
}

export function buildReport({ ways, ...facts }: RunFacts, figures: Figures): Report {
  const measured = METRICS.filter(({ id }) => ways.some((way) => figures.rounds(id, way.id).length > 0));
  return {
    ...facts,
    proxies: ways.map((way) => ({ id: way.id, version: way.version() ?? 'unknown', setup: way.setup })),
    metrics: measured.map(({ id, unit }) => {
      const pairs = ways.map((way) => [way.id, figures.rounds(id, way.id)] as const);
      return { id, unit, values: Object.fromEntries(pairs.filter(([, rounds]) => rounds.length > 0)) };
    }),
    targets: judgeTargets(figures),
  };
}

/** The tables that a person reads: where it ran, the figures with their ratio to Squid, the targets. */
export function printReport({ ways, machine, ...facts }: RunFacts, figures: Figures): string {
  return [
    `${facts.date}  ${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, Node ${machine.node}`,
    ...(machine.load > 0.5
      ? [`The load was ${machine.load.toFixed(1)} at the start: the machine was not idle, take the figures as a hint.`]
      : []),
    ...(facts.quick ? ['A quick run, one short round: it shows that everything works, not how fast.'] : []),
    '',
    ...ways.map((way) => `${way.id} ${way.version()}: ${way.setup}`),
    '',
    figureTable(ways, figures),
    '',
    ...(ways.some(({ id }) => id === 'schoolgate') ? [targetTable(judgeTargets(figures)), ''] : []),
  ].join('\n');
}

function figureTable(ways: readonly Way[], figures: Figures): string {
  const head = ['', 'unit', ...ways.map((way) => way.id)];
  const measured = METRICS.filter(({ id }) => ways.some((way) => figures.value(id, way.id) !== null));
  const rows = measured.map(({ id, title, unit, digits }) =>
    [title, unit].concat(ways.map((way) => figureCell(figures, id, way.id, digits))),
  );
  return table([head, ...rows]);
}

/** The median and, in brackets, how many times Squid's it is. */
function figureCell(figures: Figures, metric: MetricId, proxy: ProxyId, digits: number): string {
  const value = figures.value(metric, proxy);
  if (value === null) return '–';
  const ratio = figures.paired([metric, proxy], [metric, 'squid'], (a, b) => a / b);
  const shown = value.toFixed(digits);
  return ratio === null || proxy === 'squid' || !Number.isFinite(ratio) ? shown : `${shown} (${ratio.toFixed(2)})`;
}

function targetTable(targets: readonly Target[]): string {
  const rows = targets.map(({ title, limit, unit, value, met }) => [
    title,
    `at most ${limit} ${unit}`,
    value === null ? 'not measured' : `${value.toFixed(2)} ${unit}`,
    met === null ? '' : met ? 'met' : 'NOT MET',
  ]);
  return table([['Schoolgate’s targets', '', 'measured', ''], ...rows]);
}

/** Columns as wide as their widest cell; the first to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd();
  const [head, ...body] = rows.map(line);
  return [head, '-'.repeat(widths.reduce((sum, width) => sum + width + 2, -2)), ...body].join('\n');
}
