import t from 'tap';
import { followTimes } from '../../src/jobs/follow.ts';
import type { Heartbeat } from '../../src/jobs/cron.ts';
import { everyMinute, readSlots, slotAfter, slotBefore } from '../../src/jobs/cron.ts';
import { type JobUseCases, schoolJobs } from '../../src/jobs/school-jobs.ts';
import { type Job, type LastRuns, startTimetable } from '../../src/jobs/timetable.ts';
import { reportCrons, type ReportTimes, SHIPPED_REPORT_TIMES } from '../../src/policy/report-times.ts';
import { until } from '../helpers/until.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ZONE = 'Europe/London';

/** A clock that the test turns, with a heartbeat at every step, and runs that are remembered as the record would. */
function world(now: string, lastRuns: Record<string, number> = {}) {
  let at = Date.parse(now);
  let beat: () => void = () => undefined;
  const kept = new Map(Object.entries(lastRuns));
  const store: LastRuns = { get: (job) => kept.get(job) ?? null, set: (job, due) => void kept.set(job, due) };
  const failures: { job: string; error: unknown; nextTry: number }[] = [];
  const heartbeat: Heartbeat = (given) => {
    beat = given;
    return { stop: () => (beat = () => undefined) };
  };
  return {
    ports: {
      clock: () => at,
      lastRuns: store,
      onFailure: (job: string, error: unknown, nextTry: number) => void failures.push({ job, error, nextTry }),
      heartbeat,
    },
    kept,
    failures,
    until: async (time: string, step = MINUTE): Promise<void> => {
      await settled();
      for (const end = Date.parse(time); at < end;) {
        at = Math.min(end, at + step);
        beat();
        await settled();
      }
    },
  };
}

