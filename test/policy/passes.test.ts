import t from 'tap';
import { decide, strictest } from '../../src/policy/decide.ts';
import { KeptPasses, type Pass, passEnd } from '../../src/policy/passes.ts';
import { NO_LIVE, prepareLive, preparePolicy } from '../../src/policy/prepare.ts';
import type { Decision } from '../../src/policy/verdict.ts';
import { at, grant, JUNIOR, match, request, RULES, snapshotOf, who } from './small-school.ts';

const policy = preparePolicy(
  snapshotOf({ 'rules.yaml': RULES.replace('categories: { gambling: monitor }', 'categories: { gambling: warn }') }),
);
const NOW = at('2026-11-23T10:00:00Z');
const CHAT = match('chat');

function passed(...changes: Partial<Pass>[]): KeptPasses {
  const passes = new KeptPasses();
  for (const change of changes) {
    passes.add({
      site: 'a.test',
      category: 'chat',
      user: null,
      client: '10.9.0.1',
      until: at('2026-11-23T10:15:00Z'),
      ...change,
    });
  }
  return passes;
}

function ask(passes: KeptPasses, host: string, change: Parameters<typeof request>[1] = {}, now = NOW): Decision {
  return decide(policy, NO_LIVE, request(host, { match: CHAT, ...change }), now, passes);
}

const JUNIOR_WARNS_OF_UNKNOWN = JUNIOR.replace('uncategorised: allow', 'uncategorised: warn');

await t.test('a passed warning is let in, and still says that it was one', async (t) => {
  t.strictSame(ask(passed({}), 'a.test'), {
    verdict: 'allow',
    action: 'warn',
    reason: 'category',
    step: 'level',
    category: 'chat',
    rule: 'levels/junior.yaml#categories.chat',
    flagged: true,
    locked: false,
  });
  const cold = preparePolicy(snapshotOf({ 'levels/junior.yaml': JUNIOR_WARNS_OF_UNKNOWN }));
  const unknown = decide(cold, NO_LIVE, request('a.test'), NOW, passed({ category: null }));
  t.match(unknown, { verdict: 'allow', action: 'warn', reason: 'uncategorised', flagged: true });
  const ofClass = ask(passed({ category: 'gambling' }), 'a.test', {
    who: who({ groups: ['9y'] }),
    match: match('gambling'),
  });
  t.match(ofClass, { verdict: 'allow', action: 'warn', step: 'group' });
});

await t.test('for whom, for what and until when', async (t) => {
  const ann = who({ user: 'ann', identified: 'session' });
  const table: [string, Partial<Pass>, string, Parameters<typeof request>[1], number, boolean][] = [
    ['the device', {}, 'a.test', {}, NOW, true],
    ['names under it', {}, 'www.img.a.test', {}, NOW, true],
    ['not what only ends alike', {}, 'ba.test', {}, NOW, false],
    ['not what is above', { site: 'www.a.test' }, 'a.test', {}, NOW, false],
    ['another site', {}, 'b.test', {}, NOW, false],
    ['another device', {}, 'a.test', { who: who({ client: '10.9.0.2' }) }, NOW, false],
    ['a person on that device', {}, 'a.test', { who: ann }, NOW, false],
    ['a person', { user: 'ann' }, 'a.test', { who: ann }, NOW, true],
    ['a person elsewhere', { user: 'ann' }, 'a.test', { who: { ...ann, client: '10.9.0.2' } }, NOW, true],
    ['another person', { user: 'bea' }, 'a.test', { who: ann }, NOW, false],
    ['whoever follows on the device', { user: 'ann' }, 'a.test', {}, NOW, false],
    ['another warning', { category: 'gambling' }, 'a.test', {}, NOW, false],
    ['its last moment', {}, 'a.test', {}, at('2026-11-23T10:14:59.999Z'), true],
    ['its end', {}, 'a.test', {}, at('2026-11-23T10:15:00Z'), false],
  ];
  for (const [name, change, host, asked, now, isOpen] of table) {
    const { verdict, action } = ask(passed(change), host, asked, now);
    t.strictSame([verdict, action], [isOpen ? 'allow' : 'block', 'warn'], name);
  }
});

