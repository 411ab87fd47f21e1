import type { Job } from './timetable.ts';

/** The use cases the timetable calls; each rooms' own. */
export interface JobUseCases {
  /** Makes and sends the report of the week before `due` (ms). */
  readonly weeklyReport: (due: number) => Promise<unknown>;
  /** What happened to concerns in the day before `due`. */
  readonly dailyDigest: (due: number) => Promise<unknown>;
  /** The month before `due`, for governors and school leaders. */
  readonly governorsReport: (due: number) => Promise<unknown>;
  /** Writes down that unblocks have ended. Gateways end them by their own clocks. */
  readonly expireUnblocks: (now: number) => Promise<unknown>;
  /** Puts changed lists on record and looks after those that were not fetched. */
  readonly watchLists: (now: number) => Promise<unknown>;
  /** Fetches all lists of one time of the catalogue. */
  readonly refreshLists: (refresh: string, due: number) => Promise<unknown>;
  /** Keeps a backup of the day. */
  readonly dailyBackup: (due: number) => Promise<unknown>;
  /** Makes Parquet of the access history that came in. */
  readonly convertHistory: (now: number) => Promise<unknown>;
  /** Checks the record of acts and writes its end down elsewhere. */
  readonly anchorAudit: (due: number) => Promise<unknown>;
  /** Deletes data whose time has come. */
  readonly deleteOld: (due: number) => Promise<unknown>;
  /** Mails of policy changes that one person made in an emergency and nobody has reviewed. */
  readonly reviewEmergencies: (due: number) => Promise<unknown>;
  /** Mails what the network manager did in the month before `due` (ms). */
  readonly mailMonths: (due: number) => Promise<unknown>;
  /** Tries at every level that the filter does what it should. */
  readonly selfTest: (due: number) => Promise<unknown>;
  /** Reminds of checks that are overdue. */
  readonly remindChecks: (due: number) => Promise<unknown>;
  /** Imports the roster that lies in the drop folder. */
  readonly importRoster: (due: number) => Promise<unknown>;
}

/** When lists are fetched: the times of the catalogue, five-field cron in UTC, each once. */
export type RefreshTimes = readonly string[];

/** Before the backup, which should not hold what has just gone; the page that says so names the next time. */
export const RETENTION_CRON = '50 2 * * *';

/** When things are done, as the school has it. `zone`: of its clocks (IANA). */
export interface SchoolTimes {
  readonly zone: string;
  /** Five-field cron of each report. */
  readonly reports: Readonly<Record<'weekly' | 'digest' | 'governors', string>>;
}

/** Everything the console does by the clock. */
export function schoolJobs(times: SchoolTimes, refreshTimes: RefreshTimes, useCases: JobUseCases): Job[] {
  const { zone, reports } = times;
  return [
    // Every week has its report, also the weeks in which the machine was off: a gap would look like nothing happened.
    // Ten minutes: the history that waited in gateways' spools has to come in first.
    {
      name: 'weekly-report',
      cron: reports.weekly,
      zone,
      missed: 'each',
      settleMs: 10 * 60_000,
      run: useCases.weeklyReport,
    },
    // Every day, also when there is nothing: only then does a day without it mean something.
    {
      name: 'daily-digest',
      cron: reports.digest,
      zone,
      missed: 'each',
      settleMs: 10 * 60_000,
      run: useCases.dailyDigest,
    },
    {
      name: 'governors-report',
      cron: reports.governors,
      zone,
      missed: 'each',
      settleMs: 10 * 60_000,
      run: useCases.governorsReport,
    },
    // The newest roster stands for all that were missed. Before the school day, and not in the hour that clocks change.
    {
      name: 'roster-import',
      cron: '30 2 * * *',
      zone,
      missed: 'latest',
      settleMs: 60_000,
      run: useCases.importRoster,
    },
    // After a backup was restored as well: what it brought back goes within minutes.
    {
      name: 'retention',
      cron: RETENTION_CRON,
      zone,
      missed: 'latest',
      settleMs: 2 * 60_000,
      run: useCases.deleteOld,
    },
    // At night, when least is written; after the roster, so that it is in it.
    {
      name: 'daily-backup',
      cron: '30 3 * * *',
      zone,
      missed: 'latest',
      settleMs: 5 * 60_000,
      run: useCases.dailyBackup,
    },
    // Before the backup, which carries the anchors, too.
    {
      name: 'audit-anchor',
      cron: '10 3 * * *',
      zone,
      missed: 'latest',
      settleMs: 2 * 60_000,
      run: useCases.anchorAudit,
    },
    // Before the school day begins. One mail speaks for the mornings that were missed.
    {
      name: 'emergency-review',
      cron: '15 7 * * *',
      zone,
      missed: 'latest',
      settleMs: 60_000,
      run: useCases.reviewEmergencies,
    },
    // Every month, also one in which the machine was off on its first day.
    { name: 'managers-month', cron: '20 7 1 * *', zone, missed: 'each', settleMs: 60_000, run: useCases.mailMonths },
    // Before lessons begin, so that somebody can see to what it finds. One is as good as those that were missed.
    {
      name: 'self-test',
      cron: '10 7 * * 1-5',
      zone,
      missed: 'latest',
      settleMs: 5 * 60_000,
      run: useCases.selfTest,
    },
    {
      name: 'check-reminder',
      cron: '45 7 * * 1-5',
      zone,
      missed: 'latest',
      settleMs: 10 * 60_000,
      run: useCases.remindChecks,
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
    {
      name: 'list-watch',
      cron: '* * * * *',
      zone: 'UTC',
      missed: 'latest',
      settleMs: 0,
      run: useCases.watchLists,
    },
    // One run converts all that has come in. In the minutes after the hour everybody else has something to do.
    {
      name: 'history-conversion',
      cron: '23 * * * *',
      zone: 'UTC',
      missed: 'latest',
      settleMs: 5 * 60_000,
      run: useCases.convertHistory,
    },
    // A list that was fetched this morning is as good as one that was fetched on each morning of the holidays.
    ...refreshTimes.map((refresh): Job => ({
      name: `list-refresh ${refresh}`,
      cron: refresh,
      zone: 'UTC',
      missed: 'latest',
      settleMs: 60_000,
      run: (due) => useCases.refreshLists(refresh, due),
    })),
  ];
}
