import * as fc from 'fast-check';
import t from 'tap';
import type { Actor } from '../../src/audit/entry.ts';
import { exportIncidents } from '../../src/incidents/export.ts';
import {
  type IncidentMove,
  type IncidentState,
  MOVES,
  type WholeIncident,
  applyMove,
  missingToClose,
} from '../../src/incidents/model.ts';
import { readReportAsk } from '../../src/incidents/report.ts';
import { incidentTrends } from '../../src/incidents/service.ts';
import { stepsFor } from '../../src/incidents/steps.ts';
import { withoutAddresses } from '../../src/incidents/withhold.ts';
import { InvalidFieldsError } from '../../src/kernel/errors.ts';
import { insertConcern } from '../../src/safeguarding/concerns/repository.ts';
import type { Row } from '../../src/store/database.ts';
import { type ControlPlane, START, controlPlane, staffMember } from '../helpers/control-plane.ts';
import { rosterFiles } from '../helpers/rosters.ts';
import { testPolicy } from '../helpers/test-policy.ts';

const PURPOSE = { code: 'safeguarding', note: null } as const;
const ROSTER = `username,role,year,classes,teaches,given name,family name
amy.ash,pupil,5,5A,,Amy,Ash
bob.bell,pupil,5,5B,,Bob,Bell
bob.two,pupil,5,5B,,Bob,Bell
t.adams,teacher,,,5A,Tess,Adams
`;
const TERMS = {
  theme: 'bullying',
  what: 'Messages in the class chat',
  happened: '2026-11-20T14:00',
  place: 'Room 5',
  site: 'https://chat.example/room?id=1',
  illegal: 'no',
};

async function school() {
  const identity = { mode: 'open' as const, ranges: [], levels: { years: { 5: 'ks2' }, roles: {} } };
  const plane = controlPlane({ disk: { snapshot: testPolicy({ identity }) } });
  plane.policy.look();
  await plane.directory.import(null, rosterFiles({ 'people.csv': ROSTER }), true);
  return {
    plane,
    lead: staffMember(plane, 'd.lead', 'safeguarding-lead'),
    head: staffMember(plane, 'h.head', 'headteacher'),
    chair: staffMember(plane, 'c.chair', 'chair-of-governors'),
    manager: staffMember(plane, 'n.manager', 'network-manager'),
  };
}

const DESK = { site: '', what: 'Something happened', about: 'pupils', isUnnamed: false, key: 'desk' };
let keys = 0;
const key = (): string => `01K000000000000000000${String(keys++).padStart(5, '0')}`;

function recordOne(plane: ControlPlane, actor: Actor, change: Partial<typeof TERMS> = {}): string {
  return plane.incidents.record(actor, { ...TERMS, ...change }, null, key());
}

/** Who of these sees it, by user name. */
function readers({ incidents }: ControlPlane, people: readonly Actor[], id: string): string[] {
  return people.filter(({ personId }) => incidents.sees(personId, id)).map(({ userName }) => userName);
}

