import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import { localTime } from '../../../src/kernel/local-time.ts';
import type { SafeguardingRules } from '../../../src/policy/safeguarding-rules.ts';
import { assess, pointsOf } from '../../../src/safeguarding/concerns/assess.ts';
import { worstPhrase } from '../../../src/safeguarding/concerns/match-phrases.ts';
import { searchTerm } from '../../../src/safeguarding/concerns/search-terms.ts';
import type { Sighting } from '../../../src/safeguarding/concerns/sighting.ts';
import { shippedPolicy } from '../../helpers/school-week.ts';

const rules: SafeguardingRules = shippedPolicy().safeguarding!;
const MONDAY = Date.UTC(2026, 10, 23);
const HOUR = 3_600_000;
const local = (at: number): ReturnType<typeof localTime> => localTime(at, 'Europe/London');

/** A visit so many hours after Monday's midnight. */
function visit(hours: number, site: string, change: Partial<Sighting> & { readonly category?: string } = {}): Sighting {
  const at = MONDAY + hours * HOUR;
  const { category = 'vpn-proxy', ...more } = change;
  return {
    id: `${site} ${hours}`,
    subject: 'p.upil',
    theme: 'circumvention',
    host: site,
    term: null,
    firstAt: at,
    lastAt: at,
    requests: 1,
    verdict: 'block',
    level: 'ks3',
    facts: {
      subjectKind: 'person',
      client: '10.0.0.1',
      isIdentified: true,
      site,
      category,
      phrase: null,
      severity: null,
      reason: 'category',
      topics: [],
    },
    ...more,
  };
}

const sites = (count: number, from: number, apart: number): Sighting[] =>
  Array.from({ length: count }, (_, i) => visit(from + i * apart, `site-${i}.example`));

void t.test('the rules of a theme hold what their words say', async (t) => {
  const TABLE: readonly (readonly [what: string, sightings: readonly Sighting[], rules: readonly string[]])[] = [
    ['nothing', [], []],
    ['four proxies in an hour', sites(4, 10, 0.2), []],
    ['five proxies in an hour', sites(5, 10, 0.2), ['Trying one after another']],
    ['five proxies in a day', sites(5, 10, 1), []],
    ['five proxies on one page', sites(5, 10, 0.0005), []],
    ['one proxy all day', Array.from({ length: 80 }, (_, i) => visit(9 + i * 0.1, 'app.example')), []],
    [
      'one proxy each hour for five days',
      Array.from({ length: 40 }, (_, i) => visit(9 + (i % 8) + 24 * Math.floor(i / 8), 'app.example')),
      [],
    ],
    ['six proxies over three days', sites(6, 10, 11), ['Over days']],
    ['three proxies at night', sites(3, 22, 0.2), []],
    [
      'five proxies, one at night',
      [...sites(4, 20.1, 0.2), visit(21.5, 'night.example')],
      ['Trying one after another'],
    ],
  ];
  for (const [what, sightings, expected] of TABLE) {
    const found = assess(sightings, 'circumvention', rules, local);
    t.strictSame(
      found.map(({ rule }) => rule.name),
      expected,
      what,
    );
  }
});

