// Pages about people by their forms: what is wrong is told and nothing typed is lost; names, files and addresses cannot do harm.
import t from 'tap';
import { START } from '../helpers/control-plane.ts';
import { plainSchool } from '../helpers/rosters.ts';
import {
  type TestBrowser,
  type TestConsole,
  addPerson,
  csrfOf,
  personIdOf,
  sayPurpose,
  signedIn,
  testConsole,
} from '../helpers/test-console.ts';

const HEADER = 'username,id,given name,family name,role,year,classes,teaches,groups,status';
const ROSTER = [
  HEADER,
  'p1,1,Zoë,O’Connor,pupil,9,9x/Ma1;9F,,,',
  'p2,2,"=HYPERLINK(""http://evil.test"",""click"")",Patel,pupil,9,9x/Ma1,,,',
  'p3,3,<script>alert(1)</script>,"""><img src=x>",pupil,10,10A,,,',
  't1,4,Tess,Teacher,teacher,,,9x/Ma1,,',
  'c1,5,Class,Nine,class,9,,,,',
].join('\n');

type Test = { teardown(end: () => Promise<void>): unknown };

async function school(t: Test, roster: string | null = ROSTER): Promise<TestConsole> {
  const plane = await testConsole();
  t.teardown(() => plane.close());
  const people = [
    ['n.manager', 'network-manager'],
    ['h.teacher', 'headteacher'],
    ['d.lead', 'safeguarding-lead'],
  ] as const;
  for (const [name, role] of people) await addPerson(plane, name, [role]);
  if (roster !== null) await plane.directory.import(null, [{ name: 'people.csv', text: roster }], true);
  return plane;
}

/** Sends a form with files as a browser does. `csrf` null: without a token. */
async function upload(
  plane: TestConsole,
  browser: TestBrowser,
  files: readonly (readonly [name: string, content: string | Uint8Array<ArrayBuffer>])[],
  csrf?: null,
) {
  const form = new FormData();
  if (csrf === undefined) form.append('_csrf', csrfOf((await browser.get('/people/import')).body));
  for (const [name, content] of files) form.append('files', new File([content], name));
  const body = new Response(form);
  return plane.app.inject({
    method: 'POST',
    url: '/people/import',
    headers: {
      'content-type': body.headers.get('content-type')!,
      cookie: [...browser.cookies].map(([k, v]) => `${k}=${v}`).join('; '),
    },
    payload: Buffer.from(await body.arrayBuffer()),
  });
}

const digestOf = (page: string): string => /name="digest" value="([0-9a-f]{64})"/.exec(page)![1]!;

void t.test('people are found by their address; looking is on record, and names are only text', async (t) => {
  const plane = await school(t);
  const browser = signedIn(plane, 'h.teacher');
  const names = async (query: string): Promise<string[]> =>
    [...(await browser.get(`/people?${query}`)).body.matchAll(/href="\/people\/[0-9A-Z]{26}">([^<]*)</g)].map(
      (found) => found[1]!,
    );
  t.strictSame(await names('q=zoe'), ['Zoë O’Connor']);
  t.strictSame(await names('role=teacher'), ['Tess Teacher']);
  t.strictSame(await names('role=class&year=9'), ['Class Nine']);
  t.strictSame(await names('class=9x/Ma1&sort=-user'), [
    'Tess Teacher',
    '=HYPERLINK(&quot;http://evil.test&quot;,&quot;click&quot;) Patel',
    'Zoë O’Connor',
  ]);
  t.strictSame(await names('status=left'), []);
  t.match(
    plane.record.read((tx) => tx.get("SELECT payload FROM audit WHERE action = 'people.listed' ORDER BY seq LIMIT 1")),
    { payload: /"q":"zoe"/ },
  );

  const page = await browser.get('/people');
  t.notMatch(page.body, /<script>alert|<img src=x/);
  t.match(page.body, '&lt;script&gt;alert(1)&lt;/script&gt;');
  t.match(page.body, /aria-sort="ascending"/);
  await sayPurpose(browser, `person:${personIdOf(plane, 'p3')}`);
  const person = await browser.get(`/people/${personIdOf(plane, 'p3')}`);
  t.notMatch(person.body, /<script>alert|<img src=x/);
  t.match(person.body, 'Key stage');
  t.equal(plane.acts().at(-1), 'person.looked-at h.teacher');

  const csv = await browser.get('/people?format=csv&q=patel');
  t.match(csv.headers, {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': 'attachment; filename="people.csv"',
    'cache-control': 'no-store',
  });
  t.equal(
    csv.body.split('\r\n')[1],
    '"\'=HYPERLINK(""http://evil.test"",""click"") Patel",p2,Pupil,Year 9,Key stage 1,At the school,None,9x/Ma1',
  );

  const query = await browser.get(`/people?q=${encodeURIComponent('"><script>x</script>')}`);
  t.notMatch(query.body, '<script>x');
  await sayPurpose(browser, 'person:01J99999999999999999999999');
  t.equal((await browser.get('/people/01J99999999999999999999999')).status, 404);
  t.equal((await browser.get('/people/..%2f..%2fetc')).status, 400);
});