void t.test('nobody sees an incident about themselves, and whoever is over them does', async (t) => {
  const { plane, lead, head, chair, manager } = await school();
  t.teardown(() => plane.close());
  const all = [lead, head, chair, manager];
  const table: [who: string, part: string, sees: string[]][] = [
    ['Amy Ash', 'instigator', ['d.lead', 'h.head']],
    ['t.adams', 'victim', ['d.lead', 'h.head']],
    ['t.adams', 'instigator', ['h.head']],
    ['t.adams', 'involved', ['h.head']],
    ['n.manager', 'instigator', ['h.head']],
    ['d.lead', 'victim', ['h.head']],
    ['d.lead', 'instigator', ['h.head']],
    ['h.head', 'victim', ['d.lead']],
    ['h.head', 'instigator', ['c.chair']],
  ];
  for (const [name, part, sees] of table) {
    const id = recordOne(plane, lead);
    const kind = name === 'Amy Ash' ? 'pupil' : 'staff';
    plane.incidents.addPerson(lead, id, { name, kind, part });
    t.strictSame(readers(plane, all, id), sees, `${name} as ${part}`);
    for (const one of all.filter(({ userName }) => !sees.includes(userName))) {
      const attempts: (() => unknown)[] = [
        () => plane.incidents.one(one, PURPOSE, id),
        () => plane.incidents.export(one, PURPOSE, id, 'json'),
        () => plane.incidents.edit(one, id, 1, TERMS),
        () => plane.incidents.move(one, id, 'close', 'x'),
      ];
      for (const attempt of attempts) t.throws(attempt, { code: 'incident_unknown' });
      t.equal(
        plane.incidents.list(one, PURPOSE).some((listed) => listed.id === id),
        false,
      );
      t.equal(plane.incidents.export(one, PURPOSE, null, 'csv').text.includes(id), false);
    }
  }
  const both = recordOne(plane, lead);
  plane.incidents.addPerson(lead, both, { name: 'h.head', kind: 'staff', part: 'victim' });
  plane.incidents.addPerson(lead, both, { name: 'd.lead', kind: 'staff', part: 'victim' });
  t.strictSame(readers(plane, all, both), ['c.chair'], 'about all who would see it by day: whoever is over them');
});

void t.test('the record of acts keeps one about staff from them', async (t) => {
  const { plane, head, chair } = await school();
  t.teardown(() => plane.close());
  plane.incidentReports.take({ personId: null, address: '10.0.0.1' }, { ...DESK, about: 'headteacher' });
  const [{ id }] = plane.record.read((tx) => tx.all('SELECT id FROM incidents')) as [{ id: string }];
  const amy = plane.directory.members().find(({ userName }) => userName === 'amy.ash')!;
  plane.incidents.move(chair, id, 'take-on', '');
  plane.incidents.addPerson(chair, id, { name: 'amy.ash', kind: 'pupil', part: 'victim' });
  plane.incidents.one(chair, PURPOSE, id);
  const filter = { search: null, actor: null, actions: null, subject: null, from: null, until: null };
  const rows = plane.auditPages.list(head, filter, null, 1000).rows;
  t.notMatch(JSON.stringify(rows), id);
  t.strictSame(
    plane.auditPages.about(head, amy.id, PURPOSE),
    [],
    'nor does asking who looked at the child’s data lead to it',
  );
});

void t.test('an incident that nobody would see is refused', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const head = staffMember(plane, 'h.head', 'headteacher');
  const id = recordOne(plane, head);
  const add = () => plane.incidents.addPerson(head, id, { name: 'h.head', kind: 'staff', part: 'instigator' });
  t.throws(add, { code: 'incident_nobody' });
  t.strictSame(plane.incidents.one(head, PURPOSE, id).incident.people, [], 'nothing half done');
});