/** Lets everything that is not waiting for the outside run to its end. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function job(runs: number[], more: Partial<Job> = {}): Job {
  return {
    name: 'weekly-report',
    cron: '0 7 * * 1',
    zone: ZONE,
    missed: 'each',
    settleMs: 0,
    run: async (due) => void runs.push(due),
    ...more,
  };
}

function times(runs: readonly number[]): string[] {
  return runs.map((due) => new Date(due).toISOString().slice(0, 16));
}

await t.test('a job runs once when it is due, on the school’s clocks, winter and summer', async (t) => {
  const runs: number[] = [];
  const { ports, until } = world('2026-10-18T12:00:00Z');
  const timetable = startTimetable([job(runs)], ports);
  await until('2026-11-03T00:00:00Z', 7 * MINUTE);
  t.same(times(runs), ['2026-10-19T06:00', '2026-10-26T07:00', '2026-11-02T07:00']);
  await timetable.stop();
});

await t.test('a job that never ran has missed nothing', async (t) => {
  const runs: number[] = [];
  const { ports, kept, until } = world('2026-11-23T07:00:30Z');
  const timetable = startTimetable([job(runs)], ports);
  await until('2026-11-23T12:00:00Z');
  t.same(runs, []);
  t.equal(kept.get('weekly-report'), Date.parse('2026-11-23T07:00:00Z'));
  await timetable.stop();
});

await t.test('missed runs are made up at the start: each of them, or the latest', async (t) => {
  const lastRun = Date.parse('2026-11-02T07:00:00Z');
  const each: number[] = [];
  const latest: number[] = [];
  const jobs = [job(each), job(latest, { name: 'latest', missed: 'latest' })];
  const { ports, kept, until } = world('2026-11-25T15:00:00Z', { 'weekly-report': lastRun, latest: lastRun });
  const timetable = startTimetable(jobs, ports);
  await settled();
  t.same(times(each), ['2026-11-09T07:00', '2026-11-16T07:00', '2026-11-23T07:00']);
  t.same(times(latest), ['2026-11-23T07:00']);
  await until('2026-11-26T00:00:00Z', 60 * MINUTE);
  t.equal(each.length + latest.length, 4, 'and not again');
  t.equal(kept.get('weekly-report'), Date.parse('2026-11-23T07:00:00Z'));
  await timetable.stop();

  const again: number[] = [];
  const restarted = startTimetable([job(again)], ports);
  await settled();
  t.same(again, [], 'nor after a restart');
  await restarted.stop();
});

await t.test('years of silence are not made up: a month is', async (t) => {
  const runs: number[] = [];
  const { ports } = world('2026-11-25T15:00:00Z', { 'weekly-report': 0 });
  const timetable = startTimetable([job(runs)], ports);
  await settled();
  t.equal(runs.length, 5);
  await timetable.stop();
});

await t.test('a run that fails is tried again with growing pauses, and the others do not wait for it', async (t) => {
  const tried: number[] = [];
  const other: number[] = [];
  let broken = true;
  const failing = job([], {
    run: async () => {
      tried.push(0);
      if (broken) throw new Error('no mail server');
    },
  });
  const world1 = world('2026-11-23T06:59:00Z', { 'weekly-report': Date.parse('2026-11-16T07:00:00Z') });
  const timetable = startTimetable(
    [failing, job(other, { name: 'minute', cron: '* * * * *', zone: 'UTC', missed: 'latest' })],
    world1.ports,
  );
  await world1.until('2026-11-23T07:10:00Z');
  t.same(
    world1.failures.map(({ nextTry }) => new Date(nextTry).toISOString().slice(11, 16)),
    ['07:01', '07:03', '07:07', '07:15'],
  );
  t.match(world1.failures[0], { job: 'weekly-report', error: /no mail server/ });
  t.equal(other.length, 11);
  await world1.until('2026-11-24T07:00:00Z');
  const last = world1.failures.slice(-2).map(({ nextTry }) => nextTry);
  t.equal(last[1]! - last[0]!, 60 * MINUTE, 'an hour apart at most');
  t.equal(world1.kept.get('weekly-report'), Date.parse('2026-11-16T07:00:00Z'), 'it does not count as run');
  broken = false;
  const before = tried.length;
  await world1.until('2026-11-25T07:00:00Z');
  t.equal(tried.length, before + 1, 'once it works it is done');
  t.equal(world1.kept.get('weekly-report'), Date.parse('2026-11-23T07:00:00Z'));
  await timetable.stop();
});

await t.test('a slow run is not overtaken by its next, and stopping waits for it', async (t) => {
  const begun: number[] = [];
  const gate = Promise.withResolvers<void>();
  const slow = job([], {
    cron: '* * * * *',
    zone: 'UTC',
    missed: 'latest',
    run: (due) => {
      begun.push(due);
      return gate.promise;
    },
  });
  const { ports, kept, until } = world('2026-11-23T09:00:00Z', { 'weekly-report': Date.parse('2026-11-23T08:59:00Z') });
  const timetable = startTimetable([slow], ports);
  await until('2026-11-23T09:05:00Z');
  t.same(times(begun), ['2026-11-23T09:00']);
  let stopped = false;
  const stopping = timetable.stop().then(() => (stopped = true));
  await settled();
  t.equal(stopped, false);
  gate.resolve();
  await stopping;
  t.equal(kept.get('weekly-report'), Date.parse('2026-11-23T09:00:00Z'), 'what it did is on record');
  t.equal(begun.length, 1, 'and nothing new began');
});

await t.test('a record that cannot be read or written is a failure, not a crash', async (t) => {
  const { ports, failures } = world('2026-11-23T09:00:00Z');
  const broken: LastRuns = {
    get: () => {
      throw new Error('disk full');
    },
    set: () => undefined,
  };
  const timetable = startTimetable([job([])], { ...ports, lastRuns: broken });
  await settled();
  t.match(failures, [{ error: /disk full/ }]);
  await timetable.stop();
});

await t.test('a clock that is set back runs nothing twice', async (t) => {
  const runs: number[] = [];
  const { ports, kept } = world('2026-11-23T06:30:00Z', { 'weekly-report': Date.parse('2026-11-23T07:00:00Z') });
  const timetable = startTimetable([job(runs)], ports);
  await settled();
  t.same(runs, []);
  t.equal(kept.get('weekly-report'), Date.parse('2026-11-23T07:00:00Z'));
  await timetable.stop();
});

await t.test('a job that wants to settle waits after a start, and then makes up what it missed', async (t) => {
  const runs: number[] = [];
  const { ports, until } = world('2026-11-23T09:00:00Z', { 'weekly-report': Date.parse('2026-11-16T07:00:00Z') });
  const timetable = startTimetable([job(runs, { settleMs: 10 * MINUTE })], ports);
  await until('2026-11-23T09:09:00Z');
  t.same(runs, []);
  await until('2026-11-23T09:10:00Z');
  t.same(times(runs), ['2026-11-23T07:00']);
  await timetable.stop();
});

await t.test('a time that is not usable is refused', (t) => {
  const refused: [string, string, RegExp][] = [
    ['not cron', ZONE, /not five-field cron/],
    ['0 0 7 * * 1', ZONE, /not five-field cron/],
    ['61 * * * *', ZONE, /not five-field cron/],
    ['30 1 * * *', ZONE, /between 01:00 and 02:00/],
    ['*/10 * * * *', ZONE, /between 01:00 and 02:00/],
  ];
  for (const [cron, zone, expected] of refused) {
    t.throws(() => readSlots('x', cron, zone), { code: 'bad_timetable', message: expected }, cron);
  }
  readSlots('x', '*/10 * * * *', 'UTC').close();
  const { ports } = world('2026-11-23T09:00:00Z');
  t.throws(() => startTimetable([job([], { cron: '0 1 * * *' })], ports), { code: 'bad_timetable' });
  t.end();
});