void t.test('where nobody is yet, the import is offered to those alone who may', async (t) => {
  const plane = await school(t, null);
  for (const [name, offered] of [
    ['n.manager', true],
    ['d.lead', false],
  ] as const) {
    for (const url of ['/people', '/classes']) {
      const { body } = await signedIn(plane, name).get(url);
      t.match(body, /roster (?:from the school’s system|that names classes) brings/);
      t.equal(body.includes('>Import a roster</a>'), offered, `${name} ${url}`);
    }
  }
});

void t.test('somebody is suspended with a reason and lifted; what was typed is kept', async (t) => {
  const plane = await school(t);
  const browser = signedIn(plane, 'd.lead');
  const page = `/people/${personIdOf(plane, 'p1')}`;
  await sayPurpose(browser, `person:${personIdOf(plane, 'p1')}`);
  const wrong = await browser.post(page, `${page}/suspend`, { reason: ' ', until: 'tomorrow' });
  t.equal(wrong.status, 422);
  for (const field of ['reason', 'until']) t.match(wrong.body, `href="#${field}"`);
  t.match(wrong.body, 'value="tomorrow"');
  const past = await browser.post(page, `${page}/suspend`, {
    reason: 'Went round <b>it</b>',
    until: '2026-11-23T08:59',
  });
  t.equal(past.status, 422);
  t.match(past.body, 'Went round &lt;b&gt;it&lt;/b&gt;', 'the reason is kept');
  t.match(past.body, 'must lie in the future');

  const done = await browser.post(page, `${page}/suspend`, { reason: 'Went round it', until: '2026-12-01T08:00' });
  t.match(done, { status: 303, location: `${page}?done=suspended` });
  const shown = (await browser.get(page)).body;
  t.match(shown, /Until Tue 1 Dec 2026, 08:00; by d\.lead, Mon 23 Nov 2026, 09:00\. Why: Went round it/);
  await plane.publishing.send();
  t.match(plane.last('live')!.suspensions, [{ user: 'p1', until: Date.UTC(2026, 11, 1, 8) }]);
  t.equal((await browser.post(page, `${page}/lift`, {})).location, `${page}?done=lifted`);
  t.equal((await browser.post(page, `${page}/lift`, {})).status, 409, 'twice does no harm');

  const stolen = await browser.post(page, `${page}/suspend`, { reason: 'x', until: '' }, null);
  t.equal(stolen.status, 403, 'without the token of the form');
  const more = await browser.post(page, `${page}/suspend`, { reason: 'x', until: '', by: 'h.teacher' });
  t.equal(more.status, 400, 'with a field that is not the form’s');
});

void t.test('whoever has left is never mistaken for the person who has their name now', async (t) => {
  const plane = await school(t);
  const old = personIdOf(plane, 'p1');
  await plane.directory.import(null, [{ name: 'people.csv', text: ROSTER.replace('p1,1,Zoë', 'p1,99,Amelia') }], true);
  const browser = signedIn(plane, 'n.manager');
  await sayPurpose(browser, `person:${old}`);
  const page = await browser.get(`/people/${old}`);
  t.match(page.body, 'Zoë O’Connor');
  t.notMatch(page.body, /Suspend now|Make a new card/);
  t.equal((await browser.post('/guests', `/people/${old}/card`, {})).status, 404);
  await browser.post('/guests', `/people/${old}/suspend`, { reason: 'late', until: '' });
  await plane.publishing.send();
  t.notOk(plane.last('live')!.suspensions!.some(({ user, rule }) => user === 'p1' && rule.includes('suspended')));
});