void t.test('from recording to closing: what is missing is said at once, every act is on record', async (t) => {
  const { plane, lead } = await school();
  t.teardown(() => plane.close());
  const { incidents } = plane;
  const formKey = key();
  const id = incidents.record(lead, { ...TERMS, illegal: 'yes' }, null, formKey);
  t.equal(incidents.record(lead, TERMS, null, formKey), id, 'the form again is the same incident');
  incidents.addPerson(lead, id, { name: 'amy.ash', kind: 'pupil', part: 'victim' });
  t.throws(
    () => incidents.addPerson(lead, id, { name: 'Amy Ash', kind: 'pupil', part: 'involved' }),
    /in this incident already/,
  );
  t.throws(
    () => incidents.addPerson(lead, id, { name: 'Bob Bell', kind: 'pupil', part: 'victim' }),
    /bob\.bell, bob\.two/,
  );
  t.throws(
    () => incidents.addPerson(lead, id, { name: 'Tess Adams', kind: 'pupil', part: 'victim' }),
    /no pupil called/,
  );
  t.throws(
    () => incidents.addPerson(lead, id, { name: 'Mallory', kind: 'staff', part: 'victim' }),
    /no member of staff called/,
  );
  incidents.addPerson(lead, id, { name: 'Mrs Ash', kind: 'parent', part: 'involved' });
  incidents.addPerson(lead, id, { name: 'Bob Bell', kind: 'parent', part: 'involved' });
  const [, , father] = incidents.one(lead, PURPOSE, id).incident.people;
  t.match(father, { name: 'Bob Bell', personId: null }, 'who is called as two pupils are');
  const action = { what: 'Talk to Amy', owner: 'Tess Adams', due: '2026-11-24' };
  const actionKey = key();
  incidents.addAction(lead, id, action, actionKey);
  incidents.addAction(lead, id, action, actionKey);
  t.equal(incidents.one(lead, PURPOSE, id).incident.actions.length, 1, 'sent twice is one action');
  const close = (): unknown => {
    try {
      incidents.move(lead, id, 'close', '');
      return null;
    } catch (error) {
      return (error as InvalidFieldsError).fields.map(({ reason }) => reason);
    }
  };
  const steps = stepsFor([]);
  t.strictSame(close(), [
    'Say what came of it.',
    `Note for each of the steps whether it is done or does not apply; ${steps.length} are left.`,
    'Finish the actions; 1 is open.',
    'Say whether parents were informed, or why not.',
  ]);
  incidents.noteSteps(lead, id, Object.fromEntries(steps.map((step) => [`step-${step.id}`, 'done'])));
  incidents.finishAction(lead, id, incidents.one(lead, PURPOSE, id).incident.actions[0]!.id);
  t.throws(
    () => incidents.noteParents(lead, id, { informed: 'yes', on: '2026-11-24', note: 'By phone' }),
    InvalidFieldsError,
  );
  incidents.noteParents(lead, id, { informed: 'yes', on: '2026-11-23', note: 'By phone' });
  incidents.move(lead, id, 'close', 'Talked to all of them');
  t.throws(() => incidents.edit(lead, id, 1, TERMS), { code: 'incident_move' });
  incidents.move(lead, id, 'reopen', 'It went on');
  t.equal(incidents.one(lead, PURPOSE, id).incident.outcome, 'Talked to all of them');
  incidents.edit(lead, id, 1, { ...TERMS, illegal: 'no' });
  t.throws(() => incidents.edit(lead, id, 1, TERMS), { code: 'incident_changed' });
  const acts = plane.acts().filter((act) => act.startsWith('incident.'));
  t.strictSame(
    acts.filter((act) => !/looked-at|changed/.test(act)),
    ['incident.recorded d.lead', 'incident.closed d.lead', 'incident.reopened d.lead'],
  );
});

void t.test(
  'made from a concern: who it is about comes with it, and who may not see the one cannot make the other',
  async (t) => {
    const { plane, lead, manager } = await school();
    t.teardown(() => plane.close());
    const amy = plane.directory.members().find(({ userName }) => userName === 'amy.ash')!;
    const about = { subject: 'amy.ash', subjectKind: 'person', personId: amy.id, level: 'ks2' } as const;
    const concern = { id: key(), theme: 'bullying', severity: 'danger', state: 'open', ...about } as const;
    plane.record.write((tx) => insertConcern(tx, { ...concern, openedAt: START, firstAt: START, lastAt: START }));
    t.match(plane.incidents.fromConcern(lead, concern.id), {
      theme: 'bullying',
      person: { name: 'Amy Ash', kind: 'pupil' },
    });
    const id = plane.incidents.record(lead, TERMS, concern.id, key());
    t.match(plane.incidents.one(lead, PURPOSE, id).incident, {
      source: 'concern',
      concernId: concern.id,
      people: [{ personId: amy.id, part: 'involved' }],
    });
    t.throws(() => plane.incidents.record(manager, TERMS, concern.id, key()), { code: 'concern_unknown' });
  },
);

void t.test('a suspension goes through the directory', async (t) => {
  const { plane, lead } = await school();
  t.teardown(() => plane.close());
  const id = recordOne(plane, lead);
  plane.incidents.addPerson(lead, id, { name: 'amy.ash', kind: 'pupil', part: 'instigator' });
  const [amy] = plane.incidents.one(lead, PURPOSE, id).incident.people;
  t.throws(() => plane.incidents.suspendPerson(lead, id, amy!.id, ' ', null), InvalidFieldsError);
  plane.incidents.suspendPerson(lead, id, amy!.id, 'While it is looked into', START + 86_400_000);
  t.match(plane.directory.person(lead, amy!.personId!, PURPOSE).suspension, { by: 'd.lead' });
  t.match(plane.incidents.one(lead, PURPOSE, id).acts.at(-1), { act: 'suspended', note: 'Amy Ash' });
});

