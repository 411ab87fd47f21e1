import { join } from 'node:path';
import { loadCatalogue } from '../../src/categories/catalogue.ts';
import type { AccessRecord } from '../../src/events/access-record.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import { compileFolder } from '../../src/policy/load.ts';
import type { Severity, Theme } from '../../src/policy/safeguarding-rules.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { seededRandom } from './generated-week.ts';

// A week of a secondary school with 1,500 pupils, as its proxy sees it, under the policy we ship: lessons, what devices do by themselves,
// what happens by mistake, and forty stories of which an adult should hear.

const ROOT = join(import.meta.dirname, '..', '..');
const CATEGORIES = loadCatalogue(join(ROOT, 'blocklists')).categories;

/** The policy in `policies/`, as shipped. */
export function shippedPolicy(): PolicySnapshot {
  const compiled = compileFolder(join(ROOT, 'policies'), CATEGORIES);
  if ('problems' in compiled) throw new Error(compiled.problems.map(({ reason }) => reason).join('\n'));
  return compiled.snapshot;
}

/** A concern that a story is to come to. */
export interface Planted {
  readonly subject: string;
  readonly theme: Theme;
  readonly severity: Severity;
}

export interface Story {
  readonly name: string;
  /** Several for a group; none where nothing must come of it. */
  readonly concerns: readonly Planted[];
}

export interface SchoolWeek {
  /** In the order in which they arrive (`at`, ms): roughly that of time, with gateways that were cut off coming late. */
  readonly arrivals: readonly { readonly at: number; readonly record: AccessRecord }[];
  readonly stories: readonly Story[];
  /** Monday's lesson on Nazi Germany for 9N, ms since the epoch, for an unblock or a lesson list. */
  readonly nazismLesson: { readonly pupils: readonly string[]; readonly from: number; readonly until: number };
}

const HOUR = 3_600_000;
const DAY = 86_400_000;
const MINUTE = 60_000;
export const HEAD_AND_LEAD = 'h.ead-and-lead';

interface Asker {
  readonly user: string | null;
  readonly client: string;
  readonly level: string;
  readonly account?: 'class';
}

interface Asked {
  readonly host: string | null;
  readonly category: string | null;
  /** Of plain http; left out: CONNECT. */
  readonly path?: string;
  /** More that lists know the host by. */
  readonly besides?: readonly string[];
  /** The gateway's clock was ahead, ms. */
  readonly ahead?: number;
  /** It came so much later, ms. */
  readonly late?: number;
}

/** The week that begins at `monday` (local midnight, ms). Times of stories are the school's, which is UTC in winter. */
export function schoolWeek(seed: number, monday: number, policy: PolicySnapshot): SchoolWeek {
  const week = new Week(seed, monday, policy);
  for (const pupil of week.pupils) week.liveThrough(pupil);
  for (const teacher of week.teachers) week.liveThrough(teacher);
  for (let i = 0; i < 60; i++) week.liveThrough({ user: null, client: `10.30.0.${i}`, level: policy.strictestLevel });
  return week.finish();
}

const GOOD = ['classroom.example', 'encyclopaedia.example', 'maths-practice.example', 'spelling.example'];
const ADVERTS = ['ads.example', 'ads2.example', 'pixel.example', 'metrics.example'];
/** What happens by mistake once in a while: a category, how many hosts of it there are, and how likely it is for one person in a week. */
const MISTAKES: readonly (readonly [category: string, hosts: number, share: number])[] = [
  ['adult', 40, 0.05],
  ['gambling', 20, 0.04],
  ['vpn-proxy', 15, 0.03],
  ['weapons', 10, 0.02],
  ['violence', 10, 0.01],
  ['drugs', 10, 0.015],
  ['alcohol-tobacco', 20, 0.05],
  ['hate', 6, 0.006],
  ['extremism', 6, 0.006],
  ['hacking', 10, 0.02],
  ['dating', 8, 0.01],
];
/** Words that mean something else. */
const HARMLESS = [
  'suicide squad trailer',
  'how to kill a mockingbird summary',
  'make a bath bomb at home',
  'buy weed killer for moss',
  'sussex weather',
  'dog grooming near me',
  'atomic bomb hiroshima date',
  'bomb calorimeter',
  'cutting wood safely',
  'how to make a paper plane',
  'proxy war cold war gcse',
  'cocaine bear age rating',
  'beat the bully story',
  'photosynthesis',
];

class Week {
  readonly pupils: Asker[];
  readonly teachers: Asker[];
  readonly #random: () => number;
  readonly #monday: number;
  readonly #policy: PolicySnapshot;
  readonly #arrivals: { readonly at: number; readonly record: Omit<AccessRecord, 'id'> }[] = [];
  readonly #stories: Story[] = [];
  /** Pupils with a story have no mistakes: what would come of both could not be told apart. */
  readonly #cast = new Set<Asker>();

