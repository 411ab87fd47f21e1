import { join } from 'node:path';
import { buildIndex } from '../../src/categories/build-index.ts';
import { loadCatalogue } from '../../src/categories/catalogue.ts';
import type { Lists, OnStep, UpdateReport } from '../../src/categories/service.ts';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import { examineTexts, readTexts } from '../../src/policy/load.ts';
import type { PolicyTexts } from '../../src/policy/texts.ts';
import { insertAlert, insertConcern } from '../../src/safeguarding/concerns/repository.ts';
import { NO_TERMS } from '../../src/unblock/terms.ts';
import { takeDueAlerts } from '../../src/compose/concern-alerts.ts';
import { NO_DIRECTORY } from '../../src/identity/directory-snapshot.ts';
import { ALL_ROLES } from '../../src/identity/roles.ts';
import type { PolicyFiles } from './control-plane.ts';
import { START } from './control-plane.ts';
import { PROJECT } from './stack.ts';
import { tempFolder } from './temp-folder.ts';
import {
  NO_LISTS,
  type TestBrowser,
  type TestConsole,
  addPerson,
  personIdOf,
  sayPurpose,
  signedIn,
  testConsole,
} from './test-console.ts';

const PEOPLE = `username,id,given name,family name,role,year,classes
ann,p1,Ann,Featherstonehaugh-Cholmondeley,pupil,5,5A
bob,p2,Bob,Bell,pupil,5,5B
`;

/** A console in which there is one of everything, and somebody who may see it all. */
export interface FullConsole extends TestConsole {
  /** A session of somebody with every role. */
  readonly token: string;
  /** What addresses name: `:id` of each kind of page. */
  readonly ids: Readonly<Record<string, string>>;
}

interface Test {
  teardown(end: () => Promise<void> | void): unknown;
}

const HOUR_MS = 3_600_000;
const WEEK = '2026-W47';

/** The caller closes it. */
export async function fullConsole(t: Test): Promise<FullConsole> {
  const dataDir = tempFolder(t);
  createDataFolders(dataLayout(dataDir));
  const listsDir = join(PROJECT, 'blocklists');
  await buildIndex({ listsDir, layout: dataLayout(dataDir), clock: () => START });
  const listUpdates: Lists = { ...NO_LISTS, update: (_actor, _which, onStep) => neverDone(onStep!) };
  const console = await testConsole({ dataDir, listUpdates, policyFiles: shippedFiles(listsDir) });
  await addPerson(console, 'a.all', ALL_ROLES);
  await addPerson(console, 'h.teacher', ['headteacher']);
  await addPerson(console, 'n.manager', ['network-manager']);
  await console.directory.import(null, [{ name: 'people.csv', text: PEOPLE }], true);
  const browser = signedIn(console, 'a.all');
  const person = personIdOf(console, 'ann');
  await sayPurpose(browser, `person:${person}`);
  const ids = {
    person,
    account: personIdOf(console, 'n.manager'),
    ...policyIds(console),
    ...concernIds(console, person),
    incident: await incidentId(console, browser),
    check: checkId(console),
    report: await reportId(console),
    guest: guestId(console),
    unblock: await unblockId(console),
    wish: wishId(console),
    work: String((await browser.post('/lists', '/lists/update', {})).headers['location']),
    invitation: console.staff.invite(actorOf(console, 'a.all'), {
      fullName: 'Gwen Governor',
      userName: '',
      roles: ['governor'],
      endsAt: null,
    }).token,
  };
  return Object.assign(console, { ids, token: browser.cookies.get('schoolgate-session')! });
}

/** A list that is still on its way. */
function neverDone(onStep: OnStep): Promise<UpdateReport> {
  onStep({ doing: 'fetching', done: 1, of: 3 });
  return new Promise(() => {});
}

function actorOf(console: TestConsole, userName: string) {
  return { personId: personIdOf(console, userName), userName, address: '127.0.0.1' };
}

