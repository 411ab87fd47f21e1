import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import { formatProblem } from '../../src/kernel/errors.ts';
import { diffPolicies } from '../../src/policy/diff.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { NETWORK_DEFAULTS } from '../../src/policy/compile-network.ts';
import { entryText, parseEntry } from '../../src/policy/entry.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { readPolicy } from '../../src/policy/read.ts';
import {
  CATEGORIES,
  EVENING,
  FILES,
  JUNIOR,
  RULES,
  SCHOOL,
  SENIOR,
  at,
  files,
  problemsOf,
  snapshotOf,
} from './small-school.ts';

await t.test('every kind of mistake is reported with file and line, and says what to do', async (t) => {
  const school = (from: string, to: string): Record<string, string> => ({ 'school.yaml': SCHOOL.replace(from, to) });
  const junior = (from: string, to: string): Record<string, string> => ({
    'levels/junior.yaml': JUNIOR.replace(from, to),
  });
  const rules = (from: string, to: string): Record<string, string> => ({ 'rules.yaml': RULES.replace(from, to) });
  const table: [string, Record<string, string | null>, RegExp[]][] = [
    ['no school.yaml', { 'school.yaml': null }, [/^school\.yaml: is missing/]],
    [
      'no levels at all',
      { 'levels/junior.yaml': null, 'levels/senior.yaml': null, 'levels/evening.yaml': null, 'rules.yaml': null },
      [
        /^school\.yaml:8: "junior" is not a level/,
        /^levels: has no level/,
        /^school\.yaml:10: "senior" is not a level/,
      ],
    ],
    ['a file nothing reads', { 'rule.yaml': 'people: []' }, [/^rule\.yaml: is not read/]],
    ['a level file with a strange name', { 'levels/KS 2.yaml': JUNIOR }, [/^levels\/KS 2\.yaml: is not read/]],
    ['another ending', { 'levels/ks2.yml': JUNIOR }, [/^levels\/ks2\.yml: is not read/]],
    [
      'a strange setting',
      school('name:', 'nome:'),
      [/^school\.yaml:\d+: "name" is missing/, /^school\.yaml:2: "nome"/],
    ],
    [
      'checks: no category, a locked one, no site',
      school(
        'identity:',
        'checks: { everyDays: 7, refused: { csam: a.example, nothing: b.example, games: co.uk }, open: [help.example, "no site"] }\nidentity:',
      ),
      [
        /^school\.yaml:6: "csam" is locked/,
        /^school\.yaml:6: "nothing" is no category/,
        /^school\.yaml:6: “co\.uk” stands for every site/,
        /^school\.yaml:6: “no site” is not a site/,
      ],
    ],
    [
      'reports: no time, the hour of the clocks, no days',
      school(
        'identity:',
        'reports:\n  digest: { at: "7", days: [] }\n  weekly: { at: "01:30", day: fri }\n  governors: { at: "24:00" }\nidentity:',
      ),
      [
        /^school\.yaml:7: "days" names none/,
        /^school\.yaml:7: "7" is not a time of day/,
        /^school\.yaml:8: must not lie between 01:00 and 02:00/,
        /^school\.yaml:9: "24:00" is not a time of day/,
      ],
    ],
    [
      'reports: strange days',
      school('identity:', 'reports: { weekly: { day: friday }, governors: { day: 29 } }\nidentity:'),
      [/^school\.yaml:6: /, /^school\.yaml:6: /],
    ],
    [
      'agreements: an unknown level, one level in two files, no words, a strange name',
      {
        'agreements/a.yaml': 'title: A\nlevels: [junior, ks9]\ntext: [Be kind.]\n',
        'agreements/b.yaml': 'title: B\nlevels:\n  - junior\ntext: [Be kind.]\n',
      },
      [
        /^agreements\/a\.yaml:2: "ks9" is not a level/,
        /^agreements\/b\.yaml:3: "junior" has an agreement already, in agreements\/a/,
      ],
    ],
    [
      'an agreement without words',
      { 'agreements/a.yaml': 'title: A\nlevels: [junior]\n' },
      [/^agreements\/a\.yaml:1: "text" is missing/],
    ],
    [
      'an agreement with a strange name',
      { 'agreements/A 1.yaml': 'title: A\n' },
      [/^agreements\/A 1\.yaml: is not read/],
    ],
    [
      'what the school says of agreements and cards',
      school('identity:', 'agreements: { parentConsent: [ks9], yearBegins: "02-29" }\nidentity:\n  keepCards: [ks8]'),
      [/"ks8" is not a level/, /"ks9" is not a level/, /"02-29" is not a day of the year/],
    ],
    [
      'how long data is kept',
      school('identity:', 'retention: { history: 30, auditDetails: 99999, mail: 3 }\nidentity:'),
      [/^school\.yaml:\d+: "retention\.mail" is not a known setting/],
    ],
    [
      'how long data may be kept',
      school('identity:', 'retention:\n  history: 30\n  auditDetails: 99999\nidentity:'),
      [/"retention\.history" is from 35 to 1095 days: /, /"retention\.auditDetails" is from 365 to 9125 days: /],
    ],
    ['a time zone', school('Europe/London', 'London'), [/^school\.yaml:3: "London" is not a time zone/]],
    [
      'an unknown strictest level',
      school('strictestLevel: junior', 'strictestLevel: ks9'),
      [/^school\.yaml:8: "ks9" is not/],
    ],
    [
      'a bad range',
      school('10.1.0.0/16', '10.1.0.0/33'),
      [/^school\.yaml:10: "10\.1\.0\.0\/33" is not an address range/],
    ],
    ['a range of an unknown level', school('level: senior', 'level: ks9'), [/^school\.yaml:10: "ks9" is not a level/]],
    [
      'the same range twice',
      school('name: Upper school }', 'name: Upper school }\n    - { cidr: 10.1.2.3/16, level: junior, name: Again }'),
      [/^school\.yaml:11: "10\.1\.2\.3\/16" is the same range as one above/],
    ],
    [
      'an end of the school day, and shared addresses',
      school('mode: open', 'mode: open\n  schoolDayEnds: "6pm"\n  shared: [10.9.0.0/16, nat]'),
      [/^school\.yaml:9: "nat" is not an address range/, /^school\.yaml:8: "6pm" is not a time of day/],
    ],
    [
      'a school day without end',
      school('mode: open', 'mode: open\n  schoolDayEnds: "24:00"'),
      [/"24:00" is not a time of/],
    ],
    [
      'the network',
      {
        'school.yaml': `${SCHOOL}
network:
  clients: []
  allowDestinations: [intranet]
  connectPorts: [{ port: 443 }, { port: 443, tls: false }]
  httpPorts: [80, 80]
`,
      },
      [
        /^school\.yaml:14: "intranet" is not an address range/,
        /^school\.yaml:13: "network\.clients" is empty/,
        /^school\.yaml:15: port 443 is named twice/,
        /^school\.yaml:16: port 80 is named twice/,
      ],
    ],
    [
      'words for illegal material that are not plain',
      {
        'school.yaml': `${SCHOOL}illegal:
  csam:
    heading: <b>Stop</b>
    text:
      - Fine.
      - "Two\\nlines"
      - "Back\\u202ewards"
  terrorism: { heading: Stop, text: [" "] }
`,
      },
      [
        /^school\.yaml:13: "illegal\.csam\.heading" is plain text/,
        /^school\.yaml:16: "illegal\.csam\.text\.1" is one line of plain text/,
        /^school\.yaml:17: "illegal\.csam\.text\.2" is one line/,
        /^school\.yaml:18: "illegal\.terrorism\.text\.0" is empty/,
      ],
    ],
    [
      'words for illegal material that are too many or too few',
      {
        'school.yaml': `${SCHOOL}illegal:
  csam: { heading: ${'x'.repeat(81)}, text: [] }
  terrorism:
    heading: Stop
    text: [a, b, c, d, e, f]
  adult: { heading: Stop, text: [x] }
`,
      },
      [
        /^school\.yaml:16: "illegal\.adult" is not a known setting/,
        /^school\.yaml:12: "illegal\.csam\.heading" must not have more than 80/,
        /^school\.yaml:12: "illegal\.csam\.text" must not have fewer than 1/,
        /^school\.yaml:15: "illegal\.terrorism\.text" must not have more than 5/,
      ],
    ],
    [
      'a port out of range',
      { 'school.yaml': `${SCHOOL}network: { httpPorts: [70000] }` },
      [/^school\.yaml:11: .*httpPorts/],
    ],
    [
      'an entry with a scheme',
      school('never.example,', 'https://a.example/x,'),
      [/^school\.yaml:5: .*such as a\.example\/x/],
    ],
    ['an entry with a port', school('never.example,', '"a.example:8080",'), [/^school\.yaml:5: .*without a port/]],
    ['an entry that is no site', school('never.example,', '"a b",'), [/^school\.yaml:5: "a b" is not a site/]],
    ['an entry twice', school('never.example,', 'never.example, "*.NEVER.example.",'), [/^school\.yaml:5: .* twice/]],
    [
      'an unknown category',
      junior('gambling: block', 'gamblin: block'),
      [/^levels\/junior\.yaml:11: "gamblin" is not a category/],
    ],
    [
      'an unknown action',
      junior('gambling: block', 'gambling: refuse'),
      [/^levels\/junior\.yaml:11: .*allow, monitor, warn, block/],
    ],
    [
      'a locked category, opened',
      junior('gambling: block', 'csam: allow'),
      [/^levels\/junior\.yaml:11: "csam" is locked/],
    ],
    [
      'a locked category, named at all',
      junior('gambling: block', 'csam: block'),
      [/^levels\/junior\.yaml:11: "csam" is locked/],
    ],
    ['a locked category in a class', rules('gambling: allow', 'csam: allow'), [/^rules\.yaml:4: "csam" is locked/]],
    [
      'allowed and blocked',
      junior('block: [closed', 'block: [helpline.example, closed'),
      [/^levels\/junior\.yaml:16: "helpline\.example" is both/],
    ],
    [
      'a whole suffix allowed',
      junior('allow: [', 'allow: [co.uk, '),
      [/^levels\/junior\.yaml:16: "co\.uk" would allow every site/],
    ],
    [
      'ranges that are none, or all the world, or stand twice',
      junior('allow: [', 'allow: [0.0.0.0/5, "::/12", 203.0.113.0/33, 203.0.113.9/24, 203.0.113.0/24, '),
      [
        /^levels\/junior\.yaml:16: "203\.0\.113\.0\/33" is not an address range; write it as /,
        /^levels\/junior\.yaml:16: "203\.0\.113\.0\/24" stands in this list twice/,
        /^levels\/junior\.yaml:16: "0\.0\.0\.0\/5" would allow a good part of all addresses/,
        /^levels\/junior\.yaml:16: "::\/12" would allow a good part/,
      ],
    ],
    [
      'a range among a lesson’s sites',
      rules('sites: [lesson.example]', 'sites: [lesson.example, 203.0.113.0/24]'),
      [/^rules\.yaml:16: a lesson’s site is a host, such as example\.com, and no range/],
    ],
    ['no voice', junior('voice: child', ''), [/^levels\/junior\.yaml:\d+: "voice" is missing/]],
    ['no uncategorised', junior('uncategorised: allow', ''), [/^levels\/junior\.yaml:\d+: "uncategorised" is missing/]],
    [
      'an unknown parent',
      { 'levels/senior.yaml': SENIOR.replace('extends: junior', 'extends: jnuior') },
      [/^levels\/senior\.yaml:4: "jnuior" is not a level/],
    ],
    [
      'a circle',
      { 'levels/junior.yaml': `${JUNIOR}\nextends: evening\n` },
      [/^levels\/junior\.yaml:20: .*circle \(evening → junior → evening\)/],
    ],
    [
      'a level that extends itself',
      junior('voice: child', 'voice: child\nextends: junior'),
      [/^levels\/junior\.yaml:4: .*circle \(junior → junior\)/],
    ],
    ['a file ending without its dot', junior('.exe', 'exe'), [/^levels\/junior\.yaml:18: "exe" is not a file ending/]],
    [
      'hours that end as they begin',
      { 'levels/evening.yaml': EVENING.replace('16:00', '08:00') },
      [/^levels\/evening\.yaml:6: "to" is the same time as "from"/],
    ],
    [
      'hours that are no time',
      { 'levels/evening.yaml': EVENING.replace('16:00', '24:01') },
      [/^levels\/evening\.yaml:6: times are written/],
    ],
    [
      'hours on no day',
      { 'levels/evening.yaml': EVENING.replace('mon, tue, wed, thu, fri', '') },
      [/^levels\/evening\.yaml:6: .*no day/],
    ],
    [
      'a person of an unknown level',
      rules('name: Ann, level: junior', 'name: Ann, level: ks9'),
      [/^rules\.yaml:12: "ks9" is not a level/],
    ],
    [
      'a person in an unknown group',
      rules('junior, groups: [9x]', 'junior, groups: [9x, 9z]'),
      [/^rules\.yaml:12: "9z" is not a group/],
    ],
    ['a person twice', rules('name: Bob', 'name: ANN'), [/^rules\.yaml:13: "ANN" is described twice/]],
    [
      'a person with no usable name',
      rules('name: Bob', 'name: "b:ob"'),
      [/^rules\.yaml:13: "b:ob" is not a user name/],
    ],
    [
      'a suspension until nonsense',
      rules('2026-11-24T00:00:00Z', '24/11/2026'),
      [/^rules\.yaml:14: "suspended" is "always", or until when/],
    ],
    ['a group twice', rules('name: 9y', 'name: 9x'), [/^rules\.yaml:7: group "9x" is described twice/]],
    ['a lesson of an unknown group', rules('{ group: 9x', '{ group: 9z'), [/^rules\.yaml:16: "9z" is not a group/]],
    [
      'a lesson without a zone',
      rules('2026-11-23T11:00:00Z', '2026-11-23T11:00:00'),
      [/^rules\.yaml:16: "from" must be a time with its zone/],
    ],
    [
      'a lesson that ends before it begins',
      rules('2026-11-23T12:00:00Z', '2026-11-23T10:00:00Z'),
      [/^rules\.yaml:16: "until" must be later/],
    ],
    [
      'a lesson with a path',
      rules('sites: [lesson.example]', 'sites: [lesson.example/a]'),
      [/^rules\.yaml:16: .*whole host, such as lesson\.example/],
    ],
    ['a broken file', { 'levels/senior.yaml': 'title: "Senior\n' }, [/^levels\/senior\.yaml:\d+: /]],
  ];
  for (const [name, changes, expected] of table) {
    const problems = problemsOf(changes);
    t.equal(problems.length, expected.length, `${name}: ${problems.join(' | ')}`);
    for (const [i, pattern] of expected.entries()) t.match(problems[i], pattern, name);
  }
  t.strictSame(problemsOf({}), [], 'the files as they are have none');
  t.strictSame(problemsOf({ 'rules.yaml': null }), [], 'rules.yaml may be left out');
});

