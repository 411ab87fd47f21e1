// Who hears of a concern, and who comes across it nowhere: for every role and every subject, on every way out of the console.
import t from 'tap';
import { takeDueAlerts } from '../../src/compose/concern-alerts.ts';
import { newestRows } from '../../src/audit/service.ts';
import type { OutgoingMail } from '../../src/delivery/outgoing.ts';
import { type Permission, may } from '../../src/identity/permissions.ts';
import { ALL_ROLES, type Role } from '../../src/identity/roles.ts';
import { SHIPPED_ALERTS } from '../../src/policy/alert-rules.ts';
import {
  insertAlert,
  insertConcern,
  insertSighting,
  linkEvidence,
  storeFinding,
} from '../../src/safeguarding/concerns/repository.ts';
import { sampleRecord } from '../events/sample.ts';
import { addApp } from '../helpers/authenticator.ts';
import { staffMember, testPolicy } from '../helpers/control-plane.ts';
import {
  openSession,
  personIdOf,
  sayPurpose,
  signedIn,
  type TestBrowser,
  testConsole,
  type TestConsole,
} from '../helpers/test-console.ts';

t.setTimeout(480_000);

/** Somebody who could come across a concern. */
interface Viewer {
  readonly userName: string;
  readonly roles: readonly Role[];
  readonly browser: TestBrowser;
  readonly token: string;
}

/** A concern that is open and alerted of, and one that was called none. */
interface About {
  readonly userName: string;
  readonly isStaff: boolean;
  /** Who hears of it: everybody else with this role. */
  readonly heardBy: Role;
  readonly open: string;
  readonly decided: string;
  readonly alert: string;
  /** An incident that is about them, if they are of the staff, and what only it says. */
  readonly incident: string;
  readonly told: string;
  /** A hit of listed illegal material. */
  readonly hit: string;
  /** Row of the record in which the open one was looked at. */
  readonly row: number;
  /** What can only come from these two: their ids, the site that was seen, and the reason that was written. */
  readonly marks: readonly string[];
}

/** A way on which something of a concern could reach somebody. */
interface Surface {
  readonly name: string;
  /** What a viewer gets of it. `about`: for ways that lead to one concern; the others are asked once for all. */
  readonly read: (s: School, viewer: Viewer, about: About) => Promise<string>;
  readonly isOfOne?: true;
  /** Who should find it there, of those who may see the concern; null: nobody at all. */
  readonly needs: Permission | null;
  /** What tells a concern there; default: what can only come from it. */
  readonly marks?: (about: About) => readonly string[];
  /** It shows something of it at times: those who may see it need not find it there. */
  readonly isGlimpse?: true;
  /** The record shows those who may read it what is about pupils, whoever hears of it. */
  readonly isRecord?: true;
}

interface School extends TestConsole {
  readonly viewers: readonly Viewer[];
  readonly subjects: readonly About[];
}

const page =
  (address: string | ((about: About) => string)) =>
  async (_: School, { browser }: Viewer, about: About): Promise<string> => {
    const { status, body } = await browser.get(typeof address === 'string' ? address : address(about));
    return status === 200 ? body : '';
  };

const api =
  (url: string) =>
  async ({ app }: School, { token }: Viewer): Promise<string> => {
    const { statusCode, body } = await app.inject({ url, headers: { authorization: `Bearer ${token}` } });
    return statusCode === 200 ? body : '';
  };

/** Files say who, and no ids. */
const byName = ({ userName }: About): readonly string[] => [userName];

/** A row of the record is known by its number: what somebody has asked for stands on the page as well, and so do rows of having asked. */
const byRow = ({ row }: About): readonly string[] => [`/audit/rows/${row}"`, `\r\n${row},`];

const PURPOSE = { code: 'safeguarding', note: '' } as const;
const ofIncident = ({ incident, told }: About): readonly string[] => [`/incidents/${incident}"`, told];

/** As whoever has said why they look. */
function incidentsPage(address: string): Surface['read'] {
  return async (s, viewer, about) => {
    if (!may(viewer.roles, 'incidents.see')) return await page(address)(s, viewer, about);
    for (const subject of ['incidents:all', `incident:${about.incident}`]) await sayPurpose(viewer.browser, subject);
    return await page(address)(s, viewer, about);
  };
}

/** The route asks for the permission; what is in the file is the room's. */
async function exported(s: School, { userName, roles }: Viewer): Promise<string> {
  if (!may(roles, 'incidents.see')) return '';
  const actor = { personId: personIdOf(s, userName), userName, address: '127.0.0.1' };
  return s.incidents.export(actor, PURPOSE, null, 'csv').text;
}