  constructor(seed: number, monday: number, policy: PolicySnapshot) {
    this.#random = seededRandom(seed);
    this.#monday = monday;
    this.#policy = policy;
    const levels = ['ks3', 'ks3', 'ks3', 'ks4', 'ks4'];
    this.pupils = Array.from({ length: 1500 }, (_, i) => ({
      user: `pupil-${i}`,
      client: `10.20.${i >> 8}.${i & 255}`,
      level: levels[i % 5]!,
    }));
    this.teachers = Array.from({ length: 100 }, (_, i) => ({
      user: `teacher-${i}`,
      client: `10.21.0.${i}`,
      level: 'staff',
    }));
    this.#nazism = this.#tell();
  }

  readonly #nazism: SchoolWeek['nazismLesson'];

  finish(): SchoolWeek {
    this.#arrivals.sort((a, b) => a.at - b.at);
    let now = 0;
    const newId = createIdMaker(() => now);
    const arrivals = this.#arrivals.map(({ at, record }) => {
      now = at;
      return { at, record: Object.assign(record, { id: newId() }) };
    });
    return { arrivals, stories: this.#stories, nazismLesson: this.#nazism };
  }

  /** Five days of lessons, what devices do by themselves, mistakes. */
  liveThrough(who: Asker): void {
    for (let day = 0; day < 5; day++) {
      for (let lesson = 0; lesson < 2; lesson++) this.#lesson(who, this.#monday + day * DAY + (9 + 3 * lesson) * HOUR);
    }
    if (this.#cast.has(who)) return;
    for (const [category, hosts, share] of MISTAKES) {
      if (this.#random() < share)
        this.#page(who, this.#schoolTime(), `${category}-${this.#below(hosts)}.example`, category);
    }
    // An app that looks for its servers all day, on phones of a few.
    if (this.#random() < 0.015) this.#poll(who, 'vpn-app.example', 'vpn-proxy');
    if (this.#random() < 0.1) this.#poll(who, 'game-server.example', 'games');
    if (this.#random() < 0.15) this.#search(who, this.#schoolTime(), HARMLESS[this.#below(HARMLESS.length)]!);
  }

  #lesson(who: Asker, from: number): void {
    const at = from + this.#below(40 * MINUTE);
    this.#ask(who, at, { host: GOOD[this.#below(GOOD.length)]!, category: 'known-good' });
    this.#ask(who, at + 2000, { host: `site-${this.#below(400)}.example`, category: null });
    this.#ask(who, at + 2300, {
      host: ADVERTS[this.#below(ADVERTS.length)]!,
      category: this.#random() < 0.5 ? 'adverts' : 'trackers',
    });
    if (this.#random() < 0.3) this.#ask(who, at + 9000, { host: 'www.google.example', category: 'search-engines' });
    if (this.#random() < 0.06)
      this.#ask(who, at + 20_000, { host: 'plain.example', category: null, path: '/page?id=7' });
  }

  /** A page with what it loads: adverts beside it, some of them of a company that a list calls pornography. */
  #page(who: Asker, at: number, host: string, category: string): void {
    this.#ask(who, at, { host, category });
    for (let i = 0; i < 3; i++) this.#ask(who, at + 300 * i, { host: `cdn-${i}.${host}`, category });
    for (let i = 0; i < 4; i++) {
      this.#ask(who, at + 500 + 200 * i, { host: `ads-${i}.example`, category: 'adverts', besides: ['adult'] });
      this.#ask(who, at + 700 + 200 * i, { host: `third-${i}-of-${host}`, category });
    }
  }

  #poll(who: Asker, host: string, category: string): void {
    for (let day = 0; day < 5; day++) {
      const every = 5 * MINUTE + this.#below(100 * MINUTE);
      const from = this.#monday + day * DAY + 8.5 * HOUR;
      for (let at = from; at < from + 7 * HOUR; at += every) this.#ask(who, at + this.#below(2000), { host, category });
    }
  }

  #search(who: Asker, at: number, term: string, more: Partial<Asked> = {}): void {
    const path = `/search?q=${encodeURIComponent(term).replaceAll('%20', '+')}`;
    this.#ask(who, at, { host: 'www.bing.com', category: 'search-engines', path, ...more });
  }

  /** One request, and two more where it is refused: browsers try again. */
  #ask(who: Asker, at: number, asked: Asked): void {
    const record = this.#record(who, at + (asked.ahead ?? 0), asked);
    this.#arrivals.push({ at: at + (asked.late ?? 0), record });
    if (record.verdict === 'allow' || record.method !== 'CONNECT') return;
    for (const again of [700, 1900]) {
      this.#arrivals.push({
        at: at + again + (asked.late ?? 0),
        record: { ...record, at: iso(at + again + (asked.ahead ?? 0)) },
      });
    }
  }

  #record(who: Asker, at: number, { host, category, path, besides = [] }: Asked): Omit<AccessRecord, 'id'> {
    const traits = category === null ? null : this.#policy.categories[category]!;
    const locked = traits?.locked === true;
    const level = this.#policy.levels[who.level]!;
    const action = locked ? 'block' : category === null ? 'allow' : (level.categories[category]?.action ?? 'block');
    const isBlocked = action === 'block' || action === 'warn';
    return {
      at: iso(at),
      gateway: 'hall',
      worker: 0,
      client: who.client,
      user: who.user,
      identified: who.user === null ? 'none' : 'session',
      ...(who.account !== undefined && { account: who.account }),
      level: who.level,
      method: path === undefined ? 'CONNECT' : 'GET',
      target: locked || host === null ? null : path === undefined ? `${host}:443` : `http://${host}${path}`,
      host: locked ? null : host,
      verdict: isBlocked ? 'block' : 'allow',
      action,
      reason: locked ? 'illegal' : category === null ? 'uncategorised' : 'category',
      step: locked ? 'illegal' : 'level',
      category,
      categories: category === null ? [] : [category, ...besides],
      lists: [],
      flagged: locked || action === 'monitor' || (isBlocked && traits?.flag === true),
      locked,
      rule: null,
      policy: this.#policy.hash,
      serial: 1,
      status: isBlocked ? 403 : 200,
      up: 0,
      down: 0,
      ms: 1,
    };
  }

  /** The forty stories; gives the lesson of one of them. */
  #tell(): SchoolWeek['nazismLesson'] {
    const free = [...this.pupils];
    const cast = (level?: string): Asker => {
      const fit = level === undefined ? free : free.filter((one) => one.level === level);
      const one = fit[this.#below(fit.length)]!;
      free.splice(free.indexOf(one), 1);
      this.#cast.add(one);
      return one;
    };
    const story = (name: string, ...concerns: readonly (readonly [Asker, Theme, Severity])[]): void => {
      const planted = concerns.map(([who, theme, severity]) => ({ subject: who.user ?? who.client, theme, severity }));
      this.#stories.push({ name, concerns: planted });
    };
    const day = (n: number, hour: number): number => this.#monday + n * DAY + hour * HOUR;
    const visits = (who: Asker, category: string, times: readonly number[], sites = times.length): void => {
      for (const [i, at] of times.entries()) this.#page(who, at, `${category}-of-story-${i % sites}.example`, category);
    };
    const evenly = (from: number, count: number, apart: number): number[] =>
      Array.from({ length: count }, (_, i) => from + i * apart);

    for (let i = 0; i < 3; i++) {
      const who = cast();
      visits(who, 'self-harm', [day(i, 23), day(i, 23.7), day(i + 1, 1)]);
      story('a child at night', [who, 'self-harm', 'danger']);
    }
    for (const words of ['how to kill myself', 'I WANT TO DIE', 'painless ways to end my life']) {
      const who = cast();
      this.#search(who, this.#schoolTime(), words);
      story(`a search for “${words}”`, [who, 'self-harm', 'danger']);
    }
    const thin = cast();
    visits(thin, 'eating-disorders', [day(1, 12.5)]);
    story('a page about starving', [thin, 'self-harm', 'advisory']);
    for (let i = 0; i < 2; i++) {
      const who = cast();
      visits(who, 'self-harm', [day(0, 10), day(2, 10), day(4, 10)]);
      story('over days', [who, 'self-harm', 'danger']);
    }
    const lesson = { from: day(0, 11), until: day(0, 12) };
    const pupils = Array.from({ length: 28 }, () => cast('ks3'));
    for (const [i, who] of pupils.entries()) visits(who, 'extremism', [lesson.from + i * MINUTE]);
    const [one] = pupils as [Asker];
    visits(one, 'extremism', evenly(lesson.from + 20 * MINUTE, 4, 3 * MINUTE));
    story('a class studies Nazism with a declared topic, and one goes on', [one, 'extremism', 'caution']);
    for (const words of ['how to join ISIS', 'race war now']) {
      const who = cast();
      this.#search(who, day(1, 14), words);
      story(`a search for “${words}”`, [who, 'extremism', 'danger']);
    }
    for (let i = 0; i < 2; i++) {
      const who = cast();
      for (const n of [0, 2, 4]) visits(who, n === 2 ? 'hate' : 'extremism', [day(n, 13), day(n, 13.5)]);
      story('extremist sites over days', [who, 'extremism', 'caution']);
    }
    for (let i = 0; i < 2; i++) {
      const group = Array.from({ length: 5 }, () => cast());
      for (const [k, who] of group.entries())
        visits(who, 'vpn-proxy', evenly(day(i + 1, 10) + k * MINUTE, 6, 2 * MINUTE));
      story('a group hunts for proxies', ...group.map((who) => [who, 'circumvention', 'caution'] as const));
    }
    const asker = cast();
    this.#search(asker, day(1, 9.2), 'bypass school filter reddit');
    story('asks how to get round the filter', [asker, 'circumvention', 'advisory']);
    const [teacher, other] = this.teachers as [Asker, Asker];
    this.#cast.add(teacher).add(other);
    visits(
      teacher,
      'adult',
      [0, 1, 2].flatMap((n) => [day(n, 16.5), day(n, 16.8)]),
    );
    story('a member of staff', [teacher, 'pornography', 'caution']);
    visits(other, 'gambling', evenly(day(3, 12), 6, 5 * MINUTE));
    story('a member of staff who bets', [other, 'gambling', 'advisory']);
    const head: Asker = { user: HEAD_AND_LEAD, client: '10.21.0.200', level: 'staff' };
    visits(
      head,
      'gambling',
      [0, 1, 2, 3].flatMap((n) => [day(n, 12), day(n, 15)]),
    );
    story('the safeguarding lead who is the head', [head, 'gambling', 'caution']);
    for (let i = 0; i < 3; i++) {
      const who = cast();
      visits(who, 'adult', evenly(day(i, 12.4), 5, 4 * MINUTE));
      story('looks for pornography', [who, 'pornography', 'caution']);
    }
    for (let i = 0; i < 2; i++) {
      const who = cast();
      visits(who, 'weapons', evenly(day(i + 1, 15.2), 5, 6 * MINUTE));
      story('weapons', [who, 'violence', 'caution']);
    }
    const bomb = cast();
    this.#search(bomb, day(2, 11), 'how to make a bomb out of household things');
    story('a search for a bomb', [bomb, 'violence', 'danger']);
    for (const words of ['buy xanax uk', 'weed dealer snapchat']) {
      const who = cast();
      this.#search(who, day(3, 13), words);
      story(`a search for “${words}”`, [who, 'drugs', 'caution']);
    }
    const vapes = cast();
    for (const n of [0, 1, 2, 3]) visits(vapes, 'alcohol-tobacco', [day(n, 12.3), day(n, 13.2)]);
    story('vapes over days', [vapes, 'drugs', 'advisory']);
    for (const [words, theme, severity] of [
      ['my dad hits me what do i do', 'abuse', 'danger'],
      ['forced to marry my cousin help', 'abuse', 'danger'],
      ['send nudes', 'abuse', 'caution'],
      ['being bullied at school', 'bullying', 'caution'],
      ['how to make a fake account of a girl', 'bullying', 'caution'],
    ] as const) {
      const who = cast();
      this.#search(who, this.#schoolTime(), words);
      story(`a search for “${words}”`, [who, theme, severity]);
    }
    const bettor = cast();
    visits(
      bettor,
      'gambling',
      [0, 1, 2, 3].flatMap((n) => [day(n, 12.2), day(n, 15.5)]),
    );
    story('bets every day', [bettor, 'gambling', 'caution']);
    const hit = cast();
    this.#ask(hit, day(1, 10.1), { host: 'unnamed.example', category: 'csam' });
    story('listed illegal material', [hit, 'illegal', 'danger']);
    const library: Asker = { user: null, client: '10.30.0.200', level: this.#policy.strictestLevel };
    visits(library, 'drugs', evenly(day(4, 12), 5, 5 * MINUTE));
    story('a device on which nobody is signed in', [library, 'drugs', 'caution']);
    const shared: Asker = { user: 'class-3b', client: '10.20.9.9', level: 'ks2', account: 'class' };
    this.#search(shared, day(2, 10), 'kill myself');
    story('the account of a class', [shared, 'self-harm', 'danger']);
    const ahead = cast();
    for (const at of evenly(day(1, 11), 3, 40 * MINUTE))
      this.#ask(ahead, at, { host: 'self-harm-a.example', category: 'self-harm', ahead: 5 * HOUR });
    story('a gateway whose clock is five hours ahead', [ahead, 'self-harm', 'danger']);
    const late = cast();
    for (const [i, at] of evenly(day(0, 22), 2, HOUR).entries()) {
      this.#ask(late, at, { host: `self-harm-late-${i}.example`, category: 'self-harm', late: 2 * DAY - i * HOUR });
    }
    story('a gateway that was cut off for two days, and tells the newest first', [late, 'self-harm', 'danger']);
    return { ...lesson, pupils: pupils.map(({ user }) => user!) };
  }

  #schoolTime(): number {
    return this.#monday + this.#below(5) * DAY + 9 * HOUR + this.#below(6.5 * HOUR);
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