await t.test('the problems of all files come at once', async (t) => {
  const problems = problemsOf({
    'levels/senior.yaml': SENIOR.replace('games: allow', 'gamse: allow'),
    'levels/junior.yaml': JUNIOR.replace('gambling: block', 'csam: allow'),
    'rules.yaml': RULES.replace('level: junior, groups', 'level: ks9, groups'),
  });
  t.strictSame(problems.map((problem) => problem.split(':')[0]!).sort(), [
    'levels/junior.yaml',
    'levels/senior.yaml',
    'rules.yaml',
  ]);
});

await t.test('inheritance is resolved', async (t) => {
  const { levels } = snapshotOf({
    'levels/third.yaml':
      'title: Third\nextends: senior\nvoice: adult\ndownloads: { block: [] }\nblock: [helpline.example]\n',
    'levels/fourth.yaml':
      'title: Fourth\nextends: evening\nhours: []\ncategories: { adult: monitor }\nuncategorised: block\n',
  });
  const third = levels['third']!;
  t.strictSame(third.categories['adult'], { action: 'block', rule: 'levels/junior.yaml#categories.adult' });
  t.strictSame(third.categories['games'], { action: 'allow', rule: 'levels/senior.yaml#categories.games' });
  t.strictSame(third.uncategorised, { action: 'allow', rule: 'levels/junior.yaml#uncategorised' });
  t.equal(third.voice, 'adult');
  t.equal(third.downloads, null, 'an empty list lifts what was inherited');
  t.strictSame(third.entries.allow.map(entryText), ['mixed.example/ok', 'closed.example'], 'said again: replaced');
  t.strictSame(third.entries.block.map(entryText), ['mixed.example', 'half.example/bad', 'helpline.example']);
  const fourth = levels['fourth']!;
  t.equal(fourth.hours, null);
  t.equal(fourth.voice, 'child');
  t.equal(fourth.categories['adult']?.action, 'monitor');
  t.equal(fourth.uncategorised.action, 'block');
  t.strictSame(fourth.downloads?.extensions, ['.exe', '.tar.gz']);
  t.strictSame(levels['evening']?.hours?.windows, [{ days: [0, 1, 2, 3, 4], from: 480, to: 960 }]);
});