void t.test('a class, its cards, and a card of one person', async (t) => {
  const plane = await school(t);
  const browser = signedIn(plane, 'n.manager');
  const classes = await browser.get('/classes');
  const href = /href="(\/class\?name=9x%2FMa1)"/.exec(classes.body)![1]!;
  const page = await browser.get(href);
  t.match(page.body, 'Each of the 2 pupils');
  const cards = await browser.post(href, '/class/cards', { name: '9x/Ma1' });
  t.match(cards, { status: 201, headers: { 'cache-control': 'no-store' } });
  const printed = [...cards.body.matchAll(/<code>([^<]*)<\/code>/g)].map((found) => found[1]!);
  t.strictSame(
    printed.filter((_, i) => i % 2 === 0),
    ['p1', 'p2'],
    'of its pupils, not of their teacher',
  );
  const credentials = { name: 'p1', password: printed[1]!, address: '10.0.0.1' };
  t.match(await plane.devices.signIn(credentials), { state: 'signed-in' });
  await sayPurpose(browser, `person:${personIdOf(plane, 'p1')}`);
  t.match((await browser.get(`/people/${personIdOf(plane, 'p1')}`)).body, /10\.0\.0\.1 since Mon 23 Nov 2026, 09:00/);
  t.match((await browser.get('/class?name=none')).body, 'Nobody learns or teaches in this class any more.');
  t.equal((await browser.post(href, '/class/cards', { name: '9z' })).status, 404);

  const p1 = personIdOf(plane, 'p1');
  t.equal((await browser.post(`/people/${p1}`, `/people/${p1}/card`, {})).status, 201);
  t.match(await plane.devices.signIn(credentials), { state: 'wrong' }, 'the card of before is good no more');
  t.strictSame(plane.devices.at('10.0.0.1'), { state: 'nobody' });
});

void t.test('devices: listed, and signed out only while the same person is there', async (t) => {
  const plane = await school(t);
  const browser = signedIn(plane, 'h.teacher');
  t.match((await browser.get('/devices')).body, 'Nobody is signed in on a device now.');
  const cards = await plane.directory.makeCards(
    { personId: personIdOf(plane, 'n.manager'), userName: 'n.manager', address: 'local' },
    { className: '9x/Ma1' },
  );
  for (const { userName, password } of cards)
    await plane.devices.signIn({ name: userName, password, address: '10.0.0.1' });
  const list = await browser.get('/devices');
  t.match(list.body, '10.0.0.1');
  t.match((await browser.get('/devices?format=csv')).body, /p2,10\.0\.0\.1,2026-11-23 09:00/);
  const other = { address: '10.0.0.1', person: personIdOf(plane, 'p1') };
  await browser.post('/devices', '/devices/sign-out', other);
  t.match(plane.devices.at('10.0.0.1'), { state: 'signed-in', userName: 'p2' }, 'p2 has come since the page was made');
  const person = personIdOf(plane, 'p2');
  const done = await browser.post('/devices', '/devices/sign-out', { ...other, person, back: 'person' });
  t.equal(done.location, `/people/${person}?done=signed-out`);
  t.strictSame(plane.devices.at('10.0.0.1'), { state: 'nobody' });
  t.equal(plane.acts().at(-1), 'device.ended h.teacher');
});

void t.test('a roster is imported in two steps, and only as it was seen', async (t) => {
  const plane = await school(t, null);
  const browser = signedIn(plane, 'n.manager');
  const count = () => plane.directory.classes().length;
  const sent = await upload(plane, browser, [['people.csv', ROSTER]]);
  t.match(sent, { statusCode: 303, headers: { location: /^\/people\/import\/[\w-]{43}$/ } });
  const address = String(sent.headers.location);
  const preview = await browser.get(address);
  t.match(preview.body, 'Nothing has been changed yet.');
  t.notMatch(preview.body, /<script>alert/);
  t.equal(count(), 0);
  t.equal((await signedIn(plane, 'd.lead').get(address)).status, 403, 'not for whoever may not import');
  await addPerson(plane, 'other.manager', ['network-manager']);
  t.equal((await signedIn(plane, 'other.manager').get(address)).status, 410, 'nor for somebody else who may');

  // Somebody else imports in between: what was seen is not what would happen.
  await plane.directory.import(null, [{ name: 'people.csv', text: ROSTER.split('\n').slice(0, 3).join('\n') }], true);
  const stale = await browser.post(address, address, { digest: digestOf(preview.body) });
  t.equal(stale.status, 409);
  t.match(stale.body, 'The directory has changed since this preview was made.');
  const done = await browser.post(address, address, { digest: digestOf(stale.body) });
  t.match(done, { status: 303, location: '/people/import?done=imported' });
  t.match(
    (await browser.get('/people/import')).body,
    /<strong>plain<\/strong>, Mon 23 Nov 2026, 09:00, by n\.manager: 3 new, 0 changed, 0 left/,
  );
  t.equal(count(), 3);
  const twice = await browser.post(address, address, { digest: digestOf(stale.body) });
  t.equal(twice.status, 409, 'sent once more it is another import');

  const bad = await upload(plane, browser, [['people.csv', `${ROSTER}\nx,9,X,Y,boss,,,,,`]]);
  const bare = String(bad.headers.location);
  const problems = await browser.get(bare);
  t.match(problems.body, /people\.csv:7: &quot;boss&quot; is not a role/);
  t.equal((await browser.post(bare, bare, { digest: digestOf(problems.body) })).status, 422, 'problems need a word');
  t.equal((await browser.post(bare, bare, { digest: digestOf(problems.body), accept: 'yes' })).status, 303);

  const kept = String((await upload(plane, browser, [['people.csv', ROSTER]])).headers.location);
  plane.clock.advance(30 * 60_000);
  const late = signedIn(plane, 'n.manager');
  t.equal((await late.get(kept)).status, 410, 'held for half an hour');
});

