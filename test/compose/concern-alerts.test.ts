import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { mayBeSeenBy, takeDueAlerts } from '../../src/compose/concern-alerts.ts';
import { storeRoles } from '../../src/identity/staff/repository.ts';
import { insertPerson } from '../../src/identity/repository.ts';
import type { Role } from '../../src/identity/roles.ts';
import type { Concern } from '../../src/safeguarding/concerns/model.ts';
import { insertAlert, insertConcern } from '../../src/safeguarding/concerns/repository.ts';
import { loadMigrations, migrate } from '../../src/store/migrate.ts';
import { controlPlane, staffMember } from '../helpers/control-plane.ts';

const PEOPLE: Record<string, Role | null> = {
  lead: 'safeguarding-lead',
  head: 'headteacher',
  chair: 'chair-of-governors',
  tutor: 'teacher',
  pupil: null,
};

function school(t: { teardown(work: () => unknown): void }) {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const { record, clock, alerts, deliveries } = plane;
  record.write((tx) => {
    for (const [id, role] of Object.entries(PEOPLE)) {
      insertPerson(tx, { id, userName: id, fullName: `Person ${id}` }, id, clock());
      if (role !== null) storeRoles(tx, id, [{ role, endsAt: null }], clock());
    }
  });
  let n = 0;
  const concern = (personId: string | null, change: Partial<Concern> = {}): Concern => {
    const id = `01J0000000000000000000C${String(++n).padStart(3, '0')}`;
    const at = clock();
    const times = { openedAt: at, firstAt: at, lastAt: at };
    const subject = personId ?? '10.1.1.9';
    const subjectKind = personId === null ? 'device' : 'person';
    const what = { theme: 'self-harm', severity: 'danger', state: 'open', level: 'ks2' } as const;
    const made: Concern = { id, subject, subjectKind, personId, ...what, ...times, ...change };
    record.write((tx) => insertConcern(tx, made));
    return made;
  };
  const due = (concernId: string, id = `01J0000000000000000000D${String(++n).padStart(3, '0')}`): string => {
    record.write((tx) => insertAlert(tx, { id, concernId, at: clock(), why: 'opened', severity: 'danger' }));
    return id;
  };
  const take = (): void => takeDueAlerts(record, alerts, clock);
  const told = (id: string): string[] =>
    record.read((tx) => deliveries.about(tx, `alert:${id}`)).map(({ recipient }) => recipient.split('@')[0]!);
  const seers = (one: Concern): string =>
    record.read((tx) => Object.keys(PEOPLE).filter((id) => mayBeSeenBy(tx, id, clock())(one))).join(' ');
  return Object.assign(plane, { concern, due, take, told, seers });
}

void t.test('what a concern makes due is told once, to whom it is for', async (t) => {
  const s = school(t);
  const table: [about: string | null, told: string[], seen: string][] = [
    ['pupil', ['lead'], 'lead head'],
    [null, ['lead'], 'lead head'],
    ['tutor', ['head'], 'head'],
    ['lead', ['head'], 'head'],
    ['head', ['chair'], 'chair'],
  ];
  for (const [about, told, seen] of table) {
    const concern = s.concern(about);
    const id = s.due(concern.id);
    s.take();
    s.take();
    t.strictSame(s.told(id), told, `about ${about}`);
    t.equal(s.seers(concern), seen, `about ${about}`);
  }
  t.equal(s.alerts.list('head').length, 4, 'all but the one about the head');
});

// Alerts were taken in the order of their ids, each after the newest that was known. With the clock set back and the console started again
// new ids are lower than that: a child's danger went to nobody until the clock had caught up.
void t.test('an alert whose id is lower than one that was told is told as well', async (t) => {
  const s = school(t);
  s.due(s.concern('pupil').id);
  s.take();
  const id = s.due(s.concern(null).id, '01H00000000000000000000001');
  s.take();
  t.strictSame(s.told(id), ['lead']);
});

// Alerts kept what their subject was when they were made: a lead who had not been told of it saw there what was about one of the staff by then.
void t.test('whoever has become one of the staff is one for the alerts of before, too', async (t) => {
  const s = school(t);
  s.due(s.concern('pupil').id);
  s.take();
  const second = staffMember(s, 'second', 'safeguarding-lead').personId;
  t.equal(s.alerts.list(second).length, 1);
  s.record.write((tx) => storeRoles(tx, 'pupil', [{ role: 'teacher', endsAt: null }], s.clock()));
  t.strictSame([s.alerts.list(second), s.alerts.unnoticed(second)], [[], []]);
  t.equal(s.alerts.list('lead').length, 1, 'who was told of it sees it');
  s.clock.advance(30 * 60_000);
  s.alerts.escalate();
  t.equal(s.alerts.list('head')[0]!.told.at(-1)!.name, 'Person head');
  t.equal(s.alerts.list('pupil').length, 0);
});

void t.test('a concern that somebody sees to is not taken further', async (t) => {
  const s = school(t);
  const [open, seen] = [s.concern('pupil'), s.concern(null)];
  const [first, second] = [s.due(open.id), s.due(seen.id)];
  s.take();
  s.concerns.move({ personId: 'lead', userName: 'lead', address: '127.0.0.1' }, seen.id, 'acknowledge', '');
  s.clock.advance(30 * 60_000);
  s.alerts.escalate();
  t.strictSame(s.told(first), ['lead', 'head']);
  t.strictSame(s.told(second), ['lead']);
  t.match(s.alerts.find('lead', second), { noticedBy: 'Person lead' }, 'nor does its alert wait for anybody');
  t.equal(s.alerts.find('lead', first).noticed, null);
});

void t.test(
  'a record of before: its alerts are known, told ones stay told, and one that was passed over is told',
  async (t) => {
    const path = join(t.testdir({}), 'record.db');
    const old = new DatabaseSync(path);
    migrate(old, loadMigrations().slice(0, 35));
    const [told, passedOver] = ['01J0000000000000000000A002', '01J0000000000000000000A001'];
    old.exec(`INSERT INTO concerns (id, theme, subject, subject_kind, level, severity, state, opened_at, first_at, last_at)
    VALUES ('c', 'self-harm', '10.1.1.9', 'device', 'ks2', 'danger', 'open', 1, 1, 1)`);
    const due = {
      id: told,
      concernId: 'c',
      theme: 'self-harm',
      severity: 'danger',
      why: 'opened',
      at: 1,
      level: 'ks2',
    };
    const more = { subjects: { personIds: [], isStaff: false }, subjectName: '10.1.1.9', groups: [] };
    for (const id of [told, passedOver])
      old.prepare("INSERT INTO concern_alerts VALUES (?, 'c', 1, 'opened', 'danger')").run(id);
    old
      .prepare("INSERT INTO alerts (id, concern_id, at, due, rule) VALUES (?, 'c', 1, ?, 'shipped')")
      .run(told, JSON.stringify({ ...due, ...more }));
    old.close();
    const plane = controlPlane({ path });
    t.teardown(() => plane.close());
    const { personId } = staffMember(plane, 'lead', 'safeguarding-lead');
    t.match(plane.alerts.find(personId, told), { about: 'concern:c', theme: 'self-harm', level: 'ks2' });
    takeDueAlerts(plane.record, plane.alerts, plane.clock);
    const mails = (id: string): number => plane.record.read((tx) => plane.deliveries.about(tx, `alert:${id}`)).length;
    t.strictSame([mails(told), mails(passedOver)], [0, 1]);
  },
);