void t.test('every look is on record for the incident and for each person in it', async (t) => {
  const { plane, lead, head } = await school();
  t.teardown(() => plane.close());
  const id = recordOne(plane, lead);
  plane.incidents.addPerson(lead, id, { name: 'amy.ash', kind: 'pupil', part: 'victim' });
  plane.incidents.one(head, PURPOSE, id);
  const amy = plane.directory.members().find(({ userName }) => userName === 'amy.ash')!;
  const about = plane.auditPages.about(head, amy.id, PURPOSE);
  t.match(about, [{ action: 'incident.looked-at', actor: 'h.head' }]);
  const payloads = plane.record.read((tx) => tx.all(`SELECT payload FROM audit WHERE subject LIKE 'incident%'`));
  t.notMatch(JSON.stringify(payloads), /Amy|class chat|chat\.example/, 'the record of acts repeats nothing of it');
});

void t.test('what is illegal shows no address in a file, and stays on record', async (t) => {
  const { plane, lead } = await school();
  t.teardown(() => plane.close());
  const what = 'He opened https://bad.example/x and then other.example/page, see www.third.example';
  const id = recordOne(plane, lead, { illegal: 'yes', what, place: 'at =HYPERLINK("http://bad.example")' });
  plane.incidents.addPerson(lead, id, { name: '=cmd|calc', kind: 'other', part: 'involved' });
  for (const format of ['csv', 'json'] as const) {
    const { text, sha256 } = plane.incidents.export(lead, PURPOSE, id, format);
    t.notMatch(text, /bad\.example|other\.example|third\.example|chat\.example/, format);
    t.match(sha256, /^[0-9a-f]{64}$/);
  }
  t.match(plane.incidents.export(lead, PURPOSE, id, 'csv').text, `'=cmd|calc`, 'no formula');
  plane.incidents.edit(lead, id, 1, { ...TERMS, illegal: 'yes', what: withoutAddresses(what), site: '' });
  plane.incidents.edit(lead, id, 2, { ...TERMS, illegal: 'no', what: withoutAddresses(what), site: '' });
  const after = plane.incidents.one(lead, PURPOSE, id).incident;
  t.equal(after.what, what, 'a form that did not show it does not lose it');
  t.equal(after.site, 'https://chat.example/room?id=1');
});

void t.test('texts without addresses', (t) => {
  const table: [string, string][] = [
    ['see http://a.example/b?c for it', 'see [address withheld] for it'],
    ['HTTPS://A.EXAMPLE', '[address withheld]'],
    ['a.example/path or b.test:8080/x', '[address withheld] or [address withheld]'],
    ['bücher.example', '[address withheld]'],
    ['It was 3.5 hours, e.g. at home.', 'It was 3.5 hours, e.g. at home.'],
  ];
  for (const [text, shown] of table) t.equal(withoutAddresses(text), shown, text);
  t.end();
});

// People came after what happened: meanwhile the lead read what was written about the lead, and the head what the chair wrote about the head.
void t.test('whoever of the staff it is about is kept from it from the first moment', async (t) => {
  const { plane, lead, head, chair } = await school();
  t.teardown(() => plane.close());
  const { incidents } = plane;
  const all = [lead, head, chair];
  const terms = { theme: 'other', what: 'Shouted', happened: '', place: '', site: '', illegal: 'no' };
  const record = (by: Actor, staff: string, key: string): string[] =>
    readers(plane, all, incidents.record(by, terms, null, `01K000000000000000000000${key}`, staff));
  t.strictSame(record(head, lead.userName, 'A1'), ['h.head']);
  t.strictSame(record(chair, head.userName, 'A2'), ['c.chair']);
  t.strictSame(record(lead, head.userName, 'A3'), ['c.chair'], 'handed on');
  t.strictSame(record(lead, ' ', 'A4'), ['d.lead', 'h.head'], 'about pupils');
  for (const [staff, reason] of [
    ['', /Say which member of staff/],
    ['nobody', /called “nobody”/],
  ] as const) {
    const fields = (): unknown => {
      try {
        return record(chair, staff, 'A5');
      } catch (error) {
        return (error as InvalidFieldsError).fields;
      }
    };
    t.match(fields(), [{ field: 'staff', reason }]);
  }
  const written = plane.record.read((tx) => tx.get("SELECT count(*) AS n FROM incidents WHERE what = 'Shouted'")!['n']);
  t.equal(written, 4, 'nothing of what was refused');
});

