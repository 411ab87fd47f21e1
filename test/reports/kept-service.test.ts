import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { AccessRecord } from '../../src/events/access-record.ts';
import { instantOf } from '../../src/kernel/local-time.ts';
import type { OutgoingMail } from '../../src/delivery/outgoing.ts';
import { type AlertRules, SHIPPED_ALERTS } from '../../src/policy/alert-rules.ts';
import { digestSpan, fifthQuarterBack, monthOf, parseMonth } from '../../src/reports/period.ts';
import { suppressed } from '../../src/reports/governors.ts';
import { parseWeek } from '../../src/reports/week.ts';
import type { Concern, ConcernAct } from '../../src/safeguarding/concerns/model.ts';
import { insertAct, insertConcern, updateConcern } from '../../src/safeguarding/concerns/repository.ts';
import { controlPlane, manualClock, staffMember } from '../helpers/control-plane.ts';
import { testPolicy } from '../helpers/test-policy.ts';
import { storeRecords } from '../helpers/made-reports.ts';
import { generateWeek } from '../helpers/generated-week.ts';

const ZONE = 'Europe/London';
const WEEK = parseWeek('2026-W47', ZONE);
const DUE = Date.parse('2026-11-23T07:15:00Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const tap = t;

function school(t: { testdir: (typeof tap)['testdir']; teardown(work: () => unknown): void }) {
  const dataDir = t.testdir({ history: {}, reports: {} });
  const plane = controlPlane({ dataDir, clock: manualClock(DUE) });
  t.teardown(() => plane.close());
  plane.policy.look();
  const { record, deliveries } = plane;
  let n = 0;
  const concern = (
    subject: string,
    personId: string | null,
    openedAt: number,
    change: Partial<Concern> = {},
  ): Concern => {
    const id = `01J0000000000000000000C${String(++n).padStart(3, '0')}`;
    const what = {
      theme: 'self-harm',
      severity: 'danger',
      state: 'open',
      level: 'ks2',
      subjectKind: 'person',
    } as const;
    const made: Concern = { id, subject, personId, ...what, openedAt, firstAt: openedAt, lastAt: openedAt, ...change };
    record.write((tx) => insertConcern(tx, made));
    act(made, 'opened', openedAt);
    return made;
  };
  const act = (one: Concern, what: ConcernAct['act'], at: number): void =>
    record.write((tx) => {
      insertAct(tx, `01J0000000000000000000D${String(++n).padStart(3, '0')}`, one.id, {
        at,
        act: what,
        by: null,
        note: '',
      });
      if (what === 'closed' || what === 'not-a-concern') updateConcern(tx, { ...one, state: what });
    });
  const useAlerts = (alerts: AlertRules): void => {
    plane.disk = { snapshot: testPolicy({ alerts, hash: 'b'.repeat(64) }) };
    plane.policy.look();
  };
  const mails = (id: string): { readonly to: string; readonly mail: OutgoingMail }[] =>
    record
      .read((tx) => deliveries.about(tx, `report:${id}`))
      .map(({ recipient, content }) => ({ to: recipient.split('@')[0]!, mail: content as OutgoingMail }));
  return Object.assign(plane, { dataDir, concern, act, mails, useAlerts });
}

void t.test(
  'a weekly report is kept, mailed once to each network manager, and what was made stays as it was',
  async (t) => {
    const plane = school(t);
    const manager = staffMember(plane, 'pupil-7', 'network-manager');
    staffMember(plane, 'second', 'network-manager');
    staffMember(plane, 'lead', 'safeguarding-lead');
    const records = generateWeek(1, WEEK.from, 2_000);
    const heavy: AccessRecord = { ...records[0]!, user: 'pupil-7', host: 'own.example', down: 9e9, verdict: 'allow' };
    await storeRecords(join(plane.dataDir, 'history'), [...records, heavy]);
    await plane.keptReports.weekly(DUE);
    const [first, second] = plane.mails('weekly:2026-W47');
    t.strictSame([first!.to, second!.to], ['pupil-7', 'second']);
    t.match(second!.mail.html, /<th scope="row"[^>]*>\s*pupil-7\s*<\/th>/, 'who carried most is named');
    t.notMatch(first!.mail.html, /<th scope="row"[^>]*>\s*pupil-7\s*<\/th>/, 'and nobody is shown themselves');
    t.match(first!.mail.attachments![0], { filename: 'schoolgate-weekly-2026-W47.csv' });
    t.notMatch(first!.mail.attachments![0]!.content, /^volumes,pupil-7,/m);
    t.match(first!.mail.text, /^Requests: 2,001 /m);
    t.same(readdirSync(join(plane.dataDir, 'reports')).sort(), [
      'schoolgate-week-2026-W47.csv',
      'schoolgate-week-2026-W47.html',
    ]);

    await storeRecords(join(plane.dataDir, 'history'), generateWeek(2, WEEK.from, 100));
    staffMember(plane, 'third', 'network-manager');
    await plane.keptReports.weekly(DUE);
    const again = plane.mails('weekly:2026-W47');
    t.strictSame(
      again.map(({ to }) => to),
      ['pupil-7', 'second', 'third'],
      'only whoever has not got it',
    );
    t.match(again[2]!.mail.text, /^Requests: 2,001 /m, 'and the same numbers');
    const { report } = plane.keptReports.open(manager, 'weekly', '2026-W47');
    t.notOk(report.tables.find(({ id }) => id === 'volumes')!.rows.some(([who]) => who === 'pupil-7'));
    t.ok(plane.acts().includes('report.looked-at pupil-7'));
    t.ok(plane.acts().includes('report.made console'));
  },
);

void t.test('the digest tells each reader of what is theirs to see, also when that is nothing', async (t) => {
  const plane = school(t);
  await plane.keptReports.digest(DUE);
  t.strictSame(plane.mails('digest:2026-11-23'), [], 'nobody to be told');
  const lead = staffMember(plane, 'lead', 'safeguarding-lead');
  const head = staffMember(plane, 'head', 'headteacher');
  const tutor = staffMember(plane, 'tutor', 'teacher');
  await plane.keptReports.digest(DUE - DAY);
  const [nothing] = plane.mails('digest:2026-11-22');
  t.equal(nothing!.to, 'lead');
  t.match(nothing!.mail, { subject: 'Concerns, Sun 22 Nov 2026', text: /^New: 0 /m });
  t.match(nothing!.mail.html, 'This report comes every day');

  plane.concern('old', null, DUE - 3 * DAY);
  plane.concern('new', null, DUE - HOUR, { theme: 'gambling', severity: 'advisory' });
  plane.act(plane.concern('raised', null, DUE - 2 * DAY), 'raised', DUE - HOUR);
  plane.act(plane.concern('closed', null, DUE - 4 * DAY), 'closed', DUE - HOUR);
  plane.act(plane.concern('long closed', null, DUE - 9 * DAY), 'closed', DUE - 8 * DAY);
  plane.concern('later', null, DUE + HOUR);
  plane.concern('lead', lead.personId, DUE - HOUR);
  plane.concern('tutor', tutor.personId, DUE - HOUR);
  plane.clock.advance(3 * HOUR);
  await plane.keptReports.digest(DUE);
  await plane.keptReports.digest(DUE + DAY);
  const [own, above, ...more] = plane.mails('digest:2026-11-24');
  t.strictSame([own!.to, above!.to, more.length], ['lead', 'head', 0], 'concerns about staff are for the head alone');
  const figures = (who: typeof lead, day: string): string => {
    const { report } = plane.keptReports.open(who, 'digest', day);
    return report.figures.map(({ id, value }) => `${id} ${value}`).join(', ');
  };
  t.equal(figures(lead, '2026-11-24'), 'opened 1, worse 0, decided 0, waiting 4');
  t.equal(figures(head, '2026-11-24'), 'opened 1, worse 0, decided 0, waiting 6');
  t.equal(
    figures(tutor, '2026-11-24'),
    'opened 0, worse 0, decided 0, waiting 0',
    'nor anybody else whatever their page',
  );
  t.notMatch(own!.mail.html + own!.mail.text, /member of staff|tutor/);
  t.match(above!.mail.text, 'A member of staff');
  t.equal(figures(lead, '2026-11-23'), 'opened 0, worse 0, decided 0, waiting 0', 'what was made stays as it was');
});

void t.test('a digest begins where the one before ended, whenever it is due', async (t) => {
  const plane = school(t);
  const lead = staffMember(plane, 'lead', 'safeguarding-lead');
  const opened = (day: string): number =>
    plane.keptReports.open(lead, 'digest', day).report.figures.find(({ id }) => id === 'opened')!.value;
  const friday = DUE - 3 * DAY;
  plane.clock.set(friday);
  await plane.keptReports.digest(friday);
  plane.concern('at the weekend', null, friday + DAY);
  plane.concern('before school', null, DUE - HOUR);
  plane.clock.set(DUE);
  await plane.keptReports.digest(DUE);
  t.equal(opened('2026-11-23'), 2, 'a school that wants none at the weekend');
  plane.concern('after the digest', null, DUE + HOUR);
  plane.clock.set(DUE + 2 * HOUR);
  await plane.keptReports.digest(DUE + 2 * HOUR);
  t.equal(opened('2026-11-23'), 2, 'its time was moved to later on the same day');
  t.equal(plane.mails('digest:2026-11-23').length, 1);
  plane.concern('on Tuesday', null, DUE + DAY);
  plane.clock.set(DUE + DAY + 2 * HOUR);
  await plane.keptReports.digest(DUE + DAY + 2 * HOUR);
  t.equal(opened('2026-11-24'), 2, 'what lies between is in the next');
});

// Whoever reads the head's mailbox and is a subject read there that there was a concern about a member of staff.
void t.test('a mailbox that somebody else reads gets nothing about them', async (t) => {
  const plane = school(t);
  const box = 'office@school.example';
  plane.useAlerts({ ...SHIPPED_ALERTS, mail: { head: box, secretary: 'OFFICE@school.example', manager: box } });
  staffMember(plane, 'head', 'headteacher');
  const secretary = staffMember(plane, 'secretary', 'teacher');
  staffMember(plane, 'manager', 'network-manager');
  staffMember(plane, 'lead', 'safeguarding-lead');
  plane.concern('secretary', secretary.personId, DUE - HOUR);
  const other = staffMember(plane, 'tutor', 'teacher');
  plane.concern('tutor', other.personId, DUE - HOUR);
  await plane.keptReports.digest(DUE);
  const sent = plane.mails('digest:2026-11-23').find(({ to }) => to === 'office')!;
  t.match(sent.mail.text, /^New: 1 /m, 'the tutor alone');
  const heavy = { ...generateWeek(1, WEEK.from, 1)[0]!, user: 'secretary', down: 9e9, verdict: 'allow' } as const;
  await storeRecords(join(plane.dataDir, 'history'), [heavy]);
  await plane.keptReports.weekly(DUE);
  const [weekly] = plane.mails('weekly:2026-W47');
  t.equal(weekly!.to, 'office');
  t.notMatch(weekly!.mail.html + weekly!.mail.text, 'secretary');
});

void t.test('a report that was made by hand before its week was over is not what is mailed', async (t) => {
  const plane = school(t);
  const manager = staffMember(plane, 'manager', 'network-manager');
  const history = join(plane.dataDir, 'history');
  await storeRecords(history, generateWeek(1, WEEK.from, 100));
  plane.clock.set(WEEK.until - 2 * DAY);
  t.match(await plane.keptReports.make(manager, 'weekly', '2026-W47'), { id: 'weekly:2026-W47' });
  t.strictSame(plane.mails('weekly:2026-W47'), []);
  await storeRecords(history, generateWeek(2, WEEK.from, 200));
  plane.clock.set(DUE);
  await plane.keptReports.weekly(DUE);
  t.match(plane.mails('weekly:2026-W47')[0]!.mail.text, /^Requests: 300 /m);
});

void t.test('a made-up digest tells how things stood', async (t) => {
  const plane = school(t);
  const lead = staffMember(plane, 'lead', 'safeguarding-lead');
  const one = plane.concern('one', null, DUE - HOUR);
  plane.act(one, 'acknowledged', DUE + HOUR);
  plane.act(one, 'closed', DUE + 2 * HOUR);
  plane.clock.advance(2 * DAY);
  await plane.keptReports.digest(DUE);
  await plane.keptReports.digest(DUE + DAY);
  const state = (day: string) => {
    const { figures, tables } = plane.keptReports.open(lead, 'digest', day).report;
    return [figures.map(({ value }) => value).join(' '), tables[1]!.rows[0]?.[3] ?? tables[3]!.rows[0]?.[3]];
  };
  t.strictSame(state('2026-11-23'), ['1 0 0 1', 'Open']);
  t.strictSame(state('2026-11-24'), ['0 0 1 0', 'Closed']);
});

void t.test('governors read trends and decisions, and nobody who could be known', async (t) => {
  const plane = school(t);
  const head = staffMember(plane, 'head', 'headteacher');
  const governor = staffMember(plane, 'governor', 'governor');
  const tutor = staffMember(plane, 'tutor', 'teacher');
  staffMember(plane, 'manager', 'network-manager');
  await storeRecords(join(plane.dataDir, 'history'), generateWeek(1, WEEK.from, 500));
  await plane.keptReports.weekly(DUE);
  for (let i = 0; i < 8; i++) plane.concern(`amy-${i}`, null, DUE - i * HOUR);
  plane.concern('ben', null, DUE, { theme: 'gambling' });
  plane.concern('tutor', tutor.personId, DUE, { theme: 'extremism' });
  const incident = (theme: string, key: string): string => {
    const terms = { what: 'amy', happened: '', place: '', site: '', illegal: 'no' };
    return plane.incidents.record(head, { theme, ...terms }, null, `01K0000000000000000000000${key}`);
  };
  for (const key of ['1', '2', '3', '4', '5', '6']) incident('bullying', key);
  incident('drugs', '7');
  plane.incidents.addPerson(head, incident('violence', '8'), { name: 'tutor', kind: 'staff', part: 'instigator' });
  plane.clock.set(Date.parse('2026-12-01T07:30:00Z'));
  await plane.keptReports.governors(plane.clock());
  const sent = plane.mails('governors:2026-11');
  t.strictSame(
    sent.map(({ to }) => to),
    ['governor', 'head'],
  );
  const { report } = plane.keptReports.open(governor, 'governors', '2026-11');
  t.equal(report.title, 'Filtering and monitoring, November 2026');
  const table = (id: string) => report.tables.find((one) => one.id === id)!;
  t.strictSame(table('themes').rows, [
    ['Self-harm and suicide', 'about 10', '0', '0', 'about 10'],
    ['Gambling', '1 to 4', '0', '0', '1 to 4'],
  ]);
  t.strictSame(table('themes').total, ['All themes', 'about 10', '0', '0', 'about 10']);
  t.strictSame(
    table('trend').rows.map(([month]) => month),
    ['June 2026', 'July 2026', 'August 2026', 'September 2026', 'October 2026', 'November 2026'],
  );
  t.strictSame(table('incidents').rows, [
    ['2026 Q4', 'Bullying', 'about 5'],
    ['2026 Q4', 'Drugs', '1 to 4'],
  ]);
  t.equal(table('weeks').rows[0]![0], 'Week 47 of 2026');
  t.strictSame(
    report.missing.rows.map(([what]) => what).filter((what) => String(what).startsWith('Week')),
    [44, 45, 46, 48].map((week) => `Week ${week} of 2026`),
    'of which there is no report, also where a school has it made later',
  );
  t.notMatch(JSON.stringify(sent) + JSON.stringify(report), /amy|\bben\b|tutor|Extremism|Violence/);
});

void t.test('small numbers cannot be read, and large ones only to the nearest five', async (t) => {
  const table: [number, string][] = [
    [0, '0'],
    [1, '1 to 4'],
    [4, '1 to 4'],
    [5, 'about 5'],
    [7, 'about 5'],
    [8, 'about 10'],
    [103, 'about 105'],
  ];
  for (const [number, words] of table) t.equal(suppressed(number), words);
});

void t.test('days and months are the school’s, also where clocks change', async (t) => {
  const table: [due: string, from: string, hours: number][] = [
    ['2026-03-29T06:15:00Z', '2026-03-28T07:15:00.000Z', 23],
    ['2026-10-25T07:15:00Z', '2026-10-24T06:15:00.000Z', 25],
    ['2026-11-23T07:15:00Z', '2026-11-22T07:15:00.000Z', 24],
  ];
  for (const [due, from, hours] of table) {
    const span = digestSpan(Date.parse(due), ZONE, null);
    t.strictSame([new Date(span.from).toISOString(), (span.until - span.from) / HOUR], [from, hours]);
  }
  t.match(monthOf(Date.parse('2026-10-31T23:59:59Z'), ZONE), {
    name: '2026-10',
    from: Date.parse('2026-09-30T23:00:00Z'),
    until: Date.parse('2026-11-01T00:00:00Z'),
  });
  for (const [at, from] of [
    ['2026-11-30T23:59:59Z', '2025-10-01'],
    ['2026-03-31T22:59:59Z', '2025-01-01'],
    ['2026-03-31T23:00:00Z', '2025-04-01'],
  ] as const) {
    t.equal(fifthQuarterBack(Date.parse(at), ZONE), instantOf(`${from}T00:00`, ZONE), at);
  }
  for (const bad of ['2026-13', '2026', '2026-1', 'x'])
    t.throws(() => parseMonth(bad, ZONE), { code: 'no_such_month' });
  t.equal(parseMonth('2026-12', ZONE).until, Date.parse('2027-01-01T00:00:00Z'));
});