await t.test('the rest of a snapshot', async (t) => {
  const snapshot = snapshotOf();
  t.strictSame(snapshot.network, NETWORK_DEFAULTS, 'what school.yaml does not say has its default');
  t.strictSame(snapshot.people['ann']?.groups, ['9x'], 'people are found by their name in small letters');
  t.equal(snapshot.people['cy']?.rules?.suspended?.until, at('2026-11-24T00:00:00Z'));
  t.strictSame(snapshot.contacts, { pupils: 'Ms Okoro', staff: 'the IT office' });
  const own = snapshotOf({
    'school.yaml': `${SCHOOL}network: { connectPorts: [{ port: 8443 }, { port: 81, tls: false }] }`,
  });
  t.strictSame(own.network.connectPorts, [
    { port: 8443, tls: true },
    { port: 81, tls: false },
  ]);
  t.strictSame(own.network.httpPorts, NETWORK_DEFAULTS.httpPorts);
});

await t.test('the same documents have the same hash, and others another', async (t) => {
  const { hash } = snapshotOf();
  t.match(hash, /^[0-9a-f]{64}$/);
  t.equal(snapshotOf().hash, hash);
  t.equal(snapshotOf({ 'levels/junior.yaml': `# a remark\n${JUNIOR}` }).hash, hash, 'remarks change nothing');
  const shuffled = JUNIOR.replace('  games: block\n', '').replace('  adult: block', '  games: block\n  adult: block');
  t.equal(snapshotOf({ 'levels/junior.yaml': shuffled }).hash, hash, 'nor does the order of settings');
  const read = readPolicy(new Map([...files()].toReversed()));
  const compiled = 'documents' in read ? compilePolicy(read.documents, CATEGORIES.toReversed()) : read;
  t.equal('snapshot' in compiled && compiled.snapshot.hash, hash, 'nor that of files and categories');
  t.not(snapshotOf({ 'levels/junior.yaml': JUNIOR.replace('games: block', 'games: warn') }).hash, hash);
});

