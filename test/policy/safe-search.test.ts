import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import { canonicalHost, isWithin } from '../../src/kernel/host.ts';
import { diffPolicies } from '../../src/policy/diff.ts';
import { explain } from '../../src/policy/explain.ts';
import { decide } from '../../src/policy/decide.ts';
import { compileFolder } from '../../src/policy/load.ts';
import { NO_LIVE, prepareLive, preparePolicy } from '../../src/policy/prepare.ts';
import { SAFE_SEARCH, YOUTUBE } from '../../src/policy/safe-addresses.ts';
import { safeAddress, safeSettingsText } from '../../src/policy/safe-search.ts';
import type { CompiledLevel, PolicySnapshot } from '../../src/policy/snapshot.ts';
import { loadCatalogue } from '../../src/categories/catalogue.ts';
import { hostSpellings } from '../helpers/host-spellings.ts';
import { EVENING, JUNIOR, SENIOR, at, grant, match, problemsOf, request, snapshotOf, who } from './small-school.ts';

const ROOT = join(import.meta.dirname, '..', '..');
// Lists for developers lie beside the checkout; they are no part of the project.
const FACTS = join(ROOT, '..', 'shared', 'data', 'search');
const skip = existsSync(FACTS) ? false : `no lists in ${FACTS}`;

type Settings = Pick<CompiledLevel, 'safeSearch' | 'youtube'>;

function level(safeSearch: 'on' | 'off', youtube: 'strict' | 'moderate' | 'off'): CompiledLevel {
  const settings: Settings = { safeSearch: { value: safeSearch, rule: null }, youtube: { value: youtube, rule: null } };
  return { ...snapshotOf().levels['junior']!, ...settings };
}

const SAFE = level('on', 'strict');
const EVERY_HOST = [...SAFE_SEARCH.flatMap(({ hosts }) => hosts), ...YOUTUBE.hosts];

/** The address for a host as a client may spell it; `itself` where it is not bound. */
function addressOf(at: CompiledLevel, spelling: string): string {
  return safeAddress(at, canonicalHost(spelling)!.name)?.name ?? 'itself';
}

// Spelling → with everything on and strict, with SafeSearch alone, with YouTube moderate alone.
const GOOGLE = 'forcesafesearch.google.com';
const TABLE: readonly (readonly [string, string, string, string])[] = [
  ['www.google.com', GOOGLE, GOOGLE, 'itself'],
  ['google.com', GOOGLE, GOOGLE, 'itself'],
  ['WWW.Google.Co.UK.', GOOGLE, GOOGLE, 'itself'],
  ['www..google.de', GOOGLE, GOOGLE, 'itself'],
  ['www%2Egoogle.fr', GOOGLE, GOOGLE, 'itself'],
  ['www。google。pl', GOOGLE, GOOGLE, 'itself'],
  ['ｗｗｗ.google.com.au', GOOGLE, GOOGLE, 'itself'],
  ['images.google.ie', GOOGLE, GOOGLE, 'itself'],
  ['ipv6.google.com', GOOGLE, GOOGLE, 'itself'],
  ['www.google.co.za', GOOGLE, GOOGLE, 'itself'],
  ['www.bing.com', 'strict.bing.com', 'strict.bing.com', 'itself'],
  ['edgeservices.bing.com', 'strict.bing.com', 'strict.bing.com', 'itself'],
  ['DuckDuckGo.com', 'safe.duckduckgo.com', 'safe.duckduckgo.com', 'itself'],
  ['search.brave.com', 'forcesafe.search.brave.com', 'forcesafe.search.brave.com', 'itself'],
  ['www.ecosia.org', 'strict-safe-search.ecosia.org', 'strict-safe-search.ecosia.org', 'itself'],
  ['pixabay.com', 'safesearch.pixabay.com', 'safesearch.pixabay.com', 'itself'],
  ['яндекс.рф', '213.180.193.56', '213.180.193.56', 'itself'],
  ['yandex.com.tr', '213.180.193.56', '213.180.193.56', 'itself'],
  ['www.youtube.com', 'restrict.youtube.com', 'itself', 'restrictmoderate.youtube.com'],
  ['M.YouTube.com.', 'restrict.youtube.com', 'itself', 'restrictmoderate.youtube.com'],
  ['youtubei.googleapis.com', 'restrict.youtube.com', 'itself', 'restrictmoderate.youtube.com'],
  ['www.youtube-nocookie.com', 'restrict.youtube.com', 'itself', 'restrictmoderate.youtube.com'],
  // Look-alikes, other services of the same firms, and the safe addresses themselves.
  ['notgoogle.com', 'itself', 'itself', 'itself'],
  ['www.google.com.evil.test', 'itself', 'itself', 'itself'],
  ['google.com.evil.test', 'itself', 'itself', 'itself'],
  ['www-google.com', 'itself', 'itself', 'itself'],
  ['google.evil', 'itself', 'itself', 'itself'],
  ['xn--ggle-55da.com', 'itself', 'itself', 'itself'],
  ['classroom.google.com', 'itself', 'itself', 'itself'],
  ['accounts.youtube.com', 'itself', 'itself', 'itself'],
  ['storage.googleapis.com', 'itself', 'itself', 'itself'],
  ['forcesafesearch.google.com', 'itself', 'itself', 'itself'],
  ['restrictmoderate.youtube.com', 'itself', 'itself', 'itself'],
  ['142.250.187.196', 'itself', 'itself', 'itself'],
];

