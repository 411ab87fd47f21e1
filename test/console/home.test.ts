import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import type { ListStatus } from '../../src/categories/list-status.ts';
import { SETUP, SHIPPED_SCHOOL } from '../../src/console/setup.ts';
import { WAITING } from '../../src/console/waiting.ts';
import { START, testPolicy } from '../helpers/control-plane.ts';
import { PROJECT } from '../helpers/stack.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { NO_LISTS, addPerson, personIdOf, signedIn, testConsole, type TestConsole } from '../helpers/test-console.ts';

const HELD = { id: 'ut1', health: 'last-good', held: { id: 'ut1', entries: 1, before: 9, sha256: 'a', path: '/x' } };
const TERMS = {
  topic: 'Tudors',
  reason: 'Year 5',
  hosts: ['tudors.example'],
  categories: [],
  subject: '',
  classes: [],
  pupils: [],
  ranges: [],
  during: [],
  passesPersonBlock: false,
  levels: ['ks2'],
  from: START,
  until: START + 3_600_000,
};

const ROLES = {
  'h.teacher': 'headteacher',
  'n.manager': 'network-manager',
  'd.lead': 'safeguarding-lead',
  't.teacher': 'teacher',
  'g.overnor': 'governor',
} as const;

async function staffed(options: Parameters<typeof testConsole>[0] = {}): Promise<TestConsole> {
  const console = await testConsole(options);
  for (const [name, role] of Object.entries(ROLES)) await addPerson(console, name, [role]);
  return console;
}

/** The lines of the home page's list, as somebody reads them. */
async function waitingFor(console: TestConsole, userName: string): Promise<string[]> {
  const { body } = await signedIn(console, userName).get('/');
  const list = body.split('Waiting for you')[1]!.split('</h2>')[1]!.split('<h2')[0]!.split('console-notice')[0]!;
  return [...list.matchAll(/href="([^"]+)">([^<]+)</g)].map(([, href, text]) => `${text} ${href}`);
}

void t.test('what waits for somebody is what they can do something about', async (t) => {
  const refused = { folder: '/drop', files: [], refused: { at: '2026-11-23T02:30:00.000Z', text: 'not imported' } };
  const listUpdates = { ...NO_LISTS, status: () => [HELD as unknown as ListStatus] };
  const console = await staffed({ dropFolder: refused, listUpdates });
  t.teardown(() => console.close());
  const actor = (userName: string) => ({ personId: personIdOf(console, userName), userName, address: 'local' });
  console.disk = { snapshot: testPolicy({ hash: 'b'.repeat(64), school: 'Other' }) };
  console.policy.look();
  const { id } = console.policy.status().drafts[0]!;
  console.drafts.propose(actor('n.manager'), id, 'b'.repeat(64), 'new name');
  const unblock = await console.unblocks.request(actor('t.teacher'), TERMS);

  const decides = [
    `1 policy change waits for your approval /policy/drafts/${id}`,
    `1 unblock for you to decide /unblocks/${unblock.id}`,
  ];
  t.strictSame(await waitingFor(console, 'h.teacher'), decides);
  t.strictSame(await waitingFor(console, 'd.lead'), decides);
  t.strictSame(
    await waitingFor(console, 'n.manager'),
    [
      decides[1],
      '1 roster was not imported /people/import',
      '1 update of a list lost many entries and waits for you /lists',
    ],
    'but not their own proposal',
  );
  t.strictSame(await waitingFor(console, 't.teacher'), [], 'nor their own request');
  t.strictSame(await waitingFor(console, 'g.overnor'), []);

  await console.unblocks.request(actor('t.teacher'), { ...TERMS, topic: 'Stuarts' });
  t.ok(
    (await waitingFor(console, 'h.teacher')).includes('2 unblocks for you to decide /unblocks'),
    'several lead to the list',
  );
  t.equal(new Set(WAITING.map(({ words }) => words[0])).size, WAITING.length);
});

void t.test(
  'the use of the sealed credential stands on everybody’s home page, and waits for the headteacher',
  async (t) => {
    const console = await staffed();
    t.teardown(() => console.close());
    const head = { personId: personIdOf(console, 'h.teacher'), userName: 'h.teacher', address: 'local' };
    const code = console.sealedCredential.make(head);
    console.sealedCredential.use({ code, name: '<b>Dep', reason: '"fire"', address: '::1' });
    const expected = 'gave the name “&lt;b&gt;Dep”, because: “&quot;fire&quot;”';
    for (const userName of Object.keys(ROLES)) {
      t.match((await signedIn(console, userName).get('/')).body, expected, userName);
    }
    const line = '1 sealed credential was used and has to be made anew /accounts/sealed-credential';
    t.ok((await waitingFor(console, 'h.teacher')).includes(line));
    t.notOk((await waitingFor(console, 'n.manager')).includes(line));
    console.sealedCredential.make(head);
    t.notOk((await waitingFor(console, 'h.teacher')).includes(line), 'until it is made');
  },
);

