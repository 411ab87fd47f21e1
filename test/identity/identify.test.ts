import t from 'tap';
import { type IdentityRules, prepareIdentity } from '../../src/identity/identify.ts';
import { canonicalUser } from '../../src/identity/user-name.ts';

const rules: IdentityRules = {
  levels: { guest: {} },
  strictestLevel: 'ks1',
  people: { ann: { level: 'ks4', groups: ['11b'] }, josé: { level: 'staff', groups: [] } },
  identity: {
    mode: 'open',
    ranges: [
      { cidr: '10.0.0.0/8', level: 'ks2' },
      { cidr: '10.20.8.0/24', level: 'ks3' },
      { cidr: '10.20.8.7', level: 'staff' },
      { cidr: '2001:db8::/32', level: 'ks2' },
      { cidr: '2001:db8:1::/48', level: 'guest' },
    ],
  },
};
const challenging: IdentityRules = { ...rules, identity: { ...rules.identity, mode: 'challenge' } };

await t.test('the longest range that holds the address says the level', async (t) => {
  const table: [string, string, string][] = [
    ['10.1.1.1', 'range', 'ks2'],
    ['10.20.8.1', 'range', 'ks3'],
    ['10.20.8.7', 'range', 'staff'],
    ['10.20.9.7', 'range', 'ks2'],
    ['192.168.0.1', 'none', 'ks1'],
    ['2001:db8:2::1', 'range', 'ks2'],
    ['2001:db8:1::1', 'range', 'guest'],
    ['2001:db9::1', 'none', 'ks1'],
  ];
  for (const mode of [rules, challenging]) {
    const identify = prepareIdentity(mode);
    for (const round of [1, 2]) {
      for (const [client, identified, level] of table) {
        const needs = identified === 'none' && mode === challenging ? 'sign-in' : 'nothing';
        t.strictSame(
          identify(client, null),
          { user: null, identified, level, groups: [], client, needs },
          `${client}, round ${round}`,
        );
      }
    }
  }
});

await t.test('a verified person has their own level and groups, wherever they sit', async (t) => {
  const identify = prepareIdentity(challenging);
  const client = '10.20.8.7';
  const known = { identified: 'proxy-auth', client, needs: 'nothing' };
  t.strictSame(identify(client, 'ann'), { ...known, user: 'ann', level: 'ks4', groups: ['11b'] });
  t.strictSame(identify(client, 'ANN'), { ...known, user: 'ann', level: 'ks4', groups: ['11b'] }, 'in any capitals');
  t.strictSame(
    identify(client, 'Jose\u0301'),
    { ...known, user: 'josé', level: 'staff', groups: [] },
    'in any composition',
  );
});

await t.test('a person whom the policy does not know gets the strictest level', async (t) => {
  const identify = prepareIdentity(rules);
  for (const name of ['zoe', '__proto__', 'constructor', 'a'.repeat(10_000)]) {
    const who = identify('10.20.8.7', name);
    t.strictSame([who.user, who.level, who.groups], [name, 'ks1', []], name.slice(0, 20));
  }
});

await t.test('more addresses than are remembered are still told apart', async (t) => {
  const identify = prepareIdentity(rules);
  const level = (i: number): string => identify(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, null).level;
  for (let i = 0; i < 25_000; i++) if (level(i) !== 'ks2') t.fail(`address ${i}`);
  t.equal(identify('10.20.8.7', null).level, 'staff');
});

await t.test('the one spelling of a user name', async (t) => {
  const table: [string, string | null][] = [
    ['Ann.Smith', 'ann.smith'],
    ['AB12@school.example', 'ab12@school.example'],
    ['E\u0301mile', 'émile'],
    ['two words', 'two words'],
    ['', null],
    [' ann', null],
    ['ann\n', null],
    ['an:n', null],
    ['an\u0000n', null],
    ['a'.repeat(128), 'a'.repeat(128)],
    ['a'.repeat(129), null],
  ];
  for (const [name, expected] of table) t.equal(canonicalUser(name), expected, JSON.stringify(name.slice(0, 20)));
});

void t.test('an account that a class shares is known as one, however it was identified', (t) => {
  const tablets = { name: '9x-tablets', kind: 'class', roles: [], year: '9', groups: ['9x'] } as const;
  const levels = { years: { 9: 'ks3' }, roles: {} };
  const shared = prepareIdentity({ ...rules, identity: { ...rules.identity, levels } }, { people: [tablets] });
  const known = { user: '9x-tablets', account: 'class', level: 'ks3', groups: ['9x'] } as const;
  t.match(shared('10.0.0.1', '9X-Tablets'), { ...known, identified: 'proxy-auth' });
  t.match(shared('10.0.0.1', null, '9x-tablets'), { ...known, identified: 'session' });
  t.notOk('account' in shared('10.0.0.1', 'ann'));
  t.end();
});