void t.test('files that are none are told beside the field; nothing is kept under their names', async (t) => {
  const plane = await school(t, null);
  const browser = signedIn(plane, 'n.manager');
  const cases: readonly [name: string, files: Parameters<typeof upload>[2], reason: RegExp][] = [
    ['none', [], /Choose the \.csv files/],
    ['an archive', [['roster.zip', 'PK']], /roster\.zip is no \.csv file/],
    ['no text', [['users.csv', new Uint8Array([0xff, 0xfe, 0x41])]], /users\.csv is not UTF-8 text/],
    [
      'twice one name',
      [
        ['a/users.csv', HEADER],
        ['b\\USERS.csv', HEADER],
      ],
      /two files USERS\.csv/,
    ],
    ['no roster', [['notes.csv', 'a,b\n1,2\n']], /This is no roster that is known here/],
    ['markup for a name', [['<img src=x>.csv', 'a,b\n']], /&lt;img src=x&gt;\.csv/],
    ['a way out', [['../../../etc/passwd.csv', 'a,b\n']], /It has passwd\.csv;/],
    ['too many', Array.from({ length: 101 }, (_, i) => [`f${i}.csv`, 'x'] as const), /at most 100 files/],
  ];
  for (const [name, files, reason] of cases) {
    const answer = await upload(plane, browser, files);
    t.equal(answer.statusCode, 422, name);
    t.match(answer.body, reason, name);
    t.match(answer.body, 'href="#files"', name);
  }
  t.equal(
    (await upload(plane, browser, [['people.csv', ROSTER]], null)).statusCode,
    403,
    'without the token of the form',
  );
  const headers = { cookie: [...browser.cookies].map(([k, v]) => `${k}=${v}`).join('; ') };
  const sendRaw = (type: string, payload: string | Buffer, url = '/people/import') =>
    plane.app.inject({ method: 'POST', url, headers: { ...headers, 'content-type': type }, payload });
  t.equal((await sendRaw('multipart/form-data; boundary=x', 'not a form')).statusCode, 400);
  t.equal((await sendRaw('multipart/form-data', 'x')).statusCode, 400);
  const large = await sendRaw('multipart/form-data; boundary=x', Buffer.alloc((48 << 20) + 1));
  t.equal(large.statusCode, 413);
  t.match(large.body, 'more than 48 MB');
  t.equal(
    (await sendRaw('multipart/form-data; boundary=x', 'x', '/class/cards')).statusCode,
    415,
    'no other form takes files',
  );
});

void t.test('the drop folder, and a school’s worth of people in pages', async (t) => {
  const plane = await school(t, plainSchool(120));
  const browser = signedIn(plane, 'n.manager');
  t.match((await browser.get('/people/import')).body, 'It is empty, so nothing happens.');
  const first = await browser.get('/people?role=pupil');
  t.match(first.body, '1 to 50 of 120 that fit, of 624');
  t.match(first.body, 'href="/people?role=pupil&amp;page=2"');
  t.match((await browser.get('/people?role=pupil&page=9')).body, '101 to 120 of 120');
  t.equal((await browser.get('/people?format=csv&role=pupil')).body.split('\r\n').length, 122);
  t.equal(plane.clock(), START);
});