void t.test('setting up shows what is left to whoever can do it, and goes when all is done', async (t) => {
  const console = await staffed({ dataDir: tempFolder(t) });
  t.teardown(() => console.close());
  const setup = async (userName: string): Promise<string> =>
    (await signedIn(console, userName).get('/')).body.split('Setting up</h2>')[1]?.split('<h2')[0] ?? '';
  const manager = await setup('n.manager');
  t.match(manager, '2 of 12 steps are done');
  t.match(manager, 'Import the roster');
  t.notMatch(manager, 'Make the accounts', 'what is done is not shown');
  t.notMatch(await setup('h.teacher'), 'Import the roster', 'as the headteacher cannot');
  t.equal(await setup('t.teacher'), '', 'a teacher has nothing to set up');
});

void t.test('each step of setting up is done by what it asks for', async (t) => {
  const person = (userName: string, role: string) => ({ id: userName, userName, fullName: userName, roles: [role] });
  const nothing = {
    people: [],
    policy: testPolicy({ school: SHIPPED_SCHOOL }),
    lists: [{ id: 'starter-games', health: 'in-force' }],
    backups: { recipient: null, folder: null, kept: [] },
    sealed: { is: 'none' },
    isRosterThere: false,
    sendsMail: false,
    hasIllegalList: false,
    hasTraffic: false,
    now: '2026-11-23T09:00:00.000Z',
  };
  const calendar = { terms: [{ name: 'Autumn', from: '2026-09-01', to: '2026-12-18' }], holidays: [], slots: [] };
  const ranges = [{ cidr: '10.0.0.0/8', level: 'ks2', name: 'all' }];
  const mail = { 'h.t': 'h@school.example', 'd.l': 'd@school.example' };
  const everything = {
    ...nothing,
    people: [person('h.t', 'headteacher'), person('n.m', 'network-manager'), person('d.l', 'safeguarding-lead')],
    policy: testPolicy({ calendar, identity: { mode: 'open', ranges }, alerts: { mail } as never }),
    lists: [{ id: 'ut1-games', health: 'in-force' }],
    backups: { recipient: 'age1', folder: '/mnt', kept: [] },
    sealed: { is: 'sealed' },
    isRosterThere: true,
    sendsMail: true,
    hasIllegalList: true,
    hasTraffic: true,
  };
  for (const { text, isDone } of SETUP) {
    t.equal(isDone(nothing as never), false, text);
    t.equal(isDone(everything as never), true, text);
  }
  const school = SETUP.find(({ text }) => text === 'Say which school this is')!;
  t.equal(school.isDone({ ...everything, now: '2026-12-19T09:00:00.000Z' } as never), false, 'the last term is over');
  const shipped = parse(readFileSync(join(PROJECT, 'policies', 'school.yaml'), 'utf8')) as { name: string };
  t.equal(shipped.name, SHIPPED_SCHOOL, 'the name that is shipped is known');
});

void t.test('whoever can write down terms is told in time', async (t) => {
  const console = await staffed();
  t.teardown(() => console.close());
  // Written in any order: the one that ends last was taken to be the one written last.
  const terms = [
    { name: 'Summer', from: '2027-04-12', to: '2027-07-20' },
    { name: 'Spring', from: '2027-01-05', to: '2027-03-25' },
  ];
  console.policy.published = () => {
    const version = console.policy.version(1)!.version;
    return { ...version, snapshot: testPolicy({ calendar: { terms, holidays: [], slots: [] } }) };
  };
  const status = console.policy.status.bind(console.policy);
  console.policy.status = () => ({ ...status(), published: console.policy.published() });
  const notice = async (at: string, userName: string): Promise<string | undefined> => {
    console.clock.set(Date.parse(at));
    return /The last term in school.yaml \w+ on [\d/]+/.exec((await signedIn(console, userName).get('/')).body)?.[0];
  };
  t.equal(await notice('2027-05-01T09:00Z', 'n.manager'), undefined);
  t.equal(await notice('2027-06-10T09:00Z', 'n.manager'), 'The last term in school.yaml ends on 20/07/2027');
  t.equal(await notice('2027-08-10T09:00Z', 'n.manager'), 'The last term in school.yaml ended on 20/07/2027');
  t.equal(await notice('2027-08-10T09:00Z', 't.teacher'), undefined);
});