void t.test('a report from the front desk: whom it goes to, who stays unnamed, how often', async (t) => {
  const { plane, lead, head, chair } = await school();
  t.teardown(() => plane.close());
  const { incidentReports, incidents } = plane;
  const amy = plane.directory.members().find(({ userName }) => userName === 'amy.ash')!;
  const from = { personId: amy.id, address: '10.1.2.3' };
  const ask = { site: 'chat.example', what: 'They laugh at me', about: 'pupils', isUnnamed: true, key: 'k1' };
  t.strictSame(incidentReports.take(from, ask), { state: 'done' });
  t.strictSame(incidentReports.take(from, ask), { state: 'done' }, 'sent twice …');
  t.equal(incidents.list(lead, PURPOSE).length, 1, '… is one report');
  const { id } = incidents.list(lead, PURPOSE)[0]!;
  const shown = incidents.one(lead, PURPOSE, id);
  t.match(shown, { reporterName: null, incident: { state: 'reported', site: 'chat.example' } });
  t.notMatch(incidents.export(lead, PURPOSE, id, 'json').text, 'Amy');
  t.notMatch(plane.acts().join(), 'amy.ash', 'the record of acts does not name them');
  t.throws(() => incidents.showReporter(lead, id, ' '), InvalidFieldsError);
  t.equal(incidents.showReporter(lead, id, 'To keep her safe'), 'Amy Ash');
  t.match(incidentReports.take(from, { ...ask, key: 'k2', what: '', about: '' }), {
    state: 'wrong',
    fields: [{ field: 'about' }, { field: 'what' }],
  });
  const about = (whom: string, formKey: string, address: string): string => {
    incidentReports.take({ personId: null, address }, { ...ask, about: whom, key: formKey });
    return plane.record.read((tx) => String(tx.get('SELECT max(id) AS id FROM incidents')!['id']));
  };
  t.strictSame(readers(plane, [lead, head, chair], about('staff', 'a', '10.0.0.1')), ['h.head']);
  t.strictSame(readers(plane, [lead, head, chair], about('headteacher', 'a', '10.0.0.2')), ['c.chair']);
  const told = (): Row[] =>
    plane.record.read((tx) => tx.all(`SELECT recipient, content FROM deliveries WHERE about LIKE 'alert:%'`));
  const names = (): string[] =>
    told()
      .map(({ recipient }) => String(recipient).split('@')[0]!)
      .sort();
  t.strictSame(names(), ['c.chair', 'd.lead', 'h.head'], 'each to whoever hears first');
  t.notMatch(JSON.stringify(told()), /laugh|Amy|chat\.example/, 'mail says no more than that there is one');
  t.match(plane.alerts.list(lead.personId), [{ about: `incident:${id}`, subjectName: 'Reported at the front desk' }]);
  for (let i = 0; i < 4; i++) incidentReports.take(from, { ...ask, key: `m${i}` });
  // A report lay unread for as long as nobody looked at their mail.
  const alertOf = (incident: string) =>
    [lead, head, chair].flatMap(({ personId }) => plane.alerts.list(personId)).find((one) => one.about === incident);
  incidents.move(head, incidents.list(head, PURPOSE).find((one) => one.isAboutStaff)!.id, 'take-on', '');
  plane.clock.advance(30 * 60_000);
  plane.alerts.escalate();
  t.equal(
    names().filter((name) => name === 'h.head').length,
    1 + 4,
    'the head hears of what the lead does nothing about',
  );
  t.equal(names().filter((name) => name === 'c.chair').length, 1, 'and the chair of nothing that the head took on');
  t.match(alertOf(`incident:${id}`)!.noticed, { by: lead.personId });
  plane.clock.advance(30 * 60_000);
  plane.alerts.escalate();
  t.equal(names().filter((name) => name === 'c.chair').length, 1 + 4, 'the other four go further');
  t.match(JSON.stringify(told().at(-1)), 'not yet noticed');
  t.throws(() => incidentReports.take(from, { ...ask, key: 'm9' }), { code: 'report_many' });
  plane.clock.advance(3_600_001);
  t.strictSame(incidentReports.take(from, { ...ask, key: 'm9' }), { state: 'done' });
});

