// The page of agreements: who is found there, a parent's consent recorded and taken back, and how it looks.
import t from 'tap';
import { agreementPolicy } from '../helpers/control-plane.ts';
import { lookAtPages } from '../helpers/look-at-pages.ts';
import { type TestConsole, addPerson, personIdOf, sayPurpose, signedIn, testConsole } from '../helpers/test-console.ts';

const ROSTER = [
  'username,id,given name,family name,role,year,classes,teaches,groups,status',
  'p1,1,Pat,Pupil,pupil,9,9A,,,',
  'i1,2,Ivo,Infant-Featherstonehaugh,pupil,1,1A,,,',
].join('\n');

async function school(t: { teardown(end: () => Promise<void>): unknown }): Promise<TestConsole> {
  const plane = await testConsole();
  t.teardown(() => plane.close());
  plane.disk = { snapshot: agreementPolicy() };
  plane.policy.look();
  await addPerson(plane, 'h.teacher', ['headteacher']);
  await addPerson(plane, 'a.teacher', ['teacher']);
  await plane.directory.import(null, [{ name: 'people.csv', text: ROSTER }], true);
  return plane;
}

void t.test('a parent’s consent is recorded and taken back on the page of all and on that of one', async (t) => {
  const plane = await school(t);
  const head = signedIn(plane, 'h.teacher');
  const [infant, pupil] = [personIdOf(plane, 'i1'), personIdOf(plane, 'p1')];
  await sayPurpose(head, `person:${infant}`);
  await sayPurpose(head, `person:${pupil}`);
  const users = async (query: string): Promise<string[]> =>
    (await head.get(`/agreements?format=csv&${query}`)).body
      .trim()
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(',')[1]!);
  t.strictSame(await users(''), ['i1', 'p1']);
  t.match((await head.get(`/people/${infant}`)).body, 'Missing: staff record that a parent has agreed');
  t.match((await head.get(`/people/${pupil}`)).body, 'Missing: Pat Pupil is asked at the next sign-in');

  const recorded = await head.post('/agreements', '/agreements/consent', { person: infant });
  t.equal(recorded.location, '/agreements?done=consent');
  t.match((await head.get('/agreements?done=consent')).body, 'consent is on record for this school year');
  t.strictSame(await users('state=missing'), ['p1']);
  t.strictSame(await users('by=parent&state=yes&class=1A'), ['i1']);
  t.match((await head.get(`/people/${infant}`)).body, /A parent has agreed, [^;]*; recorded by h\.teacher/);
  const back = await head.post(`/people/${infant}`, '/agreements/withdraw', { person: infant, back: 'person' });
  t.equal(back.location, `/people/${infant}?done=withdrawn`);
  t.strictSame(await users('state=missing'), ['i1', 'p1']);
  for (const [act, person, why] of [
    ['withdraw', infant, 'there is none any more'],
    ['consent', pupil, 'no parent is asked'],
  ] as const) {
    t.equal((await head.post('/agreements', `/agreements/${act}`, { person })).status, 409, why);
  }
  t.same(
    plane.acts().filter((act) => act.startsWith('agreement.')),
    ['agreement.consent-recorded h.teacher', 'agreement.withdrawn h.teacher'],
  );

  const page = (await signedIn(plane, 'a.teacher').get('/agreements')).body;
  t.match(page, /href="\/agreements"[^]*Record consent/, 'whoever may not see people finds the page, and records');
  t.notMatch(page, 'href="/people');
});

void t.test('nobody is shut out of the page', async (t) => {
  const plane = await school(t);
  const { origin, complaints, open, signIn, press, look } = await lookAtPages(t, plane, 320);
  const page = await open();
  await page.goto(`${origin}/agreements`);
  await signIn(page, 'h.teacher');
  await look(page, 'agreements');
  await page.getByLabel('Who agrees').selectOption('A parent');
  await press(page, 'Show');
  await press(page, /^Record consent/);
  await look(page, 'agreements-recorded');
  await page.getByRole('link', { name: 'Ivo Infant' }).click();
  await page.getByLabel('A safeguarding concern').check();
  await page.getByLabel('In a few words').fill('A friend has told the form tutor');
  await press(page, 'Go on');
  await look(page, 'person-agreed');
  t.strictSame(complaints, []);
});
