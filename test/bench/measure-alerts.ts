// spool ── relay's carrier ── Redis ── console (a process of its own) ── SMTP ──► mail server here: from a danger to the mailbox
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import { openSpool } from '../../src/events/file-spool.ts';
import { openBus } from '../../src/events/open-bus.ts';
import type { Spool } from '../../src/events/spool.ts';
import { insertPerson } from '../../src/identity/repository.ts';
import { storeRoles } from '../../src/identity/staff/repository.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import { openRecord } from '../../src/store/database.ts';
import { blocked } from '../events/sample.ts';
import { openMailSink, type TakenMail } from '../delivery/sink.ts';
import { RedisServer } from '../helpers/redis-server.ts';
import { freePort } from '../helpers/listening.ts';
import { Stack } from '../helpers/stack.ts';
import { TestSchool } from '../helpers/test-school.ts';
import { until } from '../helpers/until.ts';
import type { Figures } from './figures.ts';

/** Events of a second, and how many dangers are among them. */
const EVENTS = 2_000;
const DANGERS = 4;
/** Written together, as requests come together. */
const BATCHES = 40;
const PUPILS = 1_500;
const LEAD = 'd.lead';
/** How long the last mail and the last event may take, ms. */
const LATEST_MS = 300_000;

const newId = createIdMaker(systemClock);

/** Adds how long it takes from the event of a danger to the mail server that has its mail, and how far behind the console ends. */
export async function measureAlerts(figures: Figures, seconds: number, folder: string): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const place = join(folder, 'alerts');
  mkdirSync(join(place, 'redis'), { recursive: true });
  const redis = await new RedisServer(join(place, 'redis'), await freePort()).start();
  stack.defer(() => redis.stop());
  const arrivals = new Map<string, number>();
  const onTaken = ({ source }: TakenMail): void => {
    const device = /^Who: (10\.66\.\d+\.\d+)/m.exec(source)?.[1];
    if (device !== undefined && !arrivals.has(device)) arrivals.set(device, performance.now());
  };
  const sink = await openMailSink({ onTaken });
  stack.defer(() => sink.close());
  const school = makeSchool(place);
  const env = { SCHOOLGATE_REDIS_URL: redis.url.reveal(), SCHOOLGATE_SMTP_URL: `smtp://127.0.0.1:${sink.port}` };
  const console = stack.use(await new Stack({ school, role: 'console', env }).start());
  const spool = await openGateway(stack, place, redis);

  const began = await sendEvents(spool, seconds);
  const behindAt = performance.now();
  const all = seconds * EVENTS;
  const counted = (): number => Number(console.rows('SELECT count(*) AS n FROM flagged')[0]!['n']);
  await until('every mail has arrived', () => arrivals.size === began.size, LATEST_MS);
  await until('every event took effect', async () => counted() === all || (await pause(50), false), LATEST_MS);
  const took = Array.from(began, ([device, at]) => (arrivals.get(device)! - at) / 1000).sort((a, b) => a - b);
  figures.add('alerts.p50', 'schoolgate', took[took.length >> 1]!);
  figures.add('alerts.p99', 'schoolgate', took[Math.ceil(took.length * 0.99) - 1]!);
  figures.add('alerts.behind', 'schoolgate', (performance.now() - behindAt) / 1000);
}

/** One visit is a danger at once, and mail says the device, by which it is known here. Other concerns tell nobody. */
function makeSchool(place: string): TestSchool {
  const school = new TestSchool(place);
  const rules = join(school.policyDir, 'safeguarding.yaml');
  const rule = '{ name: Danger at once, severity: danger, points: ';
  writeFileSync(rules, readFileSync(rules, 'utf8').replace(`${rule}10`, `${rule}4`));
  const alerts = {
    fullNames: true,
    mail: { [LEAD]: 'lead@school.example' },
    routes: [{ name: 'Danger', severities: ['danger'], themes: ['self-harm'], tell: ['safeguarding-lead'] }],
  };
  writeFileSync(join(school.policyDir, 'alerts.yaml'), JSON.stringify(alerts));
  const layout = dataLayout(school.dataDir);
  createDataFolders(layout);
  const record = openRecord(layout.record);
  record.write((tx) => {
    const id = newId();
    insertPerson(tx, { id, userName: LEAD, fullName: 'Dora Lead' }, LEAD, systemClock());
    storeRoles(tx, id, [{ role: 'safeguarding-lead', endsAt: null }], systemClock());
  });
  record.close();
  return school;
}

/** What a gateway has between its workers and Redis. */
async function openGateway(stack: AsyncDisposableStack, place: string, redis: RedisServer): Promise<Spool> {
  const layout = dataLayout(join(place, 'gateway'));
  createDataFolders(layout);
  const bus = await openBus({ layout, redisUrl: redis.url, redisPrefix: 'schoolgate:', onState: () => {} });
  const carrier = bus.carrier('gw');
  await carrier.start();
  stack.defer(() => carrier.close());
  const spool = openSpool({ layout, gateway: 'gw', worker: 1, clock: systemClock, ids: newId, onAlarm: () => {} });
  stack.defer(() => spool.close());
  return spool;
}

/** Gives for each device that met danger when that was. */
async function sendEvents(spool: Spool, seconds: number): Promise<Map<string, number>> {
  const began = new Map<string, number>();
  const start = performance.now();
  const each = EVENTS / BATCHES;
  for (let batch = 0; batch < seconds * BATCHES; batch++) {
    await pause(Math.max(0, start + (batch * 1000) / BATCHES - performance.now()));
    for (let n = 0; n < each; n++) {
      const number = batch * each + n;
      if (number % (EVENTS / DANGERS) !== EVENTS / DANGERS / 2) void spool.event(ordinary(number));
      else {
        const device = `10.66.${began.size >> 8}.${began.size & 255}`;
        began.set(device, performance.now());
        void spool.event(visit(device, 'self-harm', 'harm.example'));
      }
    }
  }
  return began;
}

/** What everybody does all day; one in twenty is of a theme, and weighed. */
function ordinary(number: number): ReturnType<typeof visit> {
  const pupil = (number * 7919) % PUPILS;
  const [category, host] =
    number % 20 === 0 ? ['gambling', 'casino.example'] : ['games', `game-${number % 97}.example`];
  return visit(`10.1.${pupil >> 8}.${pupil & 255}`, category, host);
}

function visit(client: string, category: string, host: string) {
  return blocked({
    id: newId(),
    client,
    level: 'ks3',
    target: `${host}:443`,
    host,
    category,
    categories: [category],
    lists: [`test-${category}`],
    rule: `levels/ks3.yaml#categories.${category}`,
  });
}