await t.test('topic packs', async (t) => {
  const pack = 'title: Tudors\nsubject: History\nkeyStages: [junior]\nreviewed: { by: A Teacher, on: "2026-09-01" }\n';
  const good = { 'topics/tudors.yaml': `${pack}sites: [https://Tudors.example/maps]\ncategories: [games]\n` };
  t.match(snapshotOf(good).topics, [{ id: 'tudors', sites: ['tudors.example'], categories: ['games'], note: '' }]);
  t.notOk('topics' in snapshotOf(), 'a school without them keeps its hash');
  t.match(diffPolicies(snapshotOf(), snapshotOf(good)), [{ text: /Topic pack for requests: Tudors/, loosens: false }]);
  const bad = pack.replace('junior', 'year 9').replace('2026-09-01', '2026-02-30');
  const sites = 'sites: [co.uk, a.never.example]\ncategories: [csam, gamse]\n';
  const read = readPolicy(new Map([...files(), ['topics/bad.yaml', `${bad}${sites}`], ['topics/empty.yaml', pack]]));
  const compiled = 'documents' in read ? compilePolicy(read.documents, CATEGORIES) : read;
  const lines = 'problems' in compiled ? compiled.problems.map(formatProblem) : [];
  for (const words of [
    /^topics\/bad\.yaml:3:.*year 9/,
    /bad\.yaml:4:.*2026-02-30/,
    /bad\.yaml:5:.*co\.uk/,
    /bad\.yaml:5:.*never-list/,
    /bad\.yaml:6:.*csam.*locked/,
    /bad\.yaml:6:.*gamse/,
    /empty\.yaml:1:.*at least one site/,
  ]) {
    t.ok(
      lines.some((line) => words.test(line)),
      `${words}: ${lines.join(' | ')}`,
    );
  }
  t.equal(lines.length, 7);
});

