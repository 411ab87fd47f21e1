import type { Job } from './timetable.ts';

/** The use cases the timetable calls; each rooms' own. */
export interface JobUseCases {
  /** Makes and sends the report of the week before `due` (ms). */
  readonly weeklyReport: (due: number) => Promise<unknown>;
  /** Writes down that unblocks have ended. Gateways end them by their own clocks. */
  readonly expireUnblocks: (now: number) => Promise<unknown>;
}

/** Everything the console does by the clock. `zone`: the school's. */
export function schoolJobs(zone: string, useCases: JobUseCases): Job[] {
  return [
    // Every week has its report, also the weeks in which the machine was off: a gap would look like nothing happened.
    // Ten minutes: the history that waited in gateways' spools has to come in first.
    {
      name: 'weekly-report',
      cron: '0 7 * * 1',
      zone,
      missed: 'each',
      settleMs: 10 * 60_000,
      run: useCases.weeklyReport,
    },
    // What has ended has ended: one look writes down all of it.
    {
      name: 'unblock-expiry',
      cron: '* * * * *',
      zone: 'UTC',
      missed: 'latest',
      settleMs: 0,
      run: useCases.expireUnblocks,
    },
  ];
}
