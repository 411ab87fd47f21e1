// console ──┬── record (SQLite) ── every room's use cases
//           ├── bus: events and segments up, signed snapshots down
//           ├── timetable, policy files
//           └── doors: pages and API for staff, the machine's own socket for commands
import { readFileSync, readdirSync } from 'node:fs';
import { checkAndAnchor } from '../audit/anchor-service.ts';
import { mailMonths } from '../audit/month-service.ts';
import { loadCatalogue } from '../categories/catalogue.ts';
import { readManifest } from '../categories/current-index.ts';
import { watchLists } from '../categories/watch-lists.ts';
import type { DataLayout } from '../config/data-layout.ts';
import type { Environment } from '../config/environment.ts';
import { createConsoleApp } from '../console/app.ts';
import { openDoors } from '../console/doors.ts';
import type { ListsStatus } from '../console/overview.ts';
import { callOutside } from '../delivery/outside-heartbeat.ts';
import { createDelivery } from '../delivery/service.ts';
import type { AlarmCode } from '../events/catalogue.ts';
import type { UpwardConsumer } from '../events/bus.ts';
import { openBus } from '../events/open-bus.ts';
import { importSegment } from '../history/import-segment.ts';
import { readQueries } from '../history/read-queries.ts';
import { followTimes } from '../jobs/follow.ts';
import { recordedRuns } from '../jobs/repository.ts';
import { type JobUseCases, type SchoolTimes, schoolJobs } from '../jobs/school-jobs.ts';
import { startTimetable } from '../jobs/timetable.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Problem } from '../kernel/errors.ts';
import { createIdMaker } from '../kernel/ids.ts';
import { watchSettled } from '../kernel/watch-folders.ts';
import { reportCrons, SHIPPED_REPORT_TIMES } from '../policy/report-times.ts';
import { watchPolicyFiles } from '../policy/watch.ts';
import { type Logger, createLogger } from '../telemetry/log.ts';
import { refreshTimes } from './console-lists.ts';
import { takeDueAlerts } from './concern-alerts.ts';
import { examine } from './doctor/doctor.ts';
import { consoleAnswers, startAnswering } from './console-answers.ts';
import type { ConsoleAnswers } from './console-questions.ts';
import { openConsoleRecord } from './console-record.ts';
import { type ConsoleRooms, DEFAULT_ZONE, buildRooms } from './console-rooms.ts';
import { IndexShelf, indexMark } from './index-shelf.ts';
import { createRebuilder } from './rebuild-index.ts';
import { dropFolderStatus, importDroppedRoster } from './dropped-roster.ts';

export interface ConsoleOptions {
  readonly clock: Clock;
  readonly log?: Logger;
}

/** A console that runs. */
export interface RunningConsole {
  readonly port: number;
  /** Where staff reach it, such as `http://127.0.0.1:8800`. */
  readonly url: string;
  /** For each role that nobody holds yet: a link to make its account, good once and for a day. */
  readonly firstLinks: readonly { readonly role: string; readonly url: string }[];
  /** Why the policy files cannot be used. */
  readonly problems: readonly Problem[];
  readonly lists: ListsStatus;
  /** Where those are reached who are to hear when something is out of order. */
  operators(): readonly string[];
  /** What gateways ask. */
  readonly answers: ConsoleAnswers;
  /** Looks at the policy files and the lists again. */
  reload(): void;
  /** Where the proxy of this machine listens. */
  setProxyPort(port: number): void;
  /** Closes in reverse order; resolves when everything is on disk. */
  stop(): Promise<void>;
}

