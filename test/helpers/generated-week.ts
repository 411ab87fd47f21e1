import type { AccessRecord } from '../../src/events/access-record.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Site {
  readonly host: string | null;
  readonly category: string | null;
  /** How much of the traffic goes there. */
  readonly weight: number;
  readonly refusedAt: readonly string[];
  readonly reason?: 'illegal' | 'malformed' | 'fault' | 'block-list';
}

const PUPILS = ['ks1', 'ks2', 'ks3', 'ks4'];
const NAMED: readonly Site[] = [
  { host: 'classroom.example', category: 'known-good', weight: 30, refusedAt: [] },
  { host: 'encyclopedia.example', category: 'known-good', weight: 22, refusedAt: [] },
  { host: 'search.example', category: 'search', weight: 40, refusedAt: [] },
  { host: 'video.example', category: 'video', weight: 18, refusedAt: ['ks1', 'ks2'] },
  { host: 'photos.example', category: 'social', weight: 14, refusedAt: ['ks1', 'ks2', 'ks3', 'staff'] },
  { host: 'chat.example', category: 'social', weight: 6, refusedAt: PUPILS },
  { host: 'blocks-game.example', category: 'games', weight: 12, refusedAt: ['ks1', 'ks2', 'ks3', 'ks4'] },
  { host: 'free-tunnel.example', category: 'proxies', weight: 3, refusedAt: [...PUPILS, 'staff'] },
  { host: 'bets.example', category: 'gambling', weight: 1, refusedAt: [...PUPILS, 'staff'] },
  { host: 'ads.example', category: 'adverts', weight: 45, refusedAt: PUPILS },
  { host: 'pixel.example', category: 'trackers', weight: 30, refusedAt: PUPILS },
  { host: 'shop.example', category: 'shopping', weight: 8, refusedAt: ['ks1', 'ks2'] },
  {
    host: 'a-site-of-the-schools-own-block-list.example',
    category: null,
    weight: 1,
    refusedAt: PUPILS,
    reason: 'block-list',
  },
  { host: null, category: 'csam', weight: 0.02, refusedAt: [...PUPILS, 'staff'], reason: 'illegal' },
  { host: null, category: null, weight: 0.05, refusedAt: [...PUPILS, 'staff'], reason: 'malformed' },
  { host: 'broken.example', category: null, weight: 0.03, refusedAt: [...PUPILS, 'staff'], reason: 'fault' },
];
const LONG_TAIL: readonly Site[] = Array.from({ length: 300 }, (_, index) => ({
  host: `site-${index + 1}.example`,
  category: index % 3 === 0 ? 'reference' : null,
  weight: 12 / (index + 4),
  refusedAt: [],
}));
const SITES = [...NAMED, ...LONG_TAIL];
const TOTAL_WEIGHT = SITES.reduce((sum, site) => sum + site.weight, 0);

/**
 * Records of a school week that begins at `from` (ms), in the order their requests began: lessons from Monday to Friday,
 * refused CONNECTs that browsers repeat, adverts alongside pages, devices nobody signed in on; 96 % CONNECT.
 */
export function generateWeek(seed: number, from: number, count: number): AccessRecord[] {
  const random = seededRandom(seed);
  const records: Omit<AccessRecord, 'id'>[] = [];
  while (records.length < count) {
    const begun = from + schoolInstant(random);
    const record = makeRecord(random, begun);
    records.push(record);
    // Browsers try a refused CONNECT again, and open several connections for one page.
    const repeats = record.verdict === 'block' ? 2 : Math.floor(random() * 3);
    for (let again = 1; again <= repeats && records.length < count; again++) {
      records.push({ ...record, at: iso(begun + again * Math.floor(random() * 3500)), up: 200, down: 0 });
    }
  }
  records.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  let now = 0;
  const newId = createIdMaker(() => now);
  return records.map((record) => {
    now = Date.parse(record.at);
    return Object.assign(record, { id: newId() });
  });
}

function schoolInstant(random: () => number): number {
  const day = Math.floor(random() * 5);
  const isLate = random() < 0.04;
  const hour = isLate ? 16 + random() * 6 : 8.6 + random() * 7;
  return Math.floor((day * 24 + hour) * 3_600_000);
}

function makeRecord(random: () => number, at: number): Omit<AccessRecord, 'id'> {
  const who = makePerson(random);
  const site = pickSite(random);
  const isBlocked = site.refusedAt.includes(who.level);
  const isTunnel = site.reason === undefined ? random() < 0.96 : site.reason !== 'illegal';
  const target = site.host === null ? null : isTunnel ? `${site.host}:443` : `http://${site.host}/`;
  return {
    at: iso(at),
    gateway: 'hall',
    worker: Math.floor(random() * 2),
    ...who,
    method: isTunnel ? 'CONNECT' : 'GET',
    target,
    host: site.host,
    verdict: isBlocked ? 'block' : 'allow',
    action: isBlocked ? 'block' : 'allow',
    reason: isBlocked ? (site.reason ?? 'category') : site.category === null ? 'uncategorised' : 'category',
    step: site.reason === 'illegal' ? 'illegal' : 'level',
    category: site.category,
    categories: site.category === null ? [] : [site.category],
    lists: site.category === null ? [] : [`list-${site.category}`],
    flagged: isBlocked && !['adverts', 'trackers', null].includes(site.category),
    locked: site.reason === 'illegal',
    rule: null,
    policy: 'policy-of-the-week',
    serial: 7,
    status: isBlocked ? 403 : 200,
    up: isBlocked ? 0 : Math.floor(random() * 4000),
    down: isBlocked ? 0 : Math.floor(random() ** 4 * 2_000_000),
    ms: isBlocked ? 1 : Math.floor(random() ** 3 * 120_000),
  };
}

function makePerson(random: () => number): Pick<AccessRecord, 'client' | 'user' | 'identified' | 'level'> {
  const number = Math.floor(random() * 400);
  const client = `10.20.${number >> 8}.${number & 255}`;
  const kind = random();
  if (kind < 0.07) return { client: `10.20.9.${number % 40}`, user: null, identified: 'none', level: 'ks1' };
  if (kind < 0.2) return { client: `10.30.0.${number % 60}`, user: null, identified: 'range', level: 'ks2' };
  if (number < 40) return { client, user: `teacher-${number}`, identified: 'proxy-auth', level: 'staff' };
  return { client, user: `pupil-${number}`, identified: 'proxy-auth', level: PUPILS[number % 4]! };
}

function pickSite(random: () => number): Site {
  let rest = random() * TOTAL_WEIGHT;
  for (const site of SITES) {
    rest -= site.weight;
    if (rest < 0) return site;
  }
  return SITES.at(-1)!;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