await t.test('a folder is read as its files', async (t) => {
  const folder = t.testdir({
    'README.md': 'not read',
    '.hidden.yaml': '{',
    levels: { 'notes.txt': '' },
    notes: { 'a.yaml': '{' },
  });
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  const loaded = loadPolicy(folder);
  t.ok('documents' in loaded);
  const compiled = 'documents' in loaded ? compilePolicy(loaded.documents, CATEGORIES) : loaded;
  t.equal('snapshot' in compiled && compiled.snapshot.hash, snapshotOf().hash);
});

await t.test('a folder that cannot be read is a problem, not a policy', async (t) => {
  const problems = (folder: string): string[] => {
    const loaded = loadPolicy(folder);
    return 'problems' in loaded ? loaded.problems.map(formatProblem) : [];
  };
  const empty = t.testdir({ empty: {}, latin: { levels: {} } });
  t.match(problems(join(empty, 'nowhere'))[0], /nowhere: cannot be read/);
  t.match(problems(join(empty, 'empty')), [/^school\.yaml: is missing/]);
  writeFileSync(join(empty, 'latin', 'school.yaml'), Buffer.from('name: Caf\xe9', 'latin1'));
  mkdirSync(join(empty, 'latin', 'levels', 'ks1.yaml'), { recursive: true });
  t.match(problems(join(empty, 'latin')), [/^school\.yaml: is not UTF-8/]);
});