/** Every way there is. Whoever makes another one adds its line. */
const SURFACES: readonly Surface[] = [
  { name: 'mail', read: mailOf, needs: 'alerts.see' },
  { name: 'home', read: page('/'), needs: 'concerns.see', isGlimpse: true },
  { name: 'state for programs', read: api('/api/v1/status'), needs: null },
  { name: 'list of concerns', read: page('/concerns?state=all'), needs: 'concerns.see' },
  { name: 'file of concerns', read: page('/concerns?state=all&format=csv'), marks: byName, needs: 'concerns.see' },
  { name: 'rules that make concerns', read: page('/concerns/tuning'), needs: 'concerns.see' },
  { name: 'file of rules', read: page('/concerns/tuning?format=csv'), needs: 'concerns.see' },
  { name: 'open concern', read: page(({ open }) => `/concerns/${open}`), isOfOne: true, needs: 'concerns.see' },
  {
    name: 'decided concern',
    read: page(({ decided }) => `/concerns/${decided}`),
    isOfOne: true,
    needs: 'concerns.see',
  },
  { name: 'list of alerts', read: page('/alerts?state=all'), needs: 'alerts.see' },
  { name: 'file of alerts', read: page('/alerts?state=all&format=csv'), marks: byName, needs: 'alerts.see' },
  { name: 'alert', read: page(({ alert }) => `/alerts/${alert}`), isOfOne: true, needs: 'alerts.see' },
  { name: 'alerts for programs', read: api('/api/v1/alerts'), needs: 'alerts.see' },
  {
    name: 'record of acts',
    read: page(({ open }) => `/audit?subject=concern:${open}`),
    isOfOne: true,
    needs: 'audit.see',
    isRecord: true,
    marks: byRow,
  },
  {
    name: 'record searched',
    read: page(({ open }) => `/audit?q=${open}`),
    isOfOne: true,
    needs: 'audit.see',
    isRecord: true,
    marks: byRow,
  },
  {
    name: 'row of the record',
    read: page(({ row }) => `/audit/rows/${row}`),
    isOfOne: true,
    needs: 'audit.see',
    isRecord: true,
  },
  { name: 'file of the record', read: page('/audit?format=csv'), needs: 'audit.see', isRecord: true, marks: byRow },
  { name: 'record for governors', read: page('/audit/governors'), needs: null },
  {
    name: 'incident made of a concern',
    read: page(({ open }) => `/incidents/new?concern=${open}`),
    isOfOne: true,
    needs: 'incidents.see',
    isGlimpse: true,
  },
  {
    name: 'illegal hits',
    read: api('/api/v1/evidence'),
    marks: ({ hit }) => [hit],
    needs: 'evidence.see',
    isRecord: true,
  },
  { name: 'list of incidents', read: incidentsPage('/incidents'), marks: ofIncident, needs: 'incidents.see' },
  {
    name: 'incident',
    read: (s, viewer, about) => incidentsPage(`/incidents/${about.incident}`)(s, viewer, about),
    marks: ofIncident,
    needs: 'incidents.see',
    isOfOne: true,
  },
  { name: 'incidents exported', read: exported, marks: ofIncident, needs: 'incidents.see' },
  { name: 'digest in the mail', read: digestOf, needs: 'concerns.see', isGlimpse: true },
  { name: 'digest', read: page('/reports/digest/2026-11-24'), needs: 'concerns.see', isGlimpse: true },
  { name: 'report for governors', read: page('/reports/governors/2026-11'), needs: null },
  { name: 'file for governors', read: page('/reports/governors/2026-11/csv'), needs: null },
  {
    name: 'access history',
    read: page('/history?person=nobody&from=2026-11-23T08:00&until=2026-11-23T09:00'),
    needs: null,
  },
];

const HOLDERS = ALL_ROLES.map((role) => [`holder-${role}`, [role]] as const);
const SUBJECTS: readonly (readonly [userName: string, roles: readonly Role[], heardBy: Role])[] = [
  ...ALL_ROLES.map((role) => [`subject-${role}`, [role], hearsOfStaff(role)] as const),
  ['subject-of-every-role', ALL_ROLES, 'chair-of-governors'],
  ['some-pupil', [], 'safeguarding-lead'],
];

/** Keeping children safe in education, part four: about staff the head, about the head the chair, about the chair somebody beside. */
function hearsOfStaff(role: Role): Role {
  if (role === 'headteacher' || role === 'vice-chair-of-governors') return 'chair-of-governors';
  return role === 'chair-of-governors' ? 'vice-chair-of-governors' : 'headteacher';
}

