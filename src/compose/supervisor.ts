// supervisor ──┬── worker × N (the doors)      ── restarted when they die; limits, health and metrics are kept here
//              ├── relay (spool up, snapshots down)
//              ├── front desk (pages for everyone)
//              └── console (only `start`)
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { type DataLayout, dataLayout } from '../config/data-layout.ts';
import type { Environment } from '../config/environment.ts';
import { type AlarmCode, EVENT_VERSIONS, type EventEnvelope, type EventType } from '../events/catalogue.ts';
import { openSpool } from '../events/file-spool.ts';
import { recoverSpool } from '../events/recover-spool.ts';
import { isConsoleFolder, loadPublicKey } from '../events/signing.ts';
import { readLastGood } from '../events/snapshot-keeper.ts';
import type { Spool } from '../events/spool.ts';
import { LeaseBook, WHOLE_GATEWAY } from '../gateway/leases.ts';
import { type Clock, isoTime } from '../kernel/clock.ts';
import { createIdMaker, type IdMaker } from '../kernel/ids.ts';
import { KeptPasses, type Pass } from '../policy/passes.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Logger } from '../telemetry/log.ts';
import { CanaryWatch } from './canary.ts';
import { Child, type ChildEnvironment } from './child.ts';
import { type ConsoleDownMail, createConsoleDownMail } from './console-down-mail.ts';
import { ConsolePulse } from './console-pulse.ts';
import { askConsole, isForConsole } from './console-questions.ts';
import { DeviceActivity } from './device-activity.ts';
import type { FrontDeskOrders } from './frontdesk.ts';
import { gatewayName } from './gateway-name.ts';
import { keepHighestInstant, readHighestInstant } from './highest-instant.ts';
import { indexMark } from './index-shelf.ts';
import { supervisorSocket } from './preflight.ts';
import type { Message, ProcessLink } from './process-link.ts';
import type { RelayOrders } from './relay.ts';
import { until } from './until.ts';
import type { WorkerOrders } from './worker.ts';
import { WorkerPool } from './worker-pool.ts';

export interface SupervisorOptions {
  readonly environment: Environment;
  /** As the processes read it again that are started. */
  readonly env: ChildEnvironment;
  readonly role: 'start' | 'gateway';
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is known once everything runs; `console` and `front` are null where that process is not up yet. */
export interface Running {
  readonly proxyPort: number;
  readonly tlsPort: number | null;
  readonly workers: number;
  readonly console: Message | null;
  readonly front: Message | null;
  readonly policy: PolicySnapshot;
}

const DRAIN_MS = 10_000;
const START_MS = 15_000;
const FRONT_MS = 3_000;
const ALARMS_KEPT = 50;

/** Keeps a gateway's processes running, and everything that holds for the gateway as a whole. */
export class Supervisor {
  readonly #environment: Environment;
  readonly #env: ChildEnvironment;
  readonly #role: 'start' | 'gateway';
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #layout: DataLayout;
  readonly #gateway: string;
  readonly #ids: IdMaker;
  readonly #spool: Spool;
  readonly #workers: WorkerPool;
  readonly #canaries: CanaryWatch;
  readonly #alarms: { at: string; code: string; text: string }[] = [];
  readonly #lock = createServer((socket) => socket.destroy());
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #activity = new DeviceActivity();
  readonly #consolePulse: ConsolePulse;
  readonly #downMail: ConsoleDownMail;
  /** Who went on after which warning, for workers that are started again; forgotten with this process. */
  readonly #passes = new KeptPasses();
  readonly #warningKey = randomBytes(32).toString('base64');
  #relay: Child | null = null;
  #console: Child | null = null;
  #front: Child | null = null;
  #consoleReady: Message | null = null;
  #frontReady: Message | null = null;
  #policy: PolicySnapshot | null = null;
  #proxyPort: number;
  #tlsPort: number | null;
  #draining = false;
  #indexSeen = '';
  #highest = 0;