/** The policy as it is shipped, which is never written to. */
function shippedFiles(listsDir: string): PolicyFiles {
  const [texts, catalogue] = [readTexts(join(PROJECT, 'policies')), loadCatalogue(listsDir)];
  return {
    read: () => texts,
    examine: (files) => examineTexts(files, catalogue, { people: NO_DIRECTORY, now: START }),
    write: () => null,
  };
}

/** A draft, one that has been overtaken, and the version that did so. */
function policyIds(console: TestConsole) {
  const { drafts, policy } = console;
  const [author, other] = [actorOf(console, 'a.all'), actorOf(console, 'h.teacher')];
  const titled = (title: string): PolicyTexts => {
    const { files } = policy.published()!;
    return { ...files!, 'levels/ks1.yaml': files!['levels/ks1.yaml']!.replace(/^title:.*$/m, `title: ${title}`) };
  };
  const [late, first, open] = ['1', '2', '3'].map((digit) => `01J000000000000000000D000${digit}`);
  drafts.begin(author, late!);
  drafts.save(author, late!, 1, titled('Key stage one'));
  drafts.begin(author, first!);
  drafts.save(author, first!, 1, titled('Infants'));
  drafts.propose(author, first!, drafts.view(first!).hash!, 'Asked for by governors');
  drafts.approve(other, first!, drafts.view(first!).hash!);
  drafts.begin(author, open!);
  return { draft: open!, overtaken: late!, version: String(policy.published()!.serial) };
}

function concernIds({ record, clock, alerts }: TestConsole, personId: string) {
  const at = clock();
  const [concern, alert] = ['01J000000000000000000C0001', '01J000000000000000000A0001'];
  const what = { theme: 'self-harm', severity: 'danger', state: 'open', level: 'ks2' } as const;
  const who = { subject: 'ann', subjectKind: 'person', personId } as const;
  record.write((tx) => {
    insertConcern(tx, { id: concern, ...who, ...what, openedAt: at, firstAt: at, lastAt: at });
    insertAlert(tx, { id: alert, concernId: concern, at, why: 'opened', severity: 'danger' });
  });
  takeDueAlerts(record, alerts, clock);
  return { concern, alert };
}

async function unblockId(console: TestConsole): Promise<string> {
  const terms = { ...NO_TERMS, topic: 'Tudor England', reason: 'Year 5 history', hosts: ['tudors.example'] };
  const when = { levels: ['ks2'], from: START, until: START + HOUR_MS };
  return (await console.unblocks.request(actorOf(console, 'n.manager'), { ...terms, ...when })).id;
}

function wishId(console: TestConsole): string {
  const asker = { ...actorOf(console, 'n.manager'), fullName: 'Nadia Manager' };
  return console.wishes.make(
    asker,
    { kind: 'close', sites: 'bullies.example', reason: 'Pupils are bullied there.' },
    null,
  ).id;
}

async function incidentId(console: TestConsole, browser: TestBrowser): Promise<string> {
  const typed = { theme: 'bullying', what: 'Names were called in a chat.', happened: '', place: '', site: '' };
  const id = console.incidents.record(actorOf(console, 'a.all'), { ...typed, illegal: 'no' }, null, newKey('B'));
  await sayPurpose(browser, `incident:${id}`);
  await sayPurpose(browser, 'incidents:all');
  return id;
}

function checkId(console: TestConsole): string {
  const typed = { when: '2026-11-23T08:50', level: 'ks2', device: 'iPad 7', place: 'Library' };
  const found = { tested: 'A gambling site', result: 'passed', action: '' };
  console.checks.record(actorOf(console, 'n.manager'), { ...typed, ...found }, newKey('E'));
  return console.checks.list()[0]!.id;
}

async function reportId(console: TestConsole): Promise<string> {
  await console.keptReports.make(actorOf(console, 'a.all'), 'weekly', WEEK);
  return WEEK;
}

function newKey(letter: string): string {
  return `01J000000000000000000${letter}0001`;
}

function guestId(console: TestConsole): string {
  const guest = { name: 'Grace Visitor', purpose: 'A talk on bridges', from: START, until: START + HOUR_MS };
  return console.vouchers.make(actorOf(console, 'n.manager'), guest).voucher.guest.id;
}