async function school(t: { teardown(work: () => unknown): void }): Promise<School> {
  const console = await testConsole();
  t.teardown(() => console.close());
  const people = [...HOLDERS, ...SUBJECTS.map(([userName, roles]) => [userName, roles] as const)];
  const mail = Object.fromEntries(people.map(([userName]) => [userName, `${userName}@school.example`]));
  console.disk = { snapshot: testPolicy({ alerts: { ...SHIPPED_ALERTS, mail }, hash: 'b'.repeat(64) }) };
  console.policy.look();
  for (const [userName, roles] of people) addApp(console, staffMember(console, userName, ...roles).personId);
  const subjects = SUBJECTS.map((one, n) => concernsAbout(console, one, n));
  console.clock.set(Date.parse('2026-11-24T07:15:00Z'));
  await console.keptReports.digest(console.clock());
  const head = {
    personId: personIdOf(console, 'holder-headteacher'),
    userName: 'holder-headteacher',
    address: '127.0.0.1',
  };
  await console.keptReports.make(head, 'governors', '2026-11');
  const viewers = people.map(([userName, roles]) => {
    const [browser, token] = [signedIn(console, userName), openSession(console, userName)];
    return { userName, roles, browser, token };
  });
  return Object.assign(console, { viewers, subjects });
}

function concernsAbout(s: TestConsole, [userName, roles, heardBy]: (typeof SUBJECTS)[number], n: number): About {
  const mark = `seen-${String(n).padStart(2, '0')}-x`;
  const [open, decided, due] = ['P', 'D', 'A'].map(
    (kind) => `01J00000000000000000000${kind}${String(n).padStart(2, '0')}`,
  );
  const at = s.clock();
  const times = { openedAt: at, firstAt: at, lastAt: at };
  const about = { subject: userName, subjectKind: 'person', personId: personIdOf(s, userName), level: 'ks2' } as const;
  s.record.write((tx) => {
    for (const [id, theme] of [
      [open!, 'self-harm'],
      [decided!, 'gambling'],
    ] as const) {
      insertConcern(tx, { id, ...about, theme, severity: 'danger', state: 'open', ...times });
      const facts = { subjectKind: 'person', client: '10.0.0.9', isIdentified: true, site: null } as const;
      const rest = { category: null, phrase: null, severity: null, topics: [] };
      const seen = {
        subject: userName,
        theme,
        host: `${mark}.example`,
        term: null,
        firstAt: at,
        lastAt: at,
        requests: 1,
      };
      insertSighting(
        tx,
        { id: `S${id}`, ...seen, verdict: 'block', level: 'ks2', facts: { ...facts, ...rest } as never },
        n,
      );
      linkEvidence(tx, id, `S${id}`);
      storeFinding(tx, id, {
        rule: `safeguarding.yaml#${mark}.rules.x`,
        severity: 'danger',
        points: 1,
        text: mark,
        policy: '',
      });
    }
    insertAlert(tx, { id: due!, concernId: open!, at, why: 'opened', severity: 'danger' });
  });
  takeDueAlerts(s.record, s.alerts, s.clock);
  const hit = `01J00000000000000000000H${String(n).padStart(2, '0')}`;
  const locked = {
    reason: 'illegal',
    step: 'illegal',
    category: 'csam',
    lists: ['members'],
    target: null,
    host: null,
  } as const;
  const data = sampleRecord({ ...locked, id: hit, locked: true, flagged: true, user: userName });
  s.safeguarding.take([JSON.stringify({ id: hit, type: 'illegal.hit', v: 1, at: new Date(at).toISOString(), data })]);
  const hearer = `holder-${heardBy}`;
  const actor = { personId: personIdOf(s, hearer), userName: hearer, address: '127.0.0.1' };
  s.concerns.one(actor, open!);
  s.concerns.move(actor, decided!, 'dismiss', `Because of ${mark}`);
  const told = `told-${String(n).padStart(2, '0')}-x`;
  const terms = { theme: 'bullying', what: told, happened: '', place: '', site: '', illegal: 'no' };
  const staff = roles.length > 0 ? userName : '';
  const incident = s.incidents.record(
    actor,
    terms,
    null,
    `01J00000000000000000000K${String(n).padStart(2, '0')}`,
    staff,
  );
  const row = s.record.read((tx) => newestRows(tx, `concern:${open!}`, 1))[0]!;
  const marks = [open!, decided!, due!, mark];
  return {
    userName,
    isStaff: roles.length > 0,
    heardBy,
    open: open!,
    decided: decided!,
    alert: due!,
    incident,
    told,
    hit,
    row: row.seq,
    marks,
  };
}

/** The digest as it is mailed: each line of it leads to its concern. */
async function digestOf(s: School, { userName }: Viewer): Promise<string> {
  const sent = s.record.read((tx) => s.deliveries.about(tx, 'report:digest:2026-11-24'));
  return JSON.stringify(sent.filter(({ recipient }) => recipient === `${userName}@school.example`));
}