await t.test('a timetable that changes while it runs', async (t) => {
  const runs: string[] = [];
  const one = (name: string, cron: string): Job =>
    job([], { name, cron, zone: 'UTC', run: async () => void runs.push(name) });
  const { ports, until } = world('2026-11-23T08:58:00Z', {
    stays: Date.parse('2026-11-23T08:00:00Z'),
    goes: Date.parse('2026-11-23T08:01:00Z'),
    comes: Date.parse('2026-11-22T09:00:00Z'),
  });
  const timetable = startTimetable([one('stays', '0 * * * *'), one('goes', '1 * * * *')], ports);
  await until('2026-11-23T09:00:00Z');
  t.same(runs, ['stays']);
  t.throws(() => timetable.replace([one('bad', 'never')]), { code: 'bad_timetable' });
  timetable.replace([one('stays', '0 * * * *'), one('comes', '30 8 * * *')]);
  await until('2026-11-23T10:00:00Z');
  t.same(runs, ['stays', 'comes', 'stays'], 'what it missed is made up, what went does not run');
  await timetable.stop();
});

await t.test('the next and the last time', async (t) => {
  const at = (text: string): number => Date.parse(text);
  const now = at('2026-11-23T09:00:30Z');
  t.equal(slotAfter('17 3 * * *', 'UTC', now), at('2026-11-24T03:17:00Z'));
  t.equal(slotBefore('17 3 * * *', 'UTC', now), at('2026-11-23T03:17:00Z'));
  t.equal(slotBefore('0 9 * * *', 'UTC', now), at('2026-11-23T09:00:00Z'), 'this minute');
  t.equal(slotAfter('0 9 * * *', 'UTC', now), at('2026-11-24T09:00:00Z'), 'is not after itself');
  t.equal(slotAfter('0 9 29 2 *', 'UTC', now), null);
});

await t.test('what the school’s timetable holds', async (t) => {
  const called: string[] = [];
  const jobs = schoolJobs({ zone: ZONE, reports: reportCrons(SHIPPED_REPORT_TIMES) }, ['17 3 * * *'], {
    weeklyReport: async (due) => void called.push(`report ${new Date(due).toISOString()}`),
    dailyDigest: async (due) => void called.push(`digest ${new Date(due).toISOString()}`),
    governorsReport: async (due) => void called.push(`governors ${new Date(due).toISOString()}`),
    expireUnblocks: async () => void called.push('expiry'),
    anchorAudit: async (due) => void called.push(`anchor ${new Date(due).toISOString()}`),
    dailyBackup: async (due) => void called.push(`backup ${new Date(due).toISOString()}`),
    importRoster: async (due) => void called.push(`roster ${new Date(due).toISOString()}`),
    reviewEmergencies: async (due) => void called.push(`review ${new Date(due).toISOString()}`),
    mailMonths: async (due) => void called.push(`month ${new Date(due).toISOString()}`),
    convertHistory: async () => undefined,
    deleteOld: async (due) => void called.push(`retention ${new Date(due).toISOString()}`),
    selfTest: async (due) => void called.push(`self-test ${new Date(due).toISOString()}`),
    remindChecks: async (due) => void called.push(`reminder ${new Date(due).toISOString()}`),
    watchLists: async () => void called.push('watch'),
    refreshLists: async (refresh, due) => void called.push(`${refresh} ${new Date(due).toISOString()}`),
  });
  const monday = Date.parse('2026-11-23T07:00:00Z');
  const { ports, until } = world('2026-11-23T06:50:00Z', {
    'weekly-report': monday - 7 * DAY,
    'unblock-expiry': monday - DAY,
    'roster-import': monday - DAY,
    'daily-backup': monday - DAY,
    retention: monday - DAY,
    'audit-anchor': monday - DAY,
    'emergency-review': monday - DAY,
    'managers-month': Date.parse('2026-10-01T06:20:00Z'),
    'list-watch': monday - DAY,
    'list-refresh 17 3 * * *': monday - 3 * DAY,
  });
  const timetable = startTimetable(jobs, ports);
  await until('2026-11-23T07:01:00Z');
  t.same(
    called.filter((name) => name !== 'expiry' && name !== 'watch'),
    [
      'roster 2026-11-23T02:30:00.000Z',
      'review 2026-11-22T07:15:00.000Z',
      'month 2026-11-01T07:20:00.000Z',
      '17 3 * * * 2026-11-23T03:17:00.000Z',
      'retention 2026-11-23T02:50:00.000Z',
      'anchor 2026-11-23T03:10:00.000Z',
      'backup 2026-11-23T03:30:00.000Z',
      'report 2026-11-23T07:00:00.000Z',
    ],
  );
  t.equal(called.length, 8 + 2 * 12, 'and the others at the start and each minute');
  await timetable.stop();
});

