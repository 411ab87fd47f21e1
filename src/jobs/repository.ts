import type { RecordDatabase } from '../store/database.ts';
import type { LastRuns } from './timetable.ts';

/** Last runs on the record, so that a restart knows what was missed. */
export function recordedRuns(record: RecordDatabase): LastRuns {
  return {
    get(job) {
      const row = record.read((tx) => tx.get('SELECT due FROM job_runs WHERE job = ?', job));
      return row === undefined ? null : Number(row['due']);
    },
    set(job, due) {
      record.write((tx) =>
        tx.run(
          'INSERT INTO job_runs (job, due) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET due = excluded.due',
          job,
          due,
        ),
      );
    },
  };
}
