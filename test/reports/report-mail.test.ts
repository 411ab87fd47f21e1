// What becomes of reports between the record and a mail server that is real, when whoever sends is killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { openMailSink } from '../delivery/sink.ts';
import { controlPlane, manualClock, staffMember } from '../helpers/control-plane.ts';
import { generateWeek } from '../helpers/generated-week.ts';
import { storeRecords } from '../helpers/made-reports.ts';
import { testPolicy } from '../helpers/test-policy.ts';
import { SHIPPED_ALERTS } from '../../src/policy/alert-rules.ts';
import { parseWeek } from '../../src/reports/week.ts';
import { until } from '../helpers/until.ts';

const WEEK = parseWeek('2026-W43', 'Europe/London');
// In the past of whatever clock the sender has: what is queued is due.
const DUE = Date.parse('2026-11-01T07:30:00Z');
const MONDAY = Date.parse('2026-10-26T07:00:00Z');
const MANAGERS = Array.from({ length: 12 }, (_, i) => `manager-${i}`);
const LEADS = ['lead-0', 'lead-1'];

void t.test(
  'killed and started again, no report is lost and nobody gets one twice',
  { timeout: 120_000 },
  async (t) => {
    const dataDir = t.testdir({ history: {}, reports: {} });
    const path = join(dataDir, 'record.db');
    const mail = Object.fromEntries([...MANAGERS, ...LEADS, 'head'].map((name) => [name, `${name}@school.example`]));
    const open = () => {
      const disk = { snapshot: testPolicy({ alerts: { ...SHIPPED_ALERTS, mail } }) };
      const plane = controlPlane({ dataDir, path, clock: manualClock(DUE), disk });
      plane.policy.look();
      return plane;
    };
    const first = open();
    for (const name of MANAGERS) staffMember(first, name, 'network-manager');
    for (const name of LEADS) staffMember(first, name, 'safeguarding-lead');
    staffMember(first, 'head', 'headteacher');
    await storeRecords(join(dataDir, 'history'), generateWeek(1, WEEK.from, 2_000));
    const run = async (plane: typeof first): Promise<void> => {
      await plane.keptReports.weekly(MONDAY);
      await plane.keptReports.digest(DUE);
      await plane.keptReports.governors(DUE);
    };
    await run(first);
    await first.close();

    let taken = 0;
    let onTaken = (): void => {};
    const sink = await openMailSink({
      onMailFrom(_address, _session, done) {
        taken++;
        onTaken();
        done();
      },
    });
    t.teardown(() => sink.close());
    const child = join(import.meta.dirname, '..', 'delivery', 'queue-child.ts');
    const send = () =>
      spawn(process.execPath, [child, path, String(sink.port), '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    for (let kill = 1; kill <= 2; kill++) {
      const sender = send();
      t.teardown(() => sender.kill('SIGKILL'));
      onTaken = () => taken >= kill * 4 && sender.kill('SIGKILL');
      await once(sender, 'exit');
      // The timetable of whoever is started next makes up what it does not know to be done.
      const again = open();
      await run(again);
      await again.close();
    }
    onTaken = () => {};
    const last = send();
    t.teardown(() => last.kill('SIGKILL'));
    const subjectOf = (source: string): string => /^Subject: (.*)\r$/m.exec(source)?.[1] ?? '';
    const arrived = (): Set<string> => new Set(sink.taken.map(({ to, source }) => `${to} ${subjectOf(source)}`));
    const wanted = [
      ...MANAGERS.map((name) => `${name}@school.example Web activity, week 43 of 2026`),
      ...LEADS.map((name) => `${name}@school.example Concerns, Sun 1 Nov 2026`),
      'head@school.example Filtering and monitoring, October 2026',
    ];
    await until('all have arrived', () => arrived().size >= wanted.length, 60_000);
    t.strictSame([...arrived()].sort(), wanted.sort(), 'none is lost, and nobody gets what is not for them');
    const messages = Map.groupBy(sink.taken, ({ to }) => to);
    for (const [to, mails] of messages)
      t.equal(new Set(mails.map(({ messageId }) => messageId)).size, 1, `${to}: one mail`);
    const [weekly] = messages.get('manager-0@school.example')!;
    t.match(weekly!.source, /^Content-Type: multipart\/mixed/m);
    for (const part of ['text/plain', 'text/html', 'filename=schoolgate-weekly-2026-W43.csv'])
      t.match(weekly!.source, part);
  },
);
