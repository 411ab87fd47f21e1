import * as fc from 'fast-check';
import t from 'tap';
import type { InvalidFieldsError } from '../../src/kernel/errors.ts';
import { mergeAnswers, siteAnswer } from '../../src/lessons/answers.ts';
import { MAX_LENGTH_MS, MAX_SITES } from '../../src/lessons/model.ts';
import type { Reach } from '../../src/lessons/reach.ts';
import { type TypedLesson, readTerms } from '../../src/lessons/terms.ts';
import { REASONS } from '../../src/policy/verdict.ts';

const NOW = Date.parse('2026-11-23T09:00:00Z');
const HOUR = 3_600_000;
const REACH: Reach = {
  classes: ['9X', '9Y'],
  pupils: [
    { user: 'ann', fullName: 'Ann Ames', classes: ['9X'], level: 'ks3' },
    { user: 'ann2', fullName: 'Ann Ames', classes: ['9Y'], level: 'ks3' },
    { user: 'bob', fullName: 'Bob  Bell', classes: ['9X'], level: 'ks3' },
  ],
  isAnybody: false,
};
const TYPED: TypedLesson = {
  title: ' Volcanoes\n',
  sites: 'https://WWW.Volcano.example/etna?page=1\nmaps.example., maps.example',
  classes: ['9X'],
  pupils: 'bob bell\nANN2',
  from: '2026-11-23T09:00',
  until: '2026-11-23T10:00',
};

const read = (change: Partial<TypedLesson> = {}) => readTerms({ ...TYPED, ...change }, REACH, 'Europe/London', NOW);

await t.test('terms come out in one spelling', async (t) => {
  t.same(read(), {
    title: 'Volcanoes',
    sites: ['www.volcano.example', 'maps.example'],
    classes: ['9X'],
    pupils: ['bob', 'ann2'],
    from: NOW,
    until: NOW + HOUR,
  });
  t.equal(read({ from: '2026-11-23T08:00' }).from, NOW, 'a start that is past is now');
});

await t.test('what cannot be asked for, every field at once', async (t) => {
  const fields = (change: Partial<TypedLesson>): string[] => {
    try {
      read(change);
      return [];
    } catch (error) {
      return [...new Set((error as InvalidFieldsError).fields.map(({ field }) => field))];
    }
  };
  const many = (count: number): string => Array.from({ length: count }, (_, i) => `s${i}.example`).join('\n');
  const table: [what: string, change: Partial<TypedLesson>, fields: string[]][] = [
    ['nothing wrong', {}, []],
    [
      'everything',
      { title: ' ', sites: '', classes: [], pupils: '', from: 'x', until: '' },
      ['title', 'sites', 'from', 'until', 'classes'],
    ],
    ['a novel for a name', { title: 'x'.repeat(101) }, ['title']],
    ['no host', { sites: 'not a host!' }, ['sites']],
    ['everything under uk', { sites: 'co.uk' }, ['sites']],
    ['everything under com', { sites: 'www.bbc.co.uk, com' }, ['sites']],
    ['as many sites as there may be', { sites: many(MAX_SITES) }, []],
    ['one more', { sites: many(MAX_SITES + 1) }, ['sites']],
    ['another’s class', { classes: ['9X', '9Z'] }, ['classes']],
    ['a name that every object has', { classes: ['constructor'] }, ['classes']],
    ['pupils alone', { classes: [] }, []],
    ['a pupil of another class', { pupils: 'zoe' }, ['pupils']],
    ['two of one name', { pupils: 'Ann Ames' }, ['pupils']],
    ['no day of the calendar', { from: '2026-02-30T09:00' }, ['from']],
    ['two weeks ahead', { from: '2026-12-07T09:00', until: '2026-12-07T10:00' }, []],
    ['later', { from: '2026-12-07T09:01', until: '2026-12-07T10:00' }, ['from']],
    ['five hours', { until: '2026-11-23T14:00' }, []],
    ['longer', { until: '2026-11-23T14:01' }, ['until']],
    ['an end before the start', { from: '2026-11-23T11:00', until: '2026-11-23T10:30' }, ['until']],
    ['an end that is past', { from: '2026-11-23T07:00', until: '2026-11-23T08:00' }, ['until']],
  ];
  for (const [what, change, expected] of table) t.same(fields(change), expected, what);
});

await t.test('whatever is typed is refused by its fields, or is a list within its bounds', async () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('a.example', 'co.uk', 'bob', '2026-11-23T10:00', '[::1]'));
  fc.assert(
    fc.property(
      text,
      fc.array(text),
      text,
      fc.array(text),
      text,
      text,
      (title, sites, pupils, classes, from, until) => {
        try {
          const terms = read({ title, sites: sites.join('\n'), pupils, classes, from, until });
          const length = terms.until - terms.from;
          return terms.from >= NOW && length > 0 && length <= MAX_LENGTH_MS && terms.sites.length > 0;
        } catch (error) {
          return (error as InvalidFieldsError).fields.length > 0;
        }
      },
    ),
    { numRuns: 300 },
  );
});

await t.test('every verdict has its words, and says what to do where a site stays closed', async (t) => {
  const facts = { category: 'Games', contact: 'the IT office' };
  for (const reason of REASONS) {
    const { opens, why, todo } = siteAnswer('a.example', '9X', { verdict: 'block', action: 'block', reason }, facts);
    t.notOk(opens, reason);
    t.match(why, /^[A-Z].*\.$/, reason);
    t.match(todo, /^[A-Z].*\.$/, reason);
  }
  const of = (verdict: 'allow' | 'block', action: 'allow' | 'monitor' | 'warn' | 'block', reason = 'category') =>
    siteAnswer('a.example', '9X', { verdict, action, reason: reason as 'category' }, facts);
  t.match(of('block', 'block'), { why: /“Games”/, todo: /Ask for an unblock.*IT office/ });
  t.match(of('block', 'warn'), { opens: false, why: /warned first.*“Games”/ });
  t.match(of('block', 'block', 'never').todo, /No unblock can open it/);
  t.match(of('allow', 'allow', 'unblock'), { opens: true, why: /unblock/, todo: null });
  t.match(of('allow', 'monitor'), { opens: true, why: /takes note/ });
  const one = of('allow', 'allow');
  t.same(mergeAnswers([one, { ...one, forWhom: '9Y' }, { ...one, forWhom: '9X' }, of('block', 'block')]), [
    { ...one, forWhom: '9X, 9Y' },
    of('block', 'block'),
  ]);
});