/** Starts the console, in order; what was opened is closed again when a step fails. Rejects with what the step throws. */
export async function runConsole(environment: Environment, options: ConsoleOptions): Promise<RunningConsole> {
  const log = options.log ?? createLogger('console');
  await using opened = new AsyncDisposableStack();
  const early: [AlarmCode, string][] = [];
  const base = openConsoleRecord(environment, options.clock, (ms) =>
    early.push(['clock-stepped-back', `The clock stands ${Math.round(ms / 1000)} s before the last act on record.`]),
  );
  opened.defer(() => base.record.close());
  const bus = await openBus({
    ...base,
    redisUrl: environment.redisUrl,
    redisPrefix: environment.redisPrefix,
    onState: (error) =>
      error === null ? log.info('the bus is reachable') : log.warn({ err: error }, 'the bus is out of reach'),
  });
  const publisher = bus.publisher();
  opened.defer(() => publisher.close());
  const shelf = new IndexShelf(base.layout);
  const rebuild = (): Promise<readonly string[]> => building.rebuild();
  const rooms = buildRooms({ ...base, environment, publisher, index: () => shelf.snapshot, rebuild, log });
  opened.defer(() => rooms.publishing.close());
  startPublishing(environment, rooms, opened);
  const building = startBuilding(environment, rooms, shelf, log, opened);
  for (const alarm of early) rooms.safeguarding.raise(...alarm);
  await startConsuming(bus.consumer(), rooms, log, opened);
  startTelling(environment, rooms, log, opened);
  startJobs(environment, rooms, log, opened);
  const ending = setInterval(() => endOldDevices(rooms, log), END_DEVICES_MS);
  opened.defer(() => clearInterval(ending));
  const doors = await openConsoleDoors(environment, rooms, log);
  opened.defer(() => doors.close());
  base.record.write((tx) => base.audit.append(tx, { actor: 'console', action: 'console.started', subject: 'console' }));
  const answers = consoleAnswers(rooms, log);
  await startAnswering(bus, rooms, answers, opened);
  const running = opened.move();
  const url = consoleUrl(environment, doors.port);
  return {
    port: doors.port,
    url,
    firstLinks: rooms.accounts.makeFirstLinks().map(({ role, token }) => ({ role, url: `${url}/join/${token}` })),
    problems: rooms.policy.status().problems,
    lists: listsStatus(environment, base.layout),
    operators: () => rooms.alertWatch.mailboxes(),
    answers,
    setProxyPort: rooms.setProxyPort,
    reload() {
      rooms.policy.look();
      void building.look();
    },
    async stop() {
      base.record.write((tx) =>
        base.audit.append(tx, { actor: 'console', action: 'console.stopped', subject: 'console' }),
      );
      await running.disposeAsync();
    },
  };
}

/** How often sign-ins on devices that are over are looked for, ms. */
const END_DEVICES_MS = 10_000;
/** How far back the console's pages speak of a roster that was refused. */
const MONTH_MS = 31 * 86_400_000;

function endOldDevices({ devices }: ConsoleRooms, log: Logger): void {
  try {
    devices.endOld();
  } catch (error) {
    log.error({ err: error }, 'sign-ins on devices could not be ended; it is tried again');
  }
}

/** What is in force goes out first: what a crash left between commit and bus, and what a bus may have lost. */
function startPublishing(environment: Environment, rooms: ConsoleRooms, opened: AsyncDisposableStack): void {
  const { record, publishing, policy } = rooms;
  if (publishing.serial('live') === 0) record.write((tx) => publishing.callFor(tx, 'live'));
  opened.defer(watchPolicyFiles([environment.policyDir, environment.listsDir], () => policy.look()));
  policy.look();
  void publishing.resend();
}

interface Building {
  /** Builds the index where lists have changed; tells of what an adult should know, and gives it. */
  rebuild(): Promise<readonly string[]>;
  /** The same for whoever does not wait for it; never rejects. */
  look(): Promise<void>;
}

/**
 * The console owns the category index: it is built where lists have changed, now and whenever a file of theirs is saved, and sent to
 * the gateways whoever has built it.
 */
