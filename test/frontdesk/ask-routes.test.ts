import t from 'tap';
import { type DeskWishAnswer, type WishAsk, readWishAsk } from '../../src/unblock/wish.ts';
import { NOW, makeDesk, refused } from './desk.ts';

const CLIENT = '10.1.2.3';
const VIEW = {
  fullName: 'Amy <Ash>',
  isPupil: true,
  wishes: [{ kind: 'open', hosts: ['maps.test'], at: NOW, state: 'The answer is no.', word: 'Use the <book>.' }],
} as const;

async function rig(answer: DeskWishAnswer, records = [refused(5)]) {
  const asked: [string, WishAsk][] = [];
  const app = await makeDesk(records, {
    askWishes: async (address, ask) => (asked.push([address, readWishAsk(JSON.stringify(ask))!]), answer),
  });
  const get = (url: string) => app.inject({ url, remoteAddress: CLIENT });
  return {
    app,
    asked,
    get,
    post: async (fields: readonly (readonly [string, string])[], token?: string) => {
      const page = await get('/ask?site=games.test');
      const own = /name="token" value="([\w-]+)"/.exec(page.body)?.[1] ?? '';
      asked.length = 0;
      const payload = new URLSearchParams([
        ...fields.map(([k, v]): [string, string] => [k, v]),
        ['token', token ?? own],
      ]).toString();
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return app.inject({ method: 'POST', url: '/ask', payload, headers, remoteAddress: CLIENT });
    },
  };
}

const FIELDS = [
  ['kind', 'open'],
  ['key', 'k1'],
  ['sites', 'games.test'],
  ['with', 'cdn.test'],
  ['reason', 'chess club'],
] as const;

void t.test('staff are shown the way to the console, pupils are not', async (t) => {
  const link = 'https://filter.school.example/unblocks/new?site=a.test%22%3E%3Cb%3E';
  const page = async (isPupil: boolean, what = ''): Promise<string> => {
    const { app, get } = await rig({ state: 'done', view: { ...VIEW, isPupil } });
    t.teardown(() => app.close());
    return (await get(`/ask?site=a.test%22%3E%3Cb%3E${what}`)).body;
  };
  t.match(await page(false), `href="${link}"`);
  t.notMatch(await page(true), 'filter.school.example');
  t.notMatch(await page(false, '&what=close'), 'filter.school.example');
});

void t.test('from “why was I blocked?” to the form, with what else was refused just then', async (t) => {
  const records = [
    refused(60, { host: 'games.test' }),
    refused(55, { host: 'cdn.test' }),
    refused(54, { host: 'ads.test', category: 'adverts', categories: ['adverts'] }),
    refused(53, { host: 'other.test', client: '10.9.9.9' }),
    refused(40, { host: 'later.test' }),
    refused(58, { host: 'locked.test', locked: true }),
  ];
  const { get } = await rig({ state: 'done', view: VIEW }, records);
  t.match((await get('/why')).body, 'href="/ask?site=games.test"');
  t.notMatch((await get('/why')).body, 'ask?site=locked.test');
  const { body } = await get('/ask?site=games.test');
  t.match(body, 'games.test</textarea>');
  const offered = [...body.matchAll(/name="with" value="([^"]+)"/g)].map(([, host]) => host);
  t.strictSame(offered, ['cdn.test'], 'no adverts, no other device, nothing locked, nothing of another minute');
  t.match(body, 'Amy &lt;Ash&gt;');
  t.match(body, 'Use the &lt;book&gt;.', 'what became of earlier wishes');
  t.match(body, 'goes to your teachers');
});

void t.test('what is typed and ticked goes to the console with the device’s address, once', async (t) => {
  const { post, asked } = await rig({ state: 'done', view: VIEW });
  const answer = await post(FIELDS);
  t.match(answer, { statusCode: 303, headers: { location: '/ask?what=open&done=yes' } });
  const sites = 'games.test\ncdn.test';
  t.strictSame(asked, [[CLIENT, { act: 'make', kind: 'open', sites, reason: 'chess club', key: 'k1' }]]);
  t.equal((await post(FIELDS, 'made-up')).statusCode, 403, 'not without a token of this device');
  t.strictSame(asked, []);
});

void t.test('what is wrong stands beside the fields, and what was typed is kept', async (t) => {
  const fields = [{ field: 'reason', reason: 'Say what you need it for.' }];
  const { post } = await rig({ state: 'wrong', view: VIEW, fields });
  const { statusCode, body } = await post([...FIELDS.slice(0, 4), ['reason', '"><script>']]);
  t.equal(statusCode, 422);
  t.match(body, /<title>Error: Ask for a site/);
  t.match(body, 'id="reason-error"');
  t.match(body, '&quot;&gt;&lt;script&gt;');
  t.match(body, 'name="key" value="k1"', 'the same form');
});

void t.test('who may not ask, and when nobody can', async (t) => {
  const table: [DeskWishAnswer, number, RegExp][] = [
    [{ state: 'nobody' }, 403, /Sign in on this device first/],
    [{ state: 'refused', reason: 'This account is nobody’s own.' }, 409, /nobody’s own/],
    [{ state: 'no-answer' }, 503, /at the moment/],
  ];
  for (const [answer, status, words] of table) {
    const { get, post } = await rig(answer);
    const page = await get('/ask');
    t.equal(page.statusCode, status);
    t.match(page.body, words);
    t.notMatch(page.body, '<form');
    t.equal((await post(FIELDS)).statusCode, 403, 'nor without having been shown a form');
  }
});
