import * as fc from 'fast-check';
import t from 'tap';
import { isWithin } from '../../src/kernel/host.ts';
import { decide } from '../../src/policy/decide.ts';
import { lessonNotice, lessonsChange } from '../../src/policy/lesson-lists.ts';
import { NO_LIVE, prepareLive, preparePolicy } from '../../src/policy/prepare.ts';
import type { TeacherLesson } from '../../src/policy/snapshot.ts';
import { at, match, request, snapshotOf, who } from './small-school.ts';

const policy = preparePolicy(snapshotOf());
const NINE = at('2026-11-23T09:00:00Z');
const ELEVEN = at('2026-11-23T11:00:00Z');
const MINUTE = 60_000;

function lesson(change: Partial<TeacherLesson> = {}): TeacherLesson {
  return { id: 'l1', groups: [], people: [], hosts: [], from: NINE, until: NINE + 60 * MINUTE, ...change };
}

await t.test('a teacher’s list binds whom it names, in its time, and opens nothing', async (t) => {
  const live = prepareLive({
    grants: [],
    lessons: [
      lesson({ groups: ['9z'], hosts: ['volcano.example'] }),
      lesson({ id: 'l2', people: ['dee'], hosts: ['quiet.example'], from: NINE + MINUTE }),
    ],
  });
  const dee = who({ user: 'dee', identified: 'session' });
  const in9z = who({ groups: ['9z'] });
  const ask = (host: string, asker = in9z, now = NINE, ...categories: string[]) =>
    decide(policy, live, request(host, { who: asker, match: match(...categories) }), now);
  t.match(ask('a.test'), { verdict: 'block', reason: 'lesson', step: 'lesson', rule: 'lesson:l1' });
  t.equal(ask('www.volcano.example').verdict, 'allow');
  t.equal(ask('volcano.example', in9z, NINE, 'adult').category, 'adult', 'opens nothing by itself');
  t.equal(ask('notvolcano.example').reason, 'lesson');
  t.equal(ask('a.test', in9z, NINE - 1).verdict, 'allow', 'not before it begins');
  t.equal(ask('a.test', in9z, NINE + 60 * MINUTE).verdict, 'allow', 'not once it has ended');
  t.equal(ask('a.test', who({ groups: ['9y'] })).verdict, 'allow', 'not another class');
  t.equal(ask('a.test', dee).verdict, 'allow', 'not before her own begins');
  t.equal(ask('a.test', dee, NINE + MINUTE).rule, 'lesson:l2');
  t.equal(ask('a.test', who({ user: 'eve', identified: 'session' }), NINE + MINUTE).verdict, 'allow');
  const both = { ...dee, groups: ['9z'] };
  for (const host of ['volcano.example', 'quiet.example'])
    t.equal(ask(host, both, NINE + MINUTE).verdict, 'allow', 'of two lists a site may be on either');
});

await t.test('whoever is refused can be told until when, and what is open', async (t) => {
  const lessons = [
    lesson({ groups: ['9x'], hosts: ['volcano.example'], from: ELEVEN, until: ELEVEN + 30 * MINUTE }),
    lesson({ id: 'l2', people: ['ann'], hosts: ['quiet.example'], from: ELEVEN, until: ELEVEN + 90 * MINUTE }),
  ];
  const live = prepareLive({ grants: [], lessons });
  const told = (groups: string[], user: string | null, now: number, of = live) =>
    lessonNotice(policy, of, who({ groups, user }), now);
  // The small school's own rules have a list for 9x from 11 to 12.
  const sites = ['lesson.example', 'volcano.example'];
  t.same(told(['9x'], null, ELEVEN), { until: ELEVEN + 60 * MINUTE, sites });
  t.same(told(['9x'], 'ann', ELEVEN), { until: ELEVEN + 90 * MINUTE, sites: [...sites, 'quiet.example'] });
  t.same(told(['9x'], null, ELEVEN, NO_LIVE), { until: ELEVEN + 60 * MINUTE, sites: ['lesson.example'] });
  t.equal(told(['9y'], null, ELEVEN), null);
  t.equal(told(['9x'], 'ann', NINE), null);
});

await t.test('a sweep that looks from instant to instant misses no begin and no end', async () => {
  const instant = fc.integer({ min: 0, max: 50 });
  const spans = fc.array(fc.tuple(instant, instant), { maxLength: 4 });
  fc.assert(
    fc.property(spans, fc.uniqueArray(instant, { minLength: 2 }), (given, looks) => {
      const lessons = given.map(([from, until], i) => lesson({ groups: [`g${i % 2}`], from, until }));
      const live = prepareLive({ grants: [], lessons });
      const ordered = looks.toSorted((a, b) => a - b);
      const seen = ordered.slice(1).some((now, i) => lessonsChange(live, ordered[i]!, now));
      const [first, last] = [ordered[0]!, ordered.at(-1)!];
      return seen === given.flat().some((when) => first < when && when <= last);
    }),
  );
});

await t.test(
  'whatever lists there are, exactly those are refused who are bound and whose site is on none',
  async () => {
    const hosts = ['a.test', 'b.test', 'www.a.test'];
    const given = fc.record({
      groups: fc.subarray(['9p', '9q']),
      people: fc.subarray(['dee', 'eve']),
      hosts: fc.subarray(hosts),
      from: fc.constantFrom(NINE - MINUTE, NINE, NINE + 1),
      until: fc.constantFrom(NINE, NINE + 1, NINE + MINUTE),
    });
    const asked = fc.record({
      host: fc.constantFrom(...hosts),
      user: fc.constantFrom(null, 'dee', 'eve'),
      groups: fc.subarray(['9p', '9q', '9y']),
    });
    fc.assert(
      fc.property(fc.array(given, { maxLength: 4 }), asked, (lists, { host, user, groups }) => {
        const live = prepareLive({ grants: [], lessons: lists.map((one, i) => lesson({ ...one, id: `l${i}` })) });
        const binding = lists.filter(
          (one) =>
            one.from <= NINE &&
            NINE < one.until &&
            (one.groups.some((name) => groups.includes(name)) || (user !== null && one.people.includes(user))),
        );
        const isOpen = binding.length === 0 || binding.some((one) => one.hosts.some((site) => isWithin(host, site)));
        return (
          (decide(policy, live, request(host, { who: who({ user, groups }) }), NINE).reason !== 'lesson') === isOpen
        );
      }),
      { numRuns: 500 },
    );
  },
);