await t.test(
  'reports come when the school wants them, also where clocks change and after the time was moved',
  async (t) => {
    const times: ReportTimes = {
      digest: { at: 975, days: [0, 4] },
      weekly: { at: 120, day: 6 },
      governors: { at: 0, day: 28 },
    };
    t.strictSame(reportCrons(times), { digest: '15 16 * * 1,5', weekly: '0 2 * * 0', governors: '0 0 28 * *' });
    const called: string[] = [];
    const note = (name: string) => async (due: number) => void called.push(`${name} ${new Date(due).toISOString()}`);
    const use = new Proxy({} as JobUseCases, {
      get: (_, name) => (/Report|Digest/.test(String(name)) ? note(String(name)) : async () => {}),
    });
    const jobs = (reports: ReportTimes) => schoolJobs({ zone: ZONE, reports: reportCrons(reports) }, [], use);
    const from = Date.parse('2026-10-23T12:00:00Z');
    const names = ['weekly-report', 'daily-digest', 'governors-report'];
    const { ports, until } = world('2026-10-27T12:00:00Z', Object.fromEntries(names.map((name) => [name, from])));
    const timetable = startTimetable(jobs(times), ports);
    await until('2026-10-28T00:01:00Z', 5 * MINUTE);
    t.same(called.splice(0).sort(), [
      'dailyDigest 2026-10-23T15:15:00.000Z',
      'dailyDigest 2026-10-26T16:15:00.000Z',
      'governorsReport 2026-10-28T00:00:00.000Z',
      'weeklyReport 2026-10-25T02:00:00.000Z',
    ]);
    // From then on at noon. The noon that lies between is made up: a digest begins where the one before ended.
    timetable.replace(jobs({ ...times, digest: { at: 720 } }));
    await until('2026-10-28T13:00:00Z', 5 * MINUTE);
    await timetable.stop();
    t.same(called, ['dailyDigest 2026-10-27T12:00:00.000Z', 'dailyDigest 2026-10-28T12:00:00.000Z']);
  },
);

await t.test('the timetable follows what times are, once for each change', async (t) => {
  let at = 435;
  const seen: number[] = [];
  const looks: number[] = [];
  const stop = followTimes(
    () => (looks.push(at), { reports: { at } }),
    () => seen.push(at),
    1,
  );
  t.teardown(stop);
  const looked = async (): Promise<void> => {
    const before = looks.length;
    await until('it has looked again', () => looks.length > before + 2);
  };
  await looked();
  t.same(seen, []);
  at = 420;
  await looked();
  t.same(seen, [420]);
  stop();
});

await t.test('the real heartbeat can be stopped, and then nothing keeps the process', async (t) => {
  const timetable = startTimetable([job([])], { ...world('2026-11-23T06:58:00Z').ports, heartbeat: everyMinute });
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  await timetable.stop();
  const after = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  t.equal(before - after, 1);
});