  constructor({ environment, env, role, clock, log }: SupervisorOptions) {
    this.#environment = environment;
    this.#env = env;
    this.#role = role;
    this.#clock = clock;
    this.#log = log;
    this.#layout = dataLayout(environment.dataDir);
    this.#gateway = gatewayName(this.#layout);
    this.#ids = createIdMaker(clock);
    this.#proxyPort = environment.proxyPort;
    this.#tlsPort = environment.httpsProxyPort;
    this.#workers = new WorkerPool({
      count: environment.workers,
      env,
      clock,
      book: new LeaseBook((key) => {
        const network = this.#policy!.network;
        return key === WHOLE_GATEWAY ? network.connections : network.connectionsPerClient;
      }),
      orders: (worker) => this.#orders(worker),
      onMessage: (message, answer) => this.#onWorker(message, answer),
      onListening: (port, tlsPort) => {
        this.#proxyPort = port;
        this.#tlsPort = tlsPort;
        this.#tellOwnPorts();
        this.#tellConsolePorts();
        for (const pass of this.#passes.inForce(clock())) this.#workers.tell({ type: 'pass', pass });
      },
      onStuck: (worker) =>
        this.alarm('worker-stuck', `Worker ${worker} hung and gave no sign for 10 seconds; it is started again.`),
      onDied: (worker, how, heard) => this.#onWorkerDied(worker, how, heard),
      onCrashLoop: (worker, deaths) =>
        this.alarm('worker-crash-loop', `Worker ${worker} died ${deaths} times within a minute.`),
    });
    this.#canaries = new CanaryWatch({
      layout: this.#layout,
      clock,
      host: environment.proxyHost,
      port: () => this.#proxyPort,
      onAlarm: (code, text) => this.alarm(code, text),
      renew: () => this.#workers.tell({ type: 'snapshots', kind: 'index' }),
    });
    this.#consolePulse = new ConsolePulse(clock);
    this.#downMail = createConsoleDownMail({
      environment,
      layout: this.#layout,
      clock,
      newId: this.#ids,
      policy: () => this.#policy,
      log,
    });
    this.#spool = openSpool({
      layout: this.#layout,
      gateway: this.#gateway,
      worker: 0,
      clock,
      ids: this.#ids,
      onAlarm: (code, text) => this.alarm(code, text),
    });
  }

  /** Starts everything in order; resolves when the doors are open. Rejects when they cannot be. */
  async start(): Promise<Running> {
    await this.#holdLock();
    const recovered = await recoverSpool(this.#layout);
    for (const problem of recovered.problems) this.#log.warn(problem);
    this.#highest = readHighestInstant(this.#layout);
    if (this.#role === 'start') {
      this.#console = this.#child('console', './console-process.ts', (link) => this.#onConsole(link));
      this.#console.start();
    }
    this.#relay = this.#child('relay', './relay-process.ts', (link) => this.#onRelay(link));
    this.#relay.start();
    // The console publishes the first policy and index; a gateway that already has them does not wait for it.
    await this.#waitForConsole();
    this.#front = this.#child('front desk', './frontdesk-process.ts', (link) => this.#onFront(link));
    this.#front.start();
    // Pages are worth a moment, not the school's access: a front desk that does not come up is started again meanwhile.
    await until(() => this.#frontReady !== null, FRONT_MS, this.#clock);
    await this.#workers.start();
    // Where any free port was asked for, the front desk learns only now where it sends devices.
    this.#front.link?.tell({ type: 'ports', proxyPort: this.#proxyPort, tlsPort: this.#tlsPort });
    this.#indexSeen = indexMark(this.#layout);
    this.#timers.push(
      setInterval(() => this.#watch(), 1_000),
      setInterval(() => this.#keepHighestInstant(), 60_000),
      setInterval(() => this.#tellOfMinute(), 60_000),
    );
    void this.#canaries.look();
    // Only for what is printed: the doors are open.
    if (this.#console !== null) await until(() => this.#consoleReady !== null, START_MS, this.#clock);
    return {
      proxyPort: this.#proxyPort,
      tlsPort: this.#tlsPort,
      workers: this.#workers.size,
      console: this.#consoleReady,
      front: this.#frontReady,
      policy: this.#policy!,
    };
  }

  /** Has the console look at policies and lists again (SIGHUP); a gateway is sent them. */
  reload(): void {
    this.#console?.link?.tell({ type: 'reload' });
  }

  /** Drains the workers, then stops the rest. Gives how many connections were cut at the deadline. */
  async stop(): Promise<number> {
    this.#draining = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#canaries.stop();
    this.#downMail.stop();
    this.#keepHighestInstant();
    const cut = await this.#workers.drain(DRAIN_MS);
    await this.#spool.close();
    for (const child of [this.#front, this.#relay, this.#console]) {
      child?.link?.tell({ type: 'stop' });
      await child?.stop(5_000);
    }
    this.#lock.close();
    rmSync(supervisorSocket(this.#layout), { force: true });
    return cut;
  }

  /** A condition a person must look at: logged, told to the console as an event, shown by /health. */
  alarm(code: AlarmCode, text: string): void {
    this.#log.warn({ code }, text);
    const at = isoTime(this.#clock());
    this.#alarms.unshift({ at, code, text });
    this.#alarms.length = Math.min(this.#alarms.length, ALARMS_KEPT);
    const data = { gateway: this.#gateway, code, text };
    void this.#spool.event({ id: this.#ids(), type: 'alarm', v: EVENT_VERSIONS.alarm, at, data });
  }

  #holdLock(): Promise<void> {
    const path = supervisorSocket(this.#layout);
    rmSync(path, { force: true });
    return new Promise((resolve, reject) => {
      this.#lock.once('error', reject).listen(path, resolve);
    });
  }

  async #waitForConsole(): Promise<void> {
    this.#readPolicy();
    const isComplete = (): boolean => this.#policy !== null && indexMark(this.#layout) !== '';
    if (this.#role === 'gateway') {
      if (!isComplete()) this.#log.warn('the doors stay closed until policy and index have come from the console');
      await until(isComplete, Number.POSITIVE_INFINITY, this.#clock);
    }
    await until(isComplete, START_MS, this.#clock);
    if (!isComplete()) throw new Error('the console has not published policy and index; its messages above say why');
  }

  #readPolicy(): void {
    this.#policy = readLastGood(this.#layout, 'policy', loadPublicKey(this.#layout))?.body ?? this.#policy;
  }

  #child(name: string, module: string, onStart: (link: ProcessLink) => void): Child {
    return new Child({
      name,
      module: new URL(module, import.meta.url),
      env: this.#env,
      clock: this.#clock,
      onStart,
      onDied: async (how) => this.#log.error({ child: name, how }, 'a process died; it is started again'),
      onCrashLoop: (deaths) =>
        this.alarm('worker-crash-loop', `The ${name} process died ${deaths} times within a minute.`),
    });
  }

  #onConsole(link: ProcessLink): void {
    this.#consoleReady = null;
    this.#consolePulse.started();
    link.onMessage((message) => {
      this.#onAlarm(message);
      if (message.type === 'pulse') {
        this.#consolePulse.beat(message['mailboxes'] as string[]);
        this.#downMail.stop();
      }
      if (message.type !== 'ready') return;
      this.#consoleReady = message;
      this.#tellOwnPorts();
      this.#tellConsolePorts();
    });
    link.tell({ type: 'orders', orders: {} });
  }

  #onRelay(link: ProcessLink): void {
    link.onMessage((message) => {
      this.#onAlarm(message);
      if (message.type !== 'snapshots') return;
      this.#workers.tell(message);
      if (message['kind'] !== 'policy') return;
      this.#readPolicy();
      this.#front?.link?.tell({ type: 'snapshot' });
    });
    const orders: RelayOrders = {
      gateway: this.#gateway,
      isIndexBuiltHere: isConsoleFolder(this.#layout),
      isConsoleHere: this.#role === 'start',
    };
    link.tell({ type: 'orders', orders });
  }

  #onFront(link: ProcessLink): void {
    link.onMessage((message, answer) => {
      this.#onAlarm(message);
      if (message.type === 'ready') {
        this.#frontReady = message;
        this.#tellOwnPorts();
      }
      if (isForConsole(message)) void askConsole(this.#lineToConsole, message).then(answer);
      if (message.type === 'pass') void this.#pass(message['pass'] as Pass).then(answer);
      if (message.type === 'refusals') void this.#workers.refusalsOf(message['client'] as string).then(answer);
    });
    const orders: FrontDeskOrders = {
      proxyPort: this.#proxyPort,
      tlsPort: this.#tlsPort,
      warningKey: this.#warningKey,
    };
    link.tell({ type: 'orders', orders });
  }

  async #pass(pass: Pass): Promise<true> {
    this.#passes.add(pass);
    await this.#workers.pass(pass);
    return true;
  }

  /** Beside us, or by way of the relay and Redis. */
  get #lineToConsole(): ProcessLink | null | undefined {
    return (this.#role === 'start' ? this.#console : this.#relay)?.link;
  }

  #onAlarm(message: Message): void {
    if (message.type === 'alarm') this.alarm(message['code'] as AlarmCode, message['text'] as string);
  }

  #orders(worker: number): WorkerOrders {
    return {
      gateway: this.#gateway,
      worker,
      port: this.#proxyPort,
      tlsPort: this.#tlsPort,
      ownPorts: this.#ownPorts(),
      highestInstant: Math.max(this.#highest, this.#workers.highestInstant),
      warningKey: this.#warningKey,
    };
  }

  #onWorker(message: Message, answer: (body: unknown) => void): void {
    this.#onAlarm(message);
    if (message.type === 'health') answer(this.#health());
    else if (message.type === 'ready') answer(this.#ready());
    // Limits hold over all workers: what one has seen, all count.
    else if (message.type === 'illegal-hit') this.#workers.tell(message);
    else if (message.type === 'active-devices') this.#activity.add(message['addresses'] as string[]);
    else if (message.type === 'active-accounts') this.#activity.addAccounts(message['uses'] as string[]);
    else if (isForConsole(message)) void askConsole(this.#lineToConsole, message).then(answer);
  }

  async #onWorkerDied(worker: number, how: string, heard: number): Promise<void> {
    this.#log.error({ worker, how }, 'a worker died; it is started again');
    const now = isoTime(this.#clock());
    const data = { gateway: this.#gateway, worker, from: isoTime(heard), until: now };
    void this.#spool.event({ id: this.#ids(), type: 'history.gap', v: EVENT_VERSIONS['history.gap'], at: now, data });
    await recoverSpool(this.#layout, worker);
  }

  /** One that was started again on any free port has another than workers were told at their start. */
  #tellOwnPorts(): void {
    this.#workers.tell({ type: 'own-ports', ports: this.#ownPorts() });
  }

  /** For the self-test, which comes to the proxy as a client. */
  #tellConsolePorts(): void {
    if (this.#proxyPort > 0) this.#console?.link?.tell({ type: 'ports', proxyPort: this.#proxyPort });
  }

  #ownPorts(): number[] {
    const { consolePort, frontPort } = this.#environment;
    const found = [
      this.#proxyPort,
      this.#tlsPort,
      this.#consoleReady?.['port'] ?? consolePort,
      this.#frontReady?.['port'] ?? frontPort,
    ];
    return found.filter((port): port is number => typeof port === 'number' && port > 0);
  }

  #tellOfMinute(): void {
    const gateway = this.#gateway;
    const up = this.#workers.pulses.flatMap(({ pulse }) => pulse ?? []);
    const serial = up.length === 0 ? 0 : Math.min(...up.map((pulse) => pulse.serial));
    this.#tell('gateway.state', { gateway, workers: this.#workers.size, up: up.length, serial });
    for (const addresses of this.#activity.take()) this.#tell('devices.active', { gateway, addresses });
    for (const seen of this.#activity.takeAccounts()) this.#tell('accounts.active', { gateway, seen });
  }

  #tell<T extends EventType>(type: T, data: EventEnvelope<T>['data']): void {
    const event = { id: this.#ids(), type, v: EVENT_VERSIONS[type], at: isoTime(this.#clock()), data };
    void this.#spool.event(event);
  }

  /** Every second: a new index on disk, a console that stays away. */
  #watch(): void {
    const mark = indexMark(this.#layout);
    if (mark !== this.#indexSeen) {
      this.#indexSeen = mark;
      this.#workers.tell({ type: 'snapshots', kind: 'index' });
      void this.#canaries.look();
    }
    const absence = this.#role === 'start' ? this.#consolePulse.look() : null;
    if (absence?.act === 'alarm') this.alarm('console-down', absence.text);
    if (absence?.act === 'mail') this.#downMail.tell(this.#consolePulse.mailboxes, absence.text);
  }

  #health(): { status: number; body: unknown } {
    const { pulses } = this.#workers;
    const isFailing = pulses.some(({ pulse }) => pulse === null || pulse.spool !== 'ok');
    const isConsoleAway = this.#role === 'start' && (this.#consoleReady === null || this.#consolePulse.isAway);
    const body = {
      status: isFailing ? 'failing' : isConsoleAway ? 'degraded' : 'ok',
      gateway: this.#gateway,
      console: this.#role === 'gateway' ? 'elsewhere' : isConsoleAway ? 'down' : 'up',
      workers: pulses.map(({ worker, pulse }) => ({ worker, up: pulse !== null, spool: pulse?.spool ?? null })),
      policySerial: pulses.find(({ pulse }) => pulse !== null)?.pulse?.serial ?? null,
      alarms: this.#alarms.slice(0, 5).map(({ at, code }) => ({ at, code })),
    };
    return { status: isFailing ? 503 : 200, body };
  }

  #ready(): { status: number; body: unknown } {
    const { failing } = this.#canaries;
    const isReady = !this.#draining && this.#workers.isListening && failing.length === 0;
    const body = { ready: isReady, ...(failing.length > 0 && { status: 'failing', canaries: failing }) };
    return { status: isReady ? 200 : 503, body };
  }

  #keepHighestInstant(): void {
    try {
      keepHighestInstant(this.#layout, Math.max(this.#highest, this.#workers.highestInstant, this.#clock()));
    } catch (error) {
      this.#log.warn({ err: error }, 'the highest instant could not be kept');
    }
  }
}