await t.test('a pass opens nothing but what was warned of', async (t) => {
  const all = ['csam', 'malware', 'adult', 'games', 'gambling', 'adverts', 'chat', 'unheard-of', null];
  const hosts = ['a.test', 'never.example', 'closed.example', 'private.example', 'noclass.example'];
  const passes = passed(
    ...hosts.flatMap((site) =>
      all.flatMap((category) =>
        [null, 'ann', 'bob'].map((user): Partial<Pass> => ({ site, category, user, until: Infinity })),
      ),
    ),
  );
  const ann = who({ user: 'ann', identified: 'session', groups: ['9x'] });
  const lesson = at('2026-11-23T11:00:00Z');
  const table: [string, string, Parameters<typeof request>[1], number][] = [
    ['illegal', 'a.test', { match: match('csam', 'chat') }, NOW],
    ['a severer category beside it', 'a.test', { match: match('adult', 'chat') }, NOW],
    ['the never-list', 'never.example', {}, NOW],
    ['a person’s own block', 'private.example', { who: ann }, NOW],
    ['a suspension', 'a.test', { who: who({ user: 'bob', identified: 'session' }) }, NOW],
    ['a lesson list', 'a.test', { who: ann }, lesson],
    ['sign-in', 'a.test', { who: who({ needs: 'sign-in' }) }, NOW],
    ['a class’s entry', 'noclass.example', { who: who({ groups: ['9x'] }) }, NOW],
    ['a level’s entry', 'closed.example', {}, NOW],
    ['a download', 'a.test', { path: '/x.exe' }, NOW],
    ['hours', 'a.test', { who: who({ level: 'evening' }) }, at('2026-11-23T18:00:00Z')],
    ['nothing said of it', 'a.test', { match: match('unheard-of') }, NOW],
    ['a port', 'a.test', { violation: 'port' }, NOW],
  ];
  for (const [name, host, asked, now] of table) {
    const without = decide(policy, NO_LIVE, request(host, { match: CHAT, ...asked }), now);
    t.equal(without.verdict, 'block', name);
    t.equal(without.action, 'block', name);
    t.strictSame(ask(passes, host, asked, now), without, `${name} is refused as before`);
  }
  const opened = prepareLive({ grants: [grant({ hosts: ['a.test'], levels: ['junior'], until: Infinity })] });
  t.equal(decide(policy, opened, request('a.test', { match: CHAT }), NOW, passes).reason, 'unblock', 'nor shut');
});

await t.test('of two names of one connection both must be open', async (t) => {
  const passes = passed({});
  const [first, second] = [ask(passes, 'a.test'), ask(passes, 'b.test')];
  t.match(strictest(first, second), { verdict: 'block', action: 'warn' });
  const blocked = ask(passes, 'b.test', { match: match('adult') });
  t.match(strictest(second, blocked), { action: 'block' }, 'no way on is offered that leads nowhere');
  t.match(strictest(blocked, second), { action: 'block' });
});

await t.test('a quarter of an hour, and not beyond the school’s day', async (t) => {
  const end = (now: string, ends?: number): string =>
    new Date(passEnd(at(now), 'Europe/London', ends)).toISOString().slice(11, 16);
  t.equal(end('2026-11-23T10:00:00Z'), '10:15');
  t.equal(end('2026-11-23T17:50:00Z'), '18:00', 'eighteen o’clock where the school says nothing');
  t.equal(end('2026-07-01T14:20:00Z', 15 * 60 + 30), '14:30', 'on the school’s clock');
  t.equal(end('2026-11-23T18:00:00Z'), '18:15', 'in the evening the day that ends is tomorrow’s');
});

await t.test('passes are bounded, and those that have ended are forgotten', async (t) => {
  const passes = new KeptPasses(2);
  const pass = (site: string, until: number): Pass => ({ site, category: null, user: 'ann', client: '', until });
  const ann = { user: 'ann', client: '' };
  passes.add(pass('a.test', 30));
  passes.add(pass('b.test', 20));
  passes.add(pass('a.test', 40));
  passes.add(pass('c.test', 50));
  t.strictSame(
    ['a.test', 'b.test', 'c.test'].map((host) => passes.has(ann, host, null, 10)),
    [true, false, true],
    'the one that is longest ago goes',
  );
  t.strictSame(
    passes.inForce(40).map(({ site }) => site),
    ['c.test'],
  );
  t.notOk(passes.has({ user: null, client: 'ann' }, 'c.test', null, 10), 'a name is no address');
});
