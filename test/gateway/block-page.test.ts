import { readFileSync } from 'node:fs';
import { assert, constantFrom, oneof, property, string } from 'fast-check';
import t from 'tap';
import {
  type BlockPageInput,
  blockPage,
  errorPage,
  type ErrorStatus,
  PAGE_CSP,
  WARNING_CSP,
} from '../../src/gateway/block-page.ts';
import { HELPLINES } from '../../src/gateway/words/helplines.ts';
import { THEMES, themeOf, wordsFor } from '../../src/gateway/words/theme.ts';
import { WENT_ON_IS_SEEN } from '../../src/gateway/words/warnings.ts';
import { isWithin } from '../../src/kernel/host.ts';
import { TEMPORARY_PASSWORD } from '../../src/policy/steps.ts';
import { type Decision, REASONS } from '../../src/policy/verdict.ts';

const VOICES = ['child', 'teen', 'adult'] as const;

const DECISION: Decision = {
  verdict: 'block',
  action: 'block',
  reason: 'category',
  step: 'level',
  category: 'games',
  rule: 'levels/ks2.yaml#categories.games',
  flagged: false,
  locked: false,
};

const INPUT: BlockPageInput = {
  decision: DECISION,
  voice: 'child',
  target: 'http://games.example/play?level=1',
  categoryTitle: 'Games',
  isUnknown: false,
  warning: null,
  contacts: { pupils: 'your class teacher', staff: 'help@school.example' },
  school: 'Hill School',
  at: '2026-07-01T09:30:10.000Z',
  zone: 'Europe/London',
  frontDeskUrl: 'http://schoolgate.internal/',
  reference: '01KAXG2Y6R8ZQ4T7V9W1X3B5C7',
};

type Change = Omit<Partial<BlockPageInput>, 'decision'> & { readonly decision?: Partial<Decision> };

function page(change: Change = {}): string {
  return blockPage({ ...INPUT, ...change, decision: { ...DECISION, ...change.decision } });
}

/** Every kind of refusal that has words of its own: reasons by themselves, categories with them. */
const KINDS: readonly Partial<Decision>[] = [
  ...REASONS.filter((reason) => reason !== 'illegal').map((reason) => ({ reason, category: null, rule: null })),
  ...[
    'games',
    'adult',
    'self-harm',
    'eating-disorders',
    'abuse',
    'drugs',
    'gambling',
    'malware',
    'vpn-proxy',
    'adverts',
  ].map((category) => ({ category })),
  { reason: 'identity', category: null, rule: TEMPORARY_PASSWORD },
  ...['csam', 'terrorism', 'other'].map((category) => ({ category, reason: 'illegal', locked: true }) as const),
  ...['games', 'self-harm', null].map((category) => ({ action: 'warn', category }) as const),
  { reason: 'block-list', category: null, rule: 'levels/ks2.yaml#downloads' },
  { reason: 'person', category: null, rule: 'school.yaml#people.ann.suspended' },
];

void t.test('a refusal is told in the words of what decided', async (t) => {
  const table: [Partial<Decision>, string][] = [
    [{ category: 'games' }, 'topic'],
    [{ category: 'self-harm' }, 'self-harm'],
    [{ category: 'self-harm', reason: 'group' }, 'self-harm'],
    [{ category: 'games', action: 'warn' }, 'warned'],
    [{ category: 'games', action: 'warn', reason: 'group' }, 'warned'],
    [{ category: 'eating-disorders', action: 'warn' }, 'warned-help'],
    [{ category: null, action: 'warn', reason: 'uncategorised' }, 'warned-unknown'],
    [{ category: null, reason: 'group' }, 'group'],
    [{ category: 'discrimination' }, 'grown-up'],
    [{ category: 'alcohol-tobacco' }, 'drugs'],
    [{ category: 'csam', reason: 'illegal', locked: true }, 'csam'],
    [{ category: 'csam', locked: true }, 'csam'],
    [{ category: null, reason: 'illegal' }, 'illegal'],
    [{ category: 'terrorism', reason: 'illegal' }, 'terrorism'],
    [{ category: null, reason: 'never' }, 'school'],
    [{ category: null, reason: 'block-list' }, 'list'],
    [{ category: null, reason: 'block-list', rule: 'levels/ks1.yaml#downloads' }, 'download'],
    [{ category: null, reason: 'person', rule: 'school.yaml#people.ann.block.a.example' }, 'person'],
    [{ category: null, reason: 'person', rule: 'school.yaml#people.ann.suspended' }, 'suspended'],
    [{ category: null, reason: 'identity', rule: TEMPORARY_PASSWORD }, 'password'],
    [{ category: null, reason: 'fault' }, 'fault'],
  ];
  for (const [decision, theme] of table) t.equal(themeOf({ ...DECISION, ...decision }), theme, theme);
  const met = new Set(KINDS.map((kind) => themeOf({ ...DECISION, ...kind })));
  t.strictSame(
    THEMES.filter((theme) => !met.has(theme)),
    ['unreachable', 'slow'],
    'only error pages have the rest',
  );
});