void t.test('a finding does not depend on the order of what was seen', async (t) => {
  const some = fc.array(
    fc.record({
      hours: fc.integer({ min: 0, max: 24 * 400 }).map((n) => n / 100),
      site: fc.integer({ min: 0, max: 8 }),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(some, (all) => {
      const sightings = all.map(({ hours, site }) => visit(hours, `s-${site}.example`));
      const text = (found: ReturnType<typeof assess>): string =>
        JSON.stringify(found.map(({ rule, points, counted }) => [rule.name, points, [...counted].sort()]));
      const forwards = text(assess(sightings, 'circumvention', rules, local));
      t.equal(text(assess(sightings.toReversed(), 'circumvention', rules, local)), forwards);
    }),
    { numRuns: 100 },
  );
});

void t.test(
  'points count more at night and for the youngest, and a level that nobody is known by counts once',
  async (t) => {
    const TABLE: readonly (readonly [level: string, isIdentified: boolean, minute: number, points: number])[] = [
      ['ks3', true, 720, 4],
      ['ks3', true, 1259, 4],
      ['ks3', true, 1260, 8],
      ['ks3', true, 359, 8],
      ['ks3', true, 360, 4],
      ['ks2', true, 720, 6],
      ['ks1', true, 0, 16],
      ['ks1', false, 720, 4],
    ];
    for (const [level, isIdentified, minute, expected] of TABLE) {
      const { facts } = visit(10, 'a.example', { category: 'self-harm' });
      const points = pointsOf({ theme: 'self-harm', level, facts: { ...facts, isIdentified } }, minute, rules);
      t.equal(points, expected, `${level} at minute ${minute}`);
    }
  },
);

void t.test('phrases are whole words, and false friends are none', async (t) => {
  const TABLE: readonly (readonly [
    theme: 'self-harm' | 'violence' | 'drugs' | 'circumvention',
    term: string,
    found: string | null,
  ])[] = [
    ['self-harm', 'How to kill myself', 'how to kill myself'],
    ['self-harm', 'i  want-to DIE!!', 'want to die'],
    ['self-harm', 'suicide squad trailer', null],
    ['self-harm', 'suicide squad how to kill myself', 'how to kill myself'],
    ['self-harm', 'suicides in rome', null],
    ['self-harm', 'hide cuts on arm', 'hide cut*'],
    ['violence', 'how to make a bath bomb', null],
    ['violence', 'how to make a bomb', 'how to make a bomb'],
    ['violence', 'how to make a bombay potato', null],
    ['drugs', 'buy weed killer', null],
    ['drugs', 'buy weed', 'buy weed'],
    ['circumvention', 'proxy war cold war', null],
    ['circumvention', '', null],
  ];
  for (const [theme, term, expected] of TABLE) {
    t.equal(worstPhrase(term, rules.themes[theme]!)?.phrase ?? null, expected, `${theme}: ${term}`);
  }
});

void t.test('what was searched for is read where an engine shows it', async (t) => {
  const TABLE: readonly (readonly [target: string, term: string | null])[] = [
    ['http://www.google.co.uk/search?q=how+to+x&safe=active', 'how to x'],
    ['http://google.com/search?hl=en&q=caf%C3%A9', 'café'],
    ['http://google.example.com/search?q=x', null],
    ['http://www.bing.com/search?q=', null],
    ['http://uk.search.yahoo.com/search?p=x%20y', 'x y'],
    ['http://www.youtube.com/results?search_query=x', 'x'],
    ['http://example.com/?q=x', null],
    ['www.google.com:443', null],
    ['http://www.google.com:8080/search?q=x', 'x'],
    [`http://www.google.com/search?q=${'a'.repeat(100_000)}`, 'a'.repeat(500)],
  ];
  for (const [target, term] of TABLE) t.equal(searchTerm(target), term, target.slice(0, 80));
  t.equal(searchTerm('http://engine.example/find?query=x', ['search-engines']), 'x', 'an engine that lists know');
  t.equal(searchTerm('http://engine.example/find?query=x', ['news']), null);
  fc.assert(fc.property(fc.string(), (text) => void searchTerm(text)));
});

const ENGINES = join(import.meta.dirname, '../../../../shared/data/search/matomo/SearchEngines.yml');
void t.test(
  'engines as others describe them are read the same',
  { skip: existsSync(ENGINES) ? false : `${ENGINES} is not here` },
  async (t) => {
    const { parse } = await import('yaml');
    type Described = readonly { readonly urls: readonly string[]; readonly params: readonly string[] }[];
    const engines = parse(readFileSync(ENGINES, 'utf8')) as Readonly<Record<string, Described>>;
    for (const name of ['Google', 'Bing', 'DuckDuckGo', 'Ecosia', 'Qwant', 'Startpage', 'Yandex', 'Yahoo!', 'Brave']) {
      const described = engines[name]?.find(({ urls }) => urls.length > 0);
      const parameter = described?.params.find((one) => !one.startsWith('/'));
      if (described === undefined || parameter === undefined) continue;
      const host = described.urls[0]!.replace('{}', 'co.uk').split('/')[0]!;
      t.equal(searchTerm(`http://${host}/search?${parameter}=two+words`), 'two words', `${name}: ${host} ${parameter}`);
    }
  },
);