function startBuilding(
  { listsDir }: Environment,
  { layout, record, publishing, safeguarding }: ConsoleRooms,
  shelf: IndexShelf,
  log: Logger,
  opened: AsyncDisposableStack,
): Building {
  let published = Promise.resolve();
  const publishOnce = async (): Promise<void> => {
    try {
      if (!(await shelf.look())) return;
      record.write((tx) => publishing.callFor(tx, 'index'));
      void publishing.send();
    } catch (error) {
      log.error({ err: error }, 'the category index could not be published');
    }
  };
  const publish = (): Promise<void> => (published = publishOnce());
  const rebuilder = createRebuilder({ listsDir, layout, publish });
  // Whoever waited for the same build is given the same alarms.
  const told = new WeakSet<readonly string[]>();
  const rebuild = async (): Promise<readonly string[]> => {
    const alarms = await rebuilder.rebuild();
    if (!told.has(alarms)) for (const text of alarms) safeguarding.raise('list-from-last-good', text);
    told.add(alarms);
    return alarms;
  };
  const look = async (): Promise<void> => {
    try {
      await rebuild();
    } catch (error) {
      log.error({ err: error }, 'the lists could not be looked at');
    }
  };
  opened.defer(() => published);
  opened.defer(() => rebuilder.close());
  opened.defer(
    watchSettled(
      [layout.index],
      () => indexMark(layout),
      () => void publish(),
    ),
  );
  opened.defer(watchLists(listsDir, () => void look()));
  void publish().then(look);
  return { rebuild, look };
}

async function startConsuming(
  consumer: UpwardConsumer,
  { safeguarding, alerts, alertWatch, layout, record, clock }: ConsoleRooms,
  log: Logger,
  opened: AsyncDisposableStack,
): Promise<void> {
  const orLog = async (what: string, work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      log.error({ err: error }, `${what} could not be kept; it is tried again`);
      throw error;
    }
  };
  opened.defer(() => consumer.close());
  await consumer.start({
    events: (batch) =>
      orLog('a batch of events', () => {
        safeguarding.take(batch.map(({ json }) => json));
        takeDueAlerts(record, alerts, clock);
        alertWatch.heard();
      }),
    segment: (segment) =>
      orLog('a history segment', async () => {
        const outcome = await importSegment(layout.history, segment);
        alertWatch.heard();
        if (outcome === 'refused') log.warn({ segment: segment.name }, 'a segment without a proper name was refused');
        else safeguarding.takeSearches(await readQueries(segment.bytes));
        takeDueAlerts(record, alerts, clock);
      }),
  });
}

/** How often it is looked whether somebody else is to be told, ms. */
const TELL_MS = 5_000;
/** How often the address outside the school is called, ms. */
const OUTSIDE_MS = 5 * 60_000;

/** Sends what waits, from this run and from those before. */
function startTelling(
  { heartbeatUrl }: Environment,
  { record, clock, alerts, alertWatch, deliveries, webhooks }: ConsoleRooms,
  log: Logger,
  opened: AsyncDisposableStack,
): void {
  opened.defer(() => webhooks.close());
  opened.defer(() => deliveries.close());
  deliveries.start();
  const look = (): void => {
    try {
      takeDueAlerts(record, alerts, clock);
      alerts.escalate();
      alertWatch.look();
    } catch (error) {
      log.error({ err: error }, 'alerts could not be looked after; it is tried again');
    }
  };
  const timer = setInterval(look, TELL_MS);
  opened.defer(() => clearInterval(timer));
  if (heartbeatUrl === null) return;
  const call = (): void => {
    // Whoever waits outside is told that something is wrong by our silence.
    if (!alertWatch.isWell()) return;
    callOutside(heartbeatUrl).catch((error: unknown) => log.warn({ err: error }, 'the outside was not told'));
  };
  call();
  const outside = setInterval(call, OUTSIDE_MS);
  opened.defer(() => clearInterval(outside));
}

/** How soon the timetable follows the policy in force, ms. */
const FOLLOW_MS = 5_000;