void t.test('every page is small, whole, self-contained and marked up for everybody', async (t) => {
  for (const voice of VOICES) {
    for (const kind of KINDS) {
      const text = page({ voice, decision: { ...kind, flagged: true } });
      const name = `${voice} ${kind.reason ?? 'category'} ${kind.category ?? ''}`;
      t.ok(Buffer.byteLength(text) <= 8192, `${name} is at most 8 KB`);
      t.match(text, /^<!doctype html>\n<html lang="en-GB">/, name);
      t.notMatch(text, /<script|<form|@import|url\(|src=|\bon\w+=|\0|undefined/, `${name} loads and runs nothing`);
      const levels = [...text.matchAll(/<h([1-6])/g)].map((found) => Number(found[1]));
      t.equal(levels.filter((level) => level === 1).length, 1, `${name} has one main heading`);
      t.ok(
        levels.every((level, i) => i === 0 || level <= levels[i - 1]! + 1),
        `${name} skips no heading level`,
      );
      for (const landmark of ['header', 'main', 'footer']) t.match(text, `<${landmark}`, name);
      t.match(text, INPUT.reference, name);
      t.match(text, 'href="http://schoolgate.internal/why"', name);
      t.match(text, voice === 'adult' ? INPUT.contacts.staff : INPUT.contacts.pupils, name);
      t.match(text, 'Wednesday, 1 July 2026 at 10:30', `${name} tells the school’s time`);
    }
  }
  t.match(PAGE_CSP, "default-src 'none'");
});

void t.test(
  'a warning says until when, who sees it, and goes on by one form; only where there is a way on',
  async (t) => {
    const warning = { ticket: 'abc-_.DEF', until: '2026-07-01T09:45:00.000Z' };
    for (const voice of VOICES) {
      for (const category of ['games', 'self-harm', null]) {
        const text = page({ voice, warning, decision: { action: 'warn', category, flagged: true } });
        const name = `${voice} ${category}`;
        t.match(text, 'Warning from the school', name);
        t.match(text, 'open for you until 10:45', `${name}: on the school’s clock`);
        t.match(text, WENT_ON_IS_SEEN[voice].slice(0, 15), name);
        t.equal(text.match(/<form/g)?.length, 1, name);
        t.match(
          text,
          /<form method="post" action="http:\/\/schoolgate\.internal\/warning">\s*<input type="hidden" name="ticket" value="abc-_\.DEF" \/>/,
        );
        t.match(text, /<button>I have read this: go on<\/button>/, name);
        t.ok(Buffer.byteLength(text) <= 8192, `${name} is at most 8 KB`);
        t.notMatch(text, /<script|is blocked|Blocked by|\0|undefined/, `${name} does not say that it is shut`);
        if (category === 'self-harm')
          t.match(text, HELPLINES[voice === 'adult' ? 'samaritans' : 'childline'].url, name);
        t.notMatch(page({ voice, decision: { action: 'warn', category } }), '<form', `${name} without a way on`);
      }
    }
    t.match(WARNING_CSP, "form-action http://schoolgate.internal 'self'");
    t.match(PAGE_CSP, "form-action 'none'");
  },
);

void t.test('a page says what was asked for, cut short, and nothing of what is locked', async (t) => {
  t.match(page(), 'http://games.example/play?level=1');
  t.notMatch(page({ target: null }), '<dt>Page');
  const long = page({ target: `http://games.example/${'a'.repeat(60_000)}` });
  t.match(long, /a…|a&#8230;/);
  t.ok(Buffer.byteLength(long) <= 8192);
  for (const decision of [
    { locked: true, category: 'csam' },
    { reason: 'illegal', category: 'terrorism' },
  ] as const) {
    for (const voice of VOICES) t.notMatch(page({ voice, decision }), /games\.example|<dt>Page/, decision.category);
  }
});

void t.test('a school says in its own words what is illegal, in every voice, above our help', async (t) => {
  const own = { heading: 'Access & no more', text: ['It is <b>forbidden</b>.', 'Tell the “safeguarding” lead.'] };
  for (const voice of VOICES) {
    const csam = page({
      voice,
      illegal: { csam: own },
      decision: { category: 'csam', reason: 'illegal', locked: true },
    });
    t.match(csam, /<title>Access &amp; no more – |<title>Access &amp; no more &#8211; /);
    t.match(csam, '<h1>Access &amp; no more</h1>\n<p>It is &lt;b&gt;forbidden&lt;/b&gt;.</p> <p>Tell the &#8220;');
    for (const sentence of wordsFor('csam', voice).why) t.notMatch(csam, sentence.slice(0, 40), voice);
    t.match(csam, HELPLINES.stopItNow.url);
    const after = { heading: 'Later', text: ['Another day.'] };
    t.match(page({ voice, illegal: { csam: after }, decision: { category: 'csam', locked: true } }), '<h1>Later</h1>');
    const ours = page({ voice, illegal: { csam: own }, decision: { category: 'terrorism', locked: true } });
    t.match(ours, wordsFor('terrorism', voice).heading, 'what it does not say is ours');
    t.notMatch(page({ voice, illegal: { csam: own } }), 'Access &amp;', 'nor is it said of anything else');
  }
  const most = { heading: 'h'.repeat(80), text: Array.from({ length: 5 }, () => 't'.repeat(300)) };
  const decision = { category: 'csam', reason: 'illegal', locked: true } as const;
  for (const voice of VOICES) t.ok(Buffer.byteLength(page({ voice, illegal: { csam: most }, decision })) <= 8192);
});

void t.test('a time that closes says until when, where that is known', async (t) => {
  const decision = { reason: 'schedule', step: 'level', category: null, rule: 'levels/ks2.yaml#hours' } as const;
  const opens = Date.parse('2026-11-30T08:30:00Z');
  t.match(page({ decision, opens }), 'It opens again on Mon 30 Nov 2026, 08:30.');
  t.notMatch(page({ decision, opens: null }), 'opens again');
});

void t.test('a lesson list says until when it lasts and which sites are on it', async (t) => {
  const decision = { reason: 'lesson', step: 'lesson', category: null, rule: 'lesson:1' } as const;
  const until = Date.parse('2026-07-01T10:05:00Z');
  const told = page({ decision, lesson: { until, sites: ['volcano.example', '2001:db8::1'] } });
  t.match(told, 'Your class has a lesson list that lasts until 11:05. On it');
  t.match(told, '<a href="https://volcano.example/">volcano.example</a>');
  t.match(told, '<a href="https://[2001:db8::1]/">');
  t.match(page({ decision, voice: 'adult', lesson: { until, sites: ['a.example'] } }), 'The lesson list lasts until');
  const many = Array.from({ length: 33 }, (_, i) => `site-number-${i}.school.example`);
  const long = page({ decision, lesson: { until, sites: many } });
  t.match(long, 'and 3 more');
  t.ok(long.length < 9_000, `${long.length} bytes`);
  t.notMatch(page({ decision }), 'lesson list that lasts', 'a fault in looking it up still leaves a page');
});

void t.test('a category is told by its title, else by its id', async (t) => {
  t.match(page({ categoryTitle: 'Fun & games' }), 'Fun &amp; games');
  t.match(page({ categoryTitle: null, decision: { category: 'home-made' } }), 'home-made');
  t.notMatch(page({ categoryTitle: 'Pornography', decision: { category: 'adult' } }), 'Pornography', 'not to a child');
});

void t.test('where somebody may be in need, help comes instead of scolding', async (t) => {
  const table: [string, Partial<Decision>, readonly (keyof typeof HELPLINES)[]][] = [
    ['child', { category: 'self-harm' }, ['childline', 'shout']],
    ['teen', { category: 'self-harm' }, ['childline', 'shout', 'papyrus', 'samaritans']],
    ['adult', { category: 'self-harm' }, ['samaritans', 'papyrus', 'shout']],
    ['child', { category: 'eating-disorders' }, ['childline', 'beat']],
    ['teen', { category: 'eating-disorders' }, ['beat', 'childline']],
    ['child', { category: 'abuse' }, ['childline', 'ceop']],
    ['teen', { category: 'bullying' }, ['childline', 'ceop']],
    ['child', { category: 'csam', locked: true }, ['childline', 'ceop', 'stopItNow']],
    ['teen', { category: 'csam', locked: true }, ['childline', 'stopItNow']],
    ['adult', { category: 'csam', locked: true }, ['stopItNow', 'iwf']],
  ];
  for (const [voice, decision, lines] of table) {
    const text = page({ voice: voice as 'child', decision });
    for (const line of lines) t.match(text, HELPLINES[line].url, `${voice} ${decision.category} ${line}`);
  }
  t.match(page({ decision: { category: 'self-harm' } }), 'call 999');
  t.match(page({ decision: { flagged: true } }), 'Grown-ups who keep you safe');
  t.notMatch(page(), 'Grown-ups who keep you safe', 'nobody is warned of a look that nobody takes');
});

void t.test('no helpline is one that our own lists keep closed', async (t) => {
  const open = readFileSync('blocklists/starter/helplines.txt', 'utf8').split(/\s+/);
  for (const { name, url } of Object.values(HELPLINES)) {
    t.ok(
      open.some((entry) => isWithin(new URL(url).hostname, entry)),
      `${name} is known good`,
    );
  }
});

void t.test('a nine-year-old can read the child’s pages', async (t) => {
  for (const theme of THEMES) {
    const { heading, why, todo } = wordsFor(theme, 'child');
    const sentences = [heading, ...why, ...todo].flatMap((text) => text.split(/(?<=[.?!]) /));
    const counts = sentences.map((sentence) => sentence.split(' ').length);
    t.ok(Math.max(...counts) <= 21, `${theme}: no sentence of more than 21 words`);
    t.ok(counts.reduce((sum, count) => sum + count, 0) / counts.length <= 12, `${theme}: 12 words a sentence`);
  }
});

void t.test('nothing a request or a school brings in becomes markup', async (t) => {
  const shape = (text: string): string => text.replace(/>[^<]*/g, '>').replace(/"[^"]*"/g, '""');
  const attacks = [
    'http://x.example/<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    '</title></style></main><h1>Hello',
    '\0school\0 &lt;b&gt; <!-- ',
    '$& $1 ${reference} {{7*7}}',
  ];
  const hostile = oneof(
    constantFrom(...attacks),
    string({ unit: constantFrom('<', '>', '"', "'", '&', '\0', '/', 'a', '\u202e', '=') }),
  );
  const plain = shape(page());
  assert(
    property(hostile, hostile, hostile, hostile, hostile, (target, school, pupils, categoryTitle, reference) => {
      const change = { target, school, contacts: { pupils, staff: '' }, categoryTitle, reference };
      return (
        shape(page(change)) === plain && shape(errorPage(502, { ...INPUT, ...change })) === shape(errorPage(502, INPUT))
      );
    }),
  );
  t.match(page({ target: attacks[0]! }), 'http://x.example/&lt;script&gt;alert(1)&lt;/script&gt;');
  t.match(page({ target: attacks[4]! }), '\0school\0 &amp;lt;b&amp;gt;', 'a slot’s name in a value fills no slot');
  t.match(page({ frontDeskUrl: '"><script>' }), 'href="&quot;&gt;&lt;script&gt;why"');
});

void t.test('an error page says whose fault it is', async (t) => {
  const table: [ErrorStatus, RegExp][] = [
    [400, /has a mistake in it/],
    [407, /Please sign in first/],
    [502, /It is not blocked/],
    [503, /Very busy/],
    [504, /did not answer in time/],
  ];
  for (const [status, expected] of table) {
    for (const voice of VOICES) {
      const text = errorPage(status, { ...INPUT, voice });
      if (voice === 'child') t.match(text, expected);
      t.ok(Buffer.byteLength(text) <= 8192);
      t.match(text, 'http://games.example/play');
    }
  }
  t.match(page({ decision: { reason: 'fault', category: null } }), /It is our fault, not yours/);
});

void t.test('the time follows the zone and the minute', async (t) => {
  t.match(page({ at: '2026-12-01T09:30:59.999Z' }), 'Tuesday, 1 December 2026 at 09:30');
  t.match(page({ at: '2026-12-01T09:31:00.000Z' }), '09:31');
  t.match(page({ at: '2026-12-01T09:31:00.000Z', zone: 'Asia/Tokyo' }), '18:31');
});
