// A console with a large school on record, asked for its pages in this process: routes, record, templates; without the network.
import { join } from 'node:path';
import { loadCatalogue } from '../../src/categories/catalogue.ts';
import { NO_DIRECTORY } from '../../src/identity/directory-snapshot.ts';
import { examineTexts, readTexts } from '../../src/policy/load.ts';
import type { Unblock } from '../../src/unblock/model.ts';
import { insertUnblock, updateUnblock } from '../../src/unblock/repository.ts';
import { type PolicyFiles, START } from '../helpers/control-plane.ts';
import { generatedRoster, rosterFiles } from '../helpers/rosters.ts';
import { type TestBrowser, addPerson, personIdOf, sayPurpose, signedIn, testConsole } from '../helpers/test-console.ts';
import type { Figures } from './figures.ts';

/** Who and what a large school has on record. */
export interface PageSizes {
  readonly people: number;
  readonly auditRows: number;
  readonly unblocks: number;
  /** How often each page is asked for. */
  readonly asked: number;
}

const ROOT = join(import.meta.dirname, '../..');
const DAY = 86_400_000;
/** What everybody's day consists of, and what tables make of the largest of them. */
const PAGES = [
  '/',
  '/unblocks',
  '/unblocks?show=open',
  '/unblocks?q=topic+17&sort=topic',
  '/unblocks/new',
  '/unblocks/asked',
  '/unblocks/block',
  '/people',
  '/people?q=pupil+17&sort=name',
  '/classes',
  '/class?name=7x0',
  '/accounts',
  '/audit',
  '/audit?actor=n.manager',
  '/audit/governors',
  '/policy',
  '/policy/versions',
  '/concerns',
  '/alerts',
  '/agreements',
  '/guests',
  '/devices',
  '/lessons',
  '/lists',
  '/permissions',
] as const;

/** Adds the 95th percentile of the slowest page and the median of all; tells of each page. Throws where one is not answered with 200. */
export async function measurePages(figures: Figures, sizes: PageSizes, say: (text: string) => void): Promise<void> {
  const plane = await testConsole({ policyFiles: shippedPolicy() });
  try {
    await addPerson(plane, 'h.teacher', [
      'headteacher',
      'safeguarding-lead',
      'network-manager',
      'data-protection-officer',
    ]);
    await addPerson(plane, 'n.manager', ['network-manager']);
    await plane.directory.import(null, rosterFiles(generatedRoster(sizes.people)), true);
    fillUnblocks(plane, sizes.unblocks);
    fillAudit(plane, sizes.auditRows);
    const browser = signedIn(plane, 'h.teacher');
    for (const subject of ['people:all', 'devices:all', 'agreements:all']) await sayPurpose(browser, subject);
    const id = plane.unblocks.list(1)[0]!.id;
    const slowest = { page: '', p95: 0 };
    const all: number[] = [];
    for (const page of [...PAGES, `/unblocks/${id}`]) {
      const times = await timesOf(browser, page, sizes.asked);
      const p95 = times[Math.ceil(times.length * 0.95) - 1]!;
      say(`${p95.toFixed(1).padStart(7)} ms  ${page}`);
      all.push(times[times.length >> 1]!);
      if (p95 > slowest.p95) Object.assign(slowest, { page, p95 });
    }
    say(`slowest: ${slowest.page}`);
    figures.add('pages.p95', 'schoolgate', slowest.p95);
    figures.add('pages.p50', 'schoolgate', all.toSorted((a, b) => a - b)[all.length >> 1]!);
  } finally {
    await plane.close();
  }
}

/** Ms of server time, sorted; the first two are not counted: the code is compiled then. */
async function timesOf(browser: TestBrowser, page: string, asked: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = -2; i < asked; i++) {
    const begun = performance.now();
    const { status } = await browser.get(page);
    if (i >= 0) times.push(performance.now() - begun);
    if (status !== 200) throw new Error(`${page} was answered ${status}`);
  }
  return times.sort((a, b) => a - b);
}

/** As a school starts with it, with its agreements. */
function shippedPolicy(): PolicyFiles {
  const [policies, blocklists] = ['policies', 'blocklists'].map((name) => join(ROOT, name)) as [string, string];
  const texts = readTexts(policies);
  const catalogue = loadCatalogue(blocklists);
  return {
    read: () => texts,
    examine: (files) => examineTexts(files, catalogue, { people: NO_DIRECTORY, now: START }),
    write: () => null,
  };
}

type Plane = Awaited<ReturnType<typeof testConsole>>;

/** Over a year, most of them over, by the one and decided by the other. */
function fillUnblocks(plane: Plane, count: number): void {
  const [by, decider] = [personIdOf(plane, 'n.manager'), personIdOf(plane, 'h.teacher')];
  plane.record.write((tx) => {
    for (let i = 0; i < count; i++) {
      const at = plane.clock() - (count - i) * (365 / count) * DAY;
      const isWaiting = i >= count - 20;
      const unblock: Unblock = {
        id: `01H${String(i).padStart(23, '0')}`,
        topic: `Topic ${i} of the year`,
        subject: 'History',
        reason: 'Year 9 reads letters of soldiers of the Lancashire Fusiliers',
        hosts: [`letters${i}.museum.example`, 'maps.example'],
        categories: i % 5 === 0 ? ['games'] : [],
        classes: [`${7 + (i % 5)}x${i % 60}`],
        pupils: [`pupil${i}`],
        levels: ['ks2'],
        ranges: [],
        during: [],
        passesPersonBlock: false,
        risks: [],
        from: at,
        until: isWaiting ? plane.clock() + DAY : at + DAY,
        state: 'requested',
        requested: { by, at },
        decided: null,
        agreed: null,
        ended: null,
        outcome: null,
        remark: '',
      };
      insertUnblock(tx, unblock, null);
      if (isWaiting) continue;
      const decided = { by: decider, at: at + 60_000 * (i % 300) };
      updateUnblock(tx, { ...unblock, state: 'expired', decided, ended: { by: null, at: unblock.until } });
    }
  });
}

function fillAudit({ record, audit }: Plane, count: number): void {
  const acts = ['list.changed', 'unblock.requested', 'session.opened', 'policy.edited', 'person.looked-at'] as const;
  record.write((tx) => {
    for (let i = 0; i < count; i++) {
      audit.append(tx, {
        actor: i % 3 === 0 ? 'n.manager' : 'h.teacher',
        action: acts[i % acts.length]!,
        subject: `unblock:01H${String(i % 2000).padStart(23, '0')}`,
        after: { topic: `Topic ${i}`, hosts: ['letters.museum.example'] },
        reason: 'Asked for by a teacher of Year 9',
      });
    }
  });
}
