import {
  AggregatorRegistry,
  Counter,
  Gauge,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';

export { Counter, Gauge, Registry };

/** The metrics of one process as they travel to the supervisor. Labels are of low cardinality: never a host or a person. */
export type MetricsReport = MetricObjectWithValues<MetricValue<string>>[];

export function reportMetrics(registry: Registry): Promise<MetricsReport> {
  return registry.getMetricsAsJSON();
}

/** Sums the reports of several processes into Prometheus text (version 0.0.4). */
export function sumMetrics(reports: readonly MetricsReport[]): Promise<string> {
  return AggregatorRegistry.aggregate([...reports]).metrics();
}
