import type { IndexedList } from '../categories/match.ts';
import type { Clock } from '../kernel/clock.ts';
import { Gauge, type Registry } from '../telemetry/metrics.ts';

/** What is told of a list. */
export type MeasuredList = Pick<IndexedList, 'id' | 'accepted' | 'loadedAt' | 'fromLastGood'>;

/** How old and how big each list in force is; of several workers the worst is told. Lists are as many as the catalogue names. */
export function addListMetrics(registry: Registry, lists: () => readonly MeasuredList[], clock: Clock): void {
  const add = (name: string, help: string, aggregator: 'min' | 'max', read: (list: MeasuredList) => number): void => {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: ['list'],
      registers: [],
      aggregator,
      collect: () => {
        // A list that is not in force any more must not go on getting older.
        gauge.reset();
        for (const list of lists()) gauge.set({ list: list.id }, read(list));
      },
    });
    registry.registerMetric(gauge);
  };
  add('schoolgate_list_entries', 'Entries of each list in force.', 'min', ({ accepted }) => accepted);
  add('schoolgate_list_age_seconds', 'Age of the content of each list in force.', 'max', ({ loadedAt }) =>
    Math.max(0, Math.round((clock() - Date.parse(loadedAt)) / 1000)),
  );
  add(
    'schoolgate_list_from_last_good',
    '1: the source of the list cannot be used, and its last good copy stands in.',
    'max',
    ({ fromLastGood }) => (fromLastGood ? 1 : 0),
  );
}