await t.test('an entry has one form', async (t) => {
  const table: [string, string | RegExp][] = [
    ['Example.COM.', 'example.com'],
    ['*.example.com', 'example.com'],
    ['example.com/', 'example.com'],
    ['example.com/Games/', 'example.com/games'],
    ['example.com/a/../b//c', 'example.com/b/c'],
    ['example.com/watch?v=1#t', 'example.com/watch?v=1'],
    ['münchen.example', 'xn--mnchen-3ya.example'],
    ['0x7f.1', '127.0.0.1'],
    ['[2001:DB8::1]', '2001:db8::1'],
    ['203.0.113.9/24', '203.0.113.0/24'],
    ['[2001:db8:9::]/32', '2001:db8::/32'],
    ['203.0.113.9/32', '203.0.113.9'],
    ['203.0.113.9/games', '203.0.113.9/games'],
    ['203.0.113.9/33', /is not an address range/],
    ['http://example.com', /without http/],
    ['example.com:80', /without a port/],
    ['exa*mple.com', /is not a site/],
    ['*', /is not a site/],
    ['/path', /is not a site/],
    ['exam ple.com', /is not a site/],
  ];
  for (const [text, expected] of table) {
    const parsed = parseEntry(text);
    t.match(typeof parsed === 'string' ? parsed : entryText(parsed), expected, text);
  }
  const spelt = fc.oneof(
    fc.webUrl({ validSchemes: ['http'], withQueryParameters: true }).map((url) => url.replace('http://', '')),
    fc.string({ unit: 'binary', maxLength: 60 }),
  );
  const isStable = (text: string): boolean => {
    const parsed = parseEntry(text);
    if (typeof parsed === 'string') return true;
    const again = parseEntry(entryText(parsed));
    return typeof again !== 'string' && entryText(again) === entryText(parsed);
  };
  fc.assert(fc.property(spelt, isStable), { numRuns: 500 });
});

await t.test('an agreement has a version of its words and of who accepts it; without files nobody is asked', (t) => {
  const version = (more: Record<string, string>) => snapshotOf(more).agreements?.levels['junior'];
  t.equal(snapshotOf({}).agreements, undefined);
  const words = (text: string): Record<string, string> => ({
    'agreements/young.yaml': `title: Rules\nlevels: [junior]\ntext: [${text}]\n`,
  });
  const first = version(words('Be kind.'))!;
  t.match(first, { band: 'young', title: 'Rules', text: ['Be kind.'], by: 'person' });
  t.equal(
    version({ ...words('Be kind.'), 'levels/senior.yaml': SENIOR.replace('Senior', 'Older') })!.version,
    first.version,
  );
  t.not(version(words('Be kind'))!.version, first.version);
  const parents = { 'school.yaml': `${SCHOOL}\nagreements: { parentConsent: [junior] }\n` };
  const theirs = version({ ...words('Be kind.'), ...parents })!;
  t.equal(theirs.by, 'parent');
  t.not(theirs.version, first.version, 'what a pupil accepted is not a parent’s consent');
  t.end();
});
