import t from 'tap';
import { checkFrom } from '../../src/compose/console-check.ts';
import { smallIndex } from '../categories/small-index.ts';
import { START, testPolicy } from '../helpers/control-plane.ts';
import { type TestBrowser, addPerson, openSession, signedIn, testConsole } from '../helpers/test-console.ts';

const index = smallIndex([{ id: 'bets', category: 'games', entries: ['bets.test', 'both.test/odds'] }]);
const policy = testPolicy();
const check = checkFrom({ policy, serial: 7, live: { grants: [] }, index });

async function school(t: { teardown(work: () => unknown): void }) {
  const console = await testConsole({ siteCheck: async (query) => check(query, START) });
  t.teardown(() => console.close());
  await addPerson(console, 'n.manager', ['network-manager']);
  await addPerson(console, 'g.overnor', ['governor']);
  const as = (userName: string): TestBrowser => signedIn(console, userName);
  return { console, as };
}

void t.test('a site is checked, and the page says which rule decided', async (t) => {
  const { as } = await school(t);
  const manager = as('n.manager');
  const empty = await manager.get('/check');
  t.equal(empty.status, 200);
  t.notMatch(empty.body, /this decided/);
  const level = Object.keys(policy.levels)[0]!;
  const blocked = await manager.get(`/check?url=www.bets.test&level=${level}&user=&at=`);
  t.match(blocked, { status: 200, body: /Blocked/ });
  t.match(blocked.body, /bets\.test[^<]*, in bets/);
  t.match(blocked.body, /this decided/);
  t.match(blocked.body, /Over https only the name/);
  t.match(blocked.body, /href="\/unblocks\/new"/);
  t.match((await manager.get(`/check?url=open.test&level=${level}`)).body, /Allowed/);
});

void t.test('what is wrong stands beside its field, with what was typed', async (t) => {
  const { as } = await school(t);
  const manager = as('n.manager');
  const table: [string, string, RegExp][] = [
    ['url=%20', 'url', /Type the address/],
    ['url=a.test&level=nobody', 'level', /is not a level/],
    ['url=a.test&at=tomorrow', 'at', /is not a time/],
    ['url=a.test&level=ks2&user=amy', 'user', /either a person or a level/],
  ];
  for (const [query, field, reason] of table) {
    const answer = await manager.get(`/check?${query}`);
    t.equal(answer.status, 422, query);
    t.match(answer.body, reason);
    t.match(answer.body, new RegExp(`href="#${field}"`));
    t.match(answer.body, new RegExp(`id="${field}-error"`));
  }
  const odd = await manager.get(`/check?url=${encodeURIComponent('"><script>alert(1)</script>')}`);
  t.equal(odd.status, 200);
  t.notMatch(odd.body, /<script>/);
  t.equal((await manager.get('/check?url=a.test&else=1')).status, 400);
  t.equal((await manager.get(`/check?url=${'a'.repeat(9000)}`)).status, 400);
});

void t.test('who may not see people asks for levels only', async (t) => {
  const { as, console } = await school(t);
  const governor = as('g.overnor');
  t.match(await governor.get('/check?url=bets.test'), { status: 200, body: /Blocked/ });
  t.notMatch((await governor.get('/check')).body, /name="user"/);
  t.match(await governor.get('/check?url=bets.test&user=amy'), { status: 422, body: /levels only/ });
  const headers = { authorization: `Bearer ${openSession(console, 'g.overnor')}` };
  const api = async (query: string) => await console.app.inject({ url: `/api/v1/check?${query}`, headers });
  t.equal((await api('url=bets.test&user=amy')).statusCode, 400);
  const answer = await api('url=bets.test&from=10.0.0.9');
  t.match(answer.json(), {
    verdict: 'block',
    category: 'games',
    serial: 7,
    explain: { chain: [{ said: 'nothing' }] },
  });
  t.equal((await api('url=bets.test&from=nowhere')).statusCode, 400);
});

void t.test('before there is an index nothing is answered', async (t) => {
  const console = await testConsole({ siteCheck: async () => null });
  t.teardown(() => console.close());
  await addPerson(console, 'n.manager', ['network-manager']);
  const browser = signedIn(console, 'n.manager');
  t.match(await browser.get('/check?url=a.test'), { status: 200, body: /no policy or no index/ });
});