await t.test('which hosts are bound, by level', async (t) => {
  const alone = level('on', 'off');
  const video = level('off', 'moderate');
  const off = level('off', 'off');
  for (const [spelling, everything, search, moderate] of TABLE) {
    t.equal(addressOf(SAFE, spelling), everything, spelling);
    t.equal(addressOf(alone, spelling), search, `${spelling}, SafeSearch alone`);
    t.equal(addressOf(video, spelling), moderate, `${spelling}, YouTube moderate alone`);
    t.equal(addressOf(off, spelling), 'itself', `${spelling}, nothing`);
  }
});

await t.test('no spelling of a search host is left unbound', async () => {
  let readable = 0;
  fc.assert(
    fc.property(hostSpellings(EVERY_HOST, 'wide'), ({ host, text }) => {
      const read = canonicalHost(text);
      // What has no canonical form is refused before it is resolved.
      if (read === null) return;
      readable++;
      assert.equal(read.name, host);
      assert.notEqual(safeAddress(SAFE, read.name), null);
    }),
    { numRuns: 2000 },
  );
  assert.ok(readable > 1500, `${readable} of 2000 spellings could be read`);
});

await t.test('the table is well-formed: canonical names, each once, none bound to itself', async (t) => {
  for (const host of EVERY_HOST) t.strictSame(canonicalHost(host), { name: host, kind: 'name' }, host);
  t.equal(new Set(EVERY_HOST).size, EVERY_HOST.length);
  for (const host of EVERY_HOST) {
    t.equal(safeAddress(SAFE, safeAddress(SAFE, host)!.name), null, `${host}: its safe address is an end`);
  }
});

await t.test('each engine of the starter list of search engines is bound, or safe by itself', async (t) => {
  const lines = readFileSync(join(ROOT, 'blocklists', 'starter', 'search-engines.txt'), 'utf8').split('\n');
  const engines = lines.filter((line) => line !== '' && !line.startsWith('#'));
  t.ok(engines.length > 50);
  for (const engine of engines) {
    const isBound = EVERY_HOST.some((host) => isWithin(host, engine));
    t.ok(isBound || engine === 'swisscows.com', engine);
  }
});

await t.test('the table agrees with published lists', { skip }, async (t) => {
  const folder = join(FACTS, 'safesearch-dns');
  let lines = 0;
  for (const file of readdirSync(folder)) {
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      const [, host, safe] = /^\|([^^]+)\^\$dnsrewrite=NOERROR;(?:CNAME|A);(\S+)$/.exec(line) ?? [];
      if (host === undefined || safe === undefined) continue;
      lines++;
      t.equal(addressOf(level('on', 'moderate'), host), safe, host);
    }
  }
  t.ok(lines > 250, `${lines} lines`);
  const facts = JSON.parse(readFileSync(join(FACTS, 'safesearch-http.json'), 'utf8')) as {
    readonly youtube: readonly { readonly hosts?: readonly string[]; readonly never_block?: readonly string[] }[];
  };
  for (const { hosts = [], never_block: others = [] } of facts.youtube) {
    for (const host of hosts) t.equal(addressOf(SAFE, host), 'restrict.youtube.com', host);
    for (const host of others) t.equal(addressOf(SAFE, host), 'itself', host);
  }
});

await t.test('levels inherit the settings, and silence means the strictest', async (t) => {
  const { levels } = snapshotOf({
    'levels/junior.yaml': `${JUNIOR}safeSearch: on\nyoutube: moderate\n`,
    'levels/senior.yaml': `${SENIOR}safeSearch: off\n`,
    'levels/evening.yaml': `${EVENING}youtube: off\n`,
  });
  t.strictSame(
    ['junior', 'senior', 'evening'].map((name) => [levels[name]!.safeSearch, levels[name]!.youtube]),
    [
      [
        { value: 'on', rule: 'levels/junior.yaml#safeSearch' },
        { value: 'moderate', rule: 'levels/junior.yaml#youtube' },
      ],
      [
        { value: 'off', rule: 'levels/senior.yaml#safeSearch' },
        { value: 'moderate', rule: 'levels/junior.yaml#youtube' },
      ],
      [
        { value: 'on', rule: 'levels/junior.yaml#safeSearch' },
        { value: 'off', rule: 'levels/evening.yaml#youtube' },
      ],
    ],
  );
  const silent = snapshotOf().levels['senior']!;
  t.strictSame(
    [silent.safeSearch, silent.youtube].map(({ value, rule } = { value: 'off', rule: '' }) => [value, rule]),
    [
      ['on', null],
      ['strict', null],
    ],
  );
  t.equal(
    safeSettingsText(silent),
    'SafeSearch is forced (nobody says otherwise)\nYouTube is strictly restricted (nobody says otherwise)',
  );
});