function startJobs(environment: Environment, rooms: ConsoleRooms, log: Logger, opened: AsyncDisposableStack): void {
  const { record, audit, layout, clock, policy, unblocks, listUpdates, directory, safeguarding, backups } = rooms;
  const { historyUpkeep, retention, policyMail, monthReports, keptReports } = rooms;
  const { listsDir } = environment;
  const delivery = createDelivery({ ...environment, outbox: layout.outbox, clock, newId: createIdMaker(clock) });
  const useCases: JobUseCases = {
    weeklyReport: (due) => keptReports.weekly(due),
    dailyDigest: (due) => keptReports.digest(due),
    governorsReport: (due) => keptReports.governors(due),
    expireUnblocks: async () => {
      unblocks.remind();
      unblocks.noteExpired();
      await unblocks.noteOutcomes();
    },
    anchorAudit: () =>
      checkAndAnchor({
        record,
        audit,
        clock,
        delivery,
        file: environment.auditAnchor ?? layout.auditAnchors,
        mailTo: environment.auditAnchorMail,
        raise: (text) => safeguarding.raise('audit-broken', text),
      }),
    dailyBackup: (due) => backups.daily(due),
    importRoster: () =>
      importDroppedRoster({
        folder: layout.rosterDrop,
        directory,
        raise: (code, text) => safeguarding.raise(code, text),
      }),
    convertHistory: () => historyUpkeep.convert(),
    deleteOld: () => retention.run(),
    reviewEmergencies: async (due) => policyMail.remindOfEmergencies(due),
    mailMonths: async (due) => mailMonths(monthReports, due),
    selfTest: () => rooms.checks.selfTest(null),
    remindChecks: async () => rooms.checks.remind(),
    watchLists: () => listUpdates.watch(),
    refreshLists: (refresh, due) => listUpdates.refresh(refresh, due),
  };
  const times = (): SchoolTimes => {
    const { timeZone: zone = DEFAULT_ZONE, reports = SHIPPED_REPORT_TIMES } = policy.published()?.snapshot ?? {};
    return { zone, reports: reportCrons(reports) };
  };
  const jobs = () => schoolJobs(times(), refreshTimes(listsDir), useCases);
  const timetable = startTimetable(jobs(), {
    clock,
    lastRuns: recordedRuns(record),
    onFailure: (job, error, nextTry) => log.error({ err: error, job, nextTry }, 'a job failed; it is tried again'),
  });
  opened.defer(() => timetable.stop());
  // Before the timetable, which waits for what is under way.
  opened.defer(() => listUpdates.stop());
  opened.defer(() => historyUpkeep.stop());
  opened.defer(() => rooms.stopReports());
  opened.defer(watchPolicyFiles([listsDir], () => timetable.replace(jobs())));
  // A policy comes into force in several ways: whichever it was, the timetable follows.
  opened.defer(followTimes(times, () => timetable.replace(jobs()), FOLLOW_MS));
}

async function openConsoleDoors(
  environment: Environment,
  rooms: ConsoleRooms,
  log: Logger,
): ReturnType<typeof openDoors> {
  const { layout, policy, safeguarding, clock } = rooms;
  const { tls, consoleHost: host, consolePort: port } = environment;
  const inForce = () => policy.published()?.snapshot ?? null;
  const app = await createConsoleApp({
    ...rooms,
    newId: createIdMaker(clock),
    policyInForce: inForce,
    levelTitle: (level) => inForce()?.levels[level]?.title ?? level,
    timeZone: () => inForce()?.timeZone ?? DEFAULT_ZONE,
    school: () => inForce()?.school ?? null,
    lists: () => listsStatus(environment, layout),
    // The whole chain takes long, and every page would wait for it.
    examine: () => examine(environment, clock, ['audit']),
    machine: () => ({
      sendsMail: environment.smtpUrl !== null,
      hasIllegalList: readManifest(layout)?.illegal !== undefined,
      hasTraffic: readdirSync(layout.history).length > 0,
    }),
    dropFolder: () => dropFolderStatus(layout.rosterDrop, safeguarding.alarms(clock() - MONTH_MS, clock() + 1)),
    // Fastify tells of each start at `info`; the supervisor prints where the console is.
    log: log.child({}, { level: 'warn' }),
    tls: tls === null ? null : { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) },
  });
  return await openDoors(app, { host, port, socket: layout.consoleSocket });
}

/** What the index in force was built from. */
function listsStatus({ listsDir }: Environment, layout: DataLayout): ListsStatus {
  try {
    loadCatalogue(listsDir);
    const manifest = readManifest(layout);
    const lists = manifest?.lists ?? [];
    const names = lists.reduce((sum, list) => sum + list.accepted, 0);
    return { names, lists, illegalListLoaded: manifest?.illegal !== undefined, problem: null };
  } catch (error) {
    return { names: 0, lists: [], illegalListLoaded: false, problem: (error as Error).message };
  }
}

function consoleUrl({ tls, consoleHost }: Environment, port: number): string {
  const host = consoleHost === '0.0.0.0' || consoleHost === '::' ? '127.0.0.1' : consoleHost;
  return `${tls === null ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