void t.test('what comes over the bus and is no report is refused', (t) => {
  for (const json of [
    '',
    '[]',
    '{}',
    '{"what":1}',
    JSON.stringify({ site: '', what: '', about: '', isUnnamed: 'x', key: 'k' }),
  ]) {
    t.equal(readReportAsk(json), null, json);
  }
  fc.assert(fc.property(fc.json(), (json) => void readReportAsk(json)));
  t.end();
});

void t.test('trends count by quarter and theme what was no false report', async (t) => {
  const { plane, lead } = await school();
  t.teardown(() => plane.close());
  recordOne(plane, lead);
  recordOne(plane, lead);
  recordOne(plane, lead, { theme: 'drugs' });
  plane.incidentReports.take(
    { personId: null, address: '10.0.0.1' },
    { ...TERMS, about: 'pupils', isUnnamed: false, key: 'k' },
  );
  const about = recordOne(plane, lead, { theme: 'violence' });
  plane.incidents.addPerson(lead, about, { name: 't.adams', kind: 'staff', part: 'instigator' });
  const trends = plane.record.read((tx) => incidentTrends(tx, START - 1, START + 1, 'Europe/London'));
  t.strictSame(trends, [
    { quarter: '2026-Q4', theme: 'bullying', incidents: 2 },
    { quarter: '2026-Q4', theme: 'drugs', incidents: 1 },
  ]);
});

const BLANK: WholeIncident = {
  id: 'i',
  state: 'open',
  source: 'hand',
  concernId: null,
  theme: 'other',
  what: 'x',
  happenedAt: null,
  place: '',
  site: null,
  illegal: 'no',
  isAboutStaff: false,
  openedAt: 0,
  openedBy: 'p',
  parents: { informed: false, on: null, note: 'x' },
  outcome: '',
  version: 1,
  people: [],
  actions: [],
  steps: {},
  reporter: null,
};

void t.test('only legal moves are made, whatever is tried in whatever order', (t) => {
  const moves = Object.keys(MOVES) as IncidentMove[];
  const note = fc.constantFrom('', 'a note');
  const start = fc.constantFrom<IncidentState>('reported', 'open');
  fc.assert(
    fc.property(
      start,
      fc.array(fc.tuple(fc.constantFrom(...moves), note)),
      fc.constantFrom('yes', 'no', 'unknown' as const),
      (state, tried, illegal) => {
        let incident: WholeIncident = { ...BLANK, state, illegal };
        for (const [move, said] of tried) {
          const before = incident;
          try {
            incident = applyMove(before, move, said);
          } catch {
            continue;
          }
          if (!MOVES[move].from.includes(before.state) || incident.state !== MOVES[move].to) return false;
          if (incident.state === 'closed' && (incident.outcome === '' || missingToClose(before).length > 0))
            return false;
          if (move !== 'take-on' && said === '') return false;
        }
        return true;
      },
    ),
  );
  t.end();
});

void t.test('a file is what its hash says, whatever stands in it', (t) => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('csv', 'json' as const), (what, format) => {
      const made = exportIncidents([{ ...BLANK, what }], format, (id) => id);
      if (format === 'json') return JSON.parse(made.text).incidents[0].what === what;
      return made.text.split('\r\n').length >= 3;
    }),
  );
  t.end();
});