await t.test('a wrong value is told with its line', async (t) => {
  const lines = JUNIOR.split('\n').length;
  t.strictSame(problemsOf({ 'levels/junior.yaml': `${JUNIOR}safeSearch: strict\nyoutube: on\n` }), [
    `levels/junior.yaml:${lines}: "safeSearch" must be one of on, off`,
    `levels/junior.yaml:${lines + 1}: "youtube" must be one of strict, moderate, off`,
  ]);
});

await t.test('a policy compiled before there were these settings binds everything', async (t) => {
  const { safeSearch, youtube, ...before } = snapshotOf().levels['junior']!;
  t.ok(safeSearch !== undefined && youtube !== undefined);
  t.equal(addressOf(before, 'www.google.com'), GOOGLE);
  t.equal(addressOf(before, 'www.youtube.com'), 'restrict.youtube.com');
  const old: PolicySnapshot = { ...snapshotOf(), levels: { junior: before } };
  const now: PolicySnapshot = { ...snapshotOf(), levels: { junior: snapshotOf().levels['junior']! } };
  t.strictSame(diffPolicies(old, now), []);
});

await t.test('changes in plain English, and which of them loosen', async (t) => {
  const before = snapshotOf({ 'levels/junior.yaml': `${JUNIOR}safeSearch: on\nyoutube: moderate\n` });
  const after = (text: string): [string, boolean][] =>
    diffPolicies(before, snapshotOf({ 'levels/junior.yaml': `${JUNIOR}${text}` })).map((change) => [
      change.text,
      change.loosens,
    ]);
  t.strictSame(after('safeSearch: off\nyoutube: off\n'), [
    ['All levels: SafeSearch is now not forced (was forced)', true],
    ['All levels: YouTube is now not restricted (was moderately restricted)', true],
  ]);
  t.strictSame(after('youtube: strict\n'), [
    ['All levels: YouTube is now strictly restricted (was moderately restricted)', false],
  ]);
  const adults = (text: string): PolicySnapshot =>
    snapshotOf({
      'levels/evening.yaml': `${EVENING.replace('extends: junior', 'extends: junior\nvoice: adult')}${text}`,
    });
  t.strictSame(diffPolicies(adults(''), adults('safeSearch: off\n')), [
    { text: 'Evening: SafeSearch is now not forced (was forced)', loosens: false },
  ]);
});

await t.test('the explanation says where the connection goes, and an unblock changes nothing about it', async (t) => {
  const snapshot = snapshotOf({ 'levels/senior.yaml': `${SENIOR}safeSearch: on\nyoutube: moderate\n` });
  const policy = preparePolicy(snapshot);
  const staffText = (name: string, host: string, open = NO_LIVE): string => {
    const asked = request(host, { who: who({ level: name }), match: match('games') });
    const now = at('2026-11-23T09:30:00Z');
    const about = { request: asked, canonical: `https://${host}/`, now, policy: snapshot, serial: 1 };
    const verdict = explain(decide(policy, open, asked, now), about);
    return verdict.explain.staff;
  };
  t.match(
    staffText('senior', 'www.google.co.uk'),
    '; SafeSearch is forced: connected to forcesafesearch.google.com (levels/senior.yaml#safeSearch); ',
  );
  t.match(
    staffText('senior', 'www.youtube.com'),
    '; YouTube is moderately restricted: connected to restrictmoderate.youtube.com (levels/senior.yaml#youtube); ',
  );
  t.notMatch(staffText('senior', 'www.example.com'), 'connected to');
  t.notMatch(staffText('junior', 'www.google.co.uk'), 'connected to', 'it is refused, so there is no connection');
  const unblock = prepareLive({ grants: [grant({ hosts: ['google.co.uk'], levels: ['junior'] })] });
  t.match(
    staffText('junior', 'www.google.co.uk', unblock),
    /^Allowed at step 6 of 10, unblock; .* SafeSearch is forced: connected to forcesafesearch\.google\.com \(nobody/,
  );
});

await t.test('the shipped levels', async (t) => {
  const { categories } = loadCatalogue(join(ROOT, 'blocklists'));
  const compiled = compileFolder(join(ROOT, 'policies'), categories);
  if ('problems' in compiled) throw new Error('the shipped policy does not compile');
  const { levels } = compiled.snapshot;
  const found = Object.entries(levels).map(([name, one]) =>
    [name, one.safeSearch!.value, one.youtube!.value].join(' '),
  );
  t.strictSame(found.sort(), [
    'guest on strict',
    'ks1 on strict',
    'ks2 on strict',
    'ks3 on strict',
    'ks4 on moderate',
    'sixth-form on moderate',
    'staff on off',
  ]);
});