/** Everything that was queued for somebody. */
async function mailOf(s: School, { userName }: Viewer): Promise<string> {
  const sql = 'SELECT content FROM deliveries WHERE recipient = ?';
  const rows = s.record.read((tx) => tx.all(sql, `${userName}@school.example`));
  const links = s.subjects.filter(({ alert }) =>
    s.record
      .read((tx) => s.deliveries.about(tx, `alert:${alert}`))
      .some((one) => one.recipient.startsWith(`${userName}@`)),
  );
  const texts = rows.map((row) => (JSON.parse(String(row['content'])) as OutgoingMail).text);
  return [...texts, ...links.map(({ alert }) => alert)].join('\n');
}

function maySee({ userName, roles }: Viewer, about: About): boolean {
  if (userName === about.userName) return false;
  return roles.includes(about.heardBy) || (!about.isStaff && roles.includes('headteacher'));
}

function shouldFind(viewer: Viewer, about: About, { name, needs, isRecord }: Surface): boolean {
  if (needs === null || !may(viewer.roles, needs)) return false;
  // The head sees what is about pupils, and is told of it when the safeguarding lead takes no notice.
  if (name === 'mail') return maySee(viewer, about) && viewer.roles.includes(about.heardBy);
  return maySee(viewer, about) || (isRecord === true && !about.isStaff && viewer.userName !== about.userName);
}

void t.test('for every role and subject: who hears, and who finds it nowhere', { timeout: 240_000 }, async (t) => {
  const s = await school(t);
  const wrong: string[] = [];
  for (const viewer of s.viewers) {
    for (const surface of SURFACES) {
      const ofAll = surface.isOfOne ? null : await surface.read(s, viewer, s.subjects[0]!);
      for (const about of s.subjects) {
        const text = ofAll ?? (await surface.read(s, viewer, about));
        const finds = (surface.marks?.(about) ?? about.marks).some((mark) => text.includes(mark));
        const should = shouldFind(viewer, about, surface);
        if (finds === should || (should && surface.isGlimpse === true)) continue;
        wrong.push(`${surface.name}: ${viewer.userName} ${finds ? 'finds' : 'misses'} what is about ${about.userName}`);
      }
    }
  }
  t.strictSame(wrong, []);
});

void t.test(
  'no other page shows anything of it either, whoever makes it and whatever it is for',
  { timeout: 240_000 },
  async (t) => {
    const s = await school(t);
    // The record shows what is about pupils to those who may read it: it has lines in the table.
    const pages = s.app.routeAccess.filter(
      ({ method, url, access }) => method === 'GET' && access !== 'public' && !/:|^\/audit$/.test(url),
    );
    t.ok(pages.length > 30, `${pages.length} pages`);
    const wrong: string[] = [];
    for (const viewer of s.viewers.filter(({ roles }) => roles.length > 0)) {
      for (const subject of ['people:all', 'devices:all', 'agreements:all']) await sayPurpose(viewer.browser, subject);
      for (const { url } of pages) {
        const text = await (url.startsWith('/api/') ? api : page)(url)(s, viewer, s.subjects[0]!);
        const hidden = s.subjects.filter((about) => !maySee(viewer, about));
        const found = hidden.filter(({ marks }) => marks.some((mark) => text.includes(mark)));
        wrong.push(...found.map(({ userName }) => `${url}: ${viewer.userName} finds what is about ${userName}`));
      }
    }
    t.strictSame(wrong, []);
  },
);

void t.test('nor can the subject do anything about it, whatever their roles', async (t) => {
  const s = await school(t);
  for (const about of s.subjects) {
    const { browser, roles } = s.viewers.find(({ userName }) => userName === about.userName)!;
    if (roles.length === 0) continue;
    const acts = [
      `/alerts/${about.alert}/notice`,
      ...(may(roles, 'concerns.decide') ? [`/concerns/${about.open}/acknowledge`] : []),
    ];
    for (const act of acts) {
      const { status } = await browser.post('/', act, act.startsWith('/concerns') ? { note: '' } : {});
      t.equal(status, 404, `${about.userName}, ${act}`);
    }
    const looks = await browser.get(`/audit/looks?person=${personIdOf(s, about.userName)}`);
    t.equal(looks.status, 403, 'nor who looked at their data');
  }
});

// What somebody had searched for among concerns stood in the record of acts: the head read there that the chair looked for their name.
void t.test('nor does the record say what was searched for among concerns', async (t) => {
  const s = await school(t);
  for (const { heardBy, userName } of s.subjects) {
    const { browser } = s.viewers.find((viewer) => viewer.userName === `holder-${heardBy}`)!;
    t.match(await browser.get(`/concerns?q=${userName}&state=all`), { status: 200 });
  }
  const rows = s.record.read((tx) => tx.all("SELECT payload FROM audit WHERE action = 'concerns.listed'"));
  t.equal(rows.length, s.subjects.length);
  for (const { payload } of rows) t.match(String(payload), '"after":{"state":"all","searched":"yes"}');
});
