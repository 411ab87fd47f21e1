import t from 'tap';
import type { DeskReportAnswer, ReportAsk } from '../../src/incidents/report.ts';
import { makeDesk, refused } from './desk.ts';

const CLIENT = '10.1.2.3';

async function rig(answer: DeskReportAnswer) {
  const sent: [string, ReportAsk][] = [];
  const records = [refused(5), refused(9, { host: 'locked.test', locked: true, reason: 'illegal' })];
  const app = await makeDesk(records, {
    sendReport: async (address, report) => (sent.push([address, report]), answer),
  });
  const get = (url: string) => app.inject({ url, remoteAddress: CLIENT });
  return {
    sent,
    get,
    post: async (fields: Record<string, string>, token?: string) => {
      const own = /name="token" value="([\w-]+)"/.exec((await get('/report')).body)?.[1] ?? '';
      const payload = new URLSearchParams({ ...fields, token: token ?? own }).toString();
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return app.inject({ method: 'POST', url: '/report', payload, headers, remoteAddress: CLIENT });
    },
  };
}

const FIELDS = { key: 'k1', what: 'They "laugh" at me', site: 'chat.test', about: 'pupils' };

void t.test('from “why was I blocked?” to the form, and never with what is not shown', async (t) => {
  const { get } = await rig({ state: 'done' });
  const why = (await get('/why')).body;
  t.match(why, 'href="/report?site=games.test"');
  t.notMatch(why, 'locked.test');
  t.match((await get('/report?site=games.test')).body, 'value="games.test"');
  t.match((await get('/report?site=%22%3E%3Cscript%3E')).body, '&quot;&gt;&lt;script&gt;');
  t.match((await get('/report')).body, 'call 999');
});

void t.test('what is typed goes to the console with the device’s address, once', async (t) => {
  const { post, sent, get } = await rig({ state: 'done' });
  t.match(await post({ ...FIELDS, unnamed: 'yes' }), { statusCode: 303, headers: { location: '/report?done=yes' } });
  t.strictSame(sent, [[CLIENT, { ...FIELDS, isUnnamed: true }]]);
  t.equal((await post(FIELDS, 'made-up')).statusCode, 403, 'not without a token of this device');
  t.equal(sent.length, 1);
  const { body } = await get('/report?done=yes');
  t.match(body, 'It has been sent.');
  t.match(body, 'Childline');
});

void t.test('nothing that was typed is lost, whatever the answer', async (t) => {
  const fields = [{ field: 'about', reason: 'Choose one.' }];
  const table: [DeskReportAnswer, number, RegExp][] = [
    [{ state: 'wrong', fields }, 422, /id="about-error">Choose one\./],
    [{ state: 'refused', reason: 'Several reports have come.' }, 409, /id="what-error">Several reports/],
    [{ state: 'no-answer' }, 503, /tell a grown-up at school now/],
  ];
  for (const [answer, status, text] of table) {
    const { post } = await rig(answer);
    const { statusCode, body } = await post({ ...FIELDS, unnamed: 'yes' });
    t.equal(statusCode, status);
    t.match(body, text);
    t.match(body, 'They &quot;laugh&quot; at me</textarea>');
    t.match(body, 'value="k1"', 'the same form');
    t.match(body, /name="unnamed" value="yes" checked/);
    t.match(body, /value="pupils"\s+checked/);
    t.match(body, '<title>Error: ');
  }
});
