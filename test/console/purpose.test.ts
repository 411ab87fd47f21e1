// Nobody sees one person's data without saying what for; it is asked once, and stands on the record.
import t from 'tap';
import { PURPOSE_MS } from '../../src/console/purpose.ts';
import { plainSchool } from '../helpers/rosters.ts';
import { type TestConsole, addPerson, signedIn, testConsole } from '../helpers/test-console.ts';

type Test = { teardown(end: () => Promise<void>): unknown };

async function school(t: Test): Promise<TestConsole> {
  const plane = await testConsole();
  t.teardown(() => plane.close());
  await addPerson(plane, 'd.lead', ['safeguarding-lead']);
  await addPerson(plane, 'h.teacher', ['headteacher']);
  await plane.directory.import(null, [{ name: 'people.csv', text: plainSchool(2) }], true);
  return plane;
}

const ids = (plane: TestConsole): string[] =>
  plane.record
    .read((tx) => tx.all("SELECT id FROM people WHERE user_name LIKE 'p%' ORDER BY id"))
    .map((row) => String(row['id']));
const looks = (plane: TestConsole) =>
  plane.record
    .read((tx) => tx.all("SELECT subject, payload FROM audit WHERE action = 'person.looked-at' ORDER BY seq"))
    .map(({ subject, payload }) => Object.assign(JSON.parse(String(payload)) as object, { subject }));

void t.test('a purpose is asked once for each person, session and half hour, and stands on the record', async (t) => {
  const plane = await school(t);
  const [one, other] = ids(plane) as [string, string];
  const browser = signedIn(plane, 'd.lead');
  const asked = await browser.get(`/people/${one}`);
  t.match(asked.body, 'What do you look for?');
  t.match(asked.body, `name="subject" value="person:${one}"`);
  t.notMatch(asked.body, /User name|Last sign-in/, 'nothing of the person');
  t.strictSame(looks(plane), [], 'nothing was looked at yet');

  const say = {
    subject: `person:${one}`,
    back: `/people/${one}`,
    purpose: 'safeguarding',
    note: ' told by\r\nMs <b>X</b> ',
  };
  t.match(await browser.post(`/people/${one}`, '/purpose', say), { status: 303, location: `/people/${one}` });
  t.match((await browser.get(`/people/${one}`)).body, 'Last sign-in');
  const reason = 'A safeguarding concern: told by Ms <b>X</b>';
  t.match(looks(plane), [{ subject: `person:${one}`, reason, after: { purpose: 'safeguarding' } }]);
  await browser.get(`/people/${one}`);
  t.equal(looks(plane).length, 2, 'each look is a row');

  t.match((await browser.get(`/people/${other}`)).body, 'What do you look for?', 'another person');
  t.match((await signedIn(plane, 'd.lead').get(`/people/${one}`)).body, 'What do you look for?', 'another session');
  t.match((await signedIn(plane, 'h.teacher').get(`/people/${one}`)).body, 'What do you look for?', 'somebody else');
  for (let i = 0; i < 3; i++) {
    t.match((await browser.get(`/people/${one}`)).body, 'Last sign-in');
    plane.clock.advance(PURPOSE_MS / 3);
  }
  t.match((await browser.get(`/people/${one}`)).body, 'What do you look for?', 'half an hour later');
});

void t.test('what is wrong is told, nothing typed is lost, and it leads to our own pages only', async (t) => {
  const plane = await school(t);
  const [one] = ids(plane) as [string];
  const browser = signedIn(plane, 'd.lead');
  const page = `/people/${one}`;
  const subject = `person:${one}`;
  const none = await browser.post(page, '/purpose', { subject, back: page, note: '"><script>x</script>' });
  t.equal(none.status, 422);
  t.match(none.body, 'href="#purpose"');
  t.match(none.body, '&quot;&gt;&lt;script&gt;x&lt;/script&gt;', 'kept');
  t.notMatch(none.body, '<script>x');
  const other = await browser.post(page, '/purpose', { subject, back: page, purpose: 'other', note: ' ' });
  t.match(other, { status: 422, body: /href="#note"/ });
  const long = await browser.post(page, '/purpose', { subject, back: page, purpose: 'help', note: 'x'.repeat(301) });
  t.match(long, { status: 422, body: /this has 301/ });
  const unknown = await browser.post(page, '/purpose', { subject, back: page, purpose: 'toString' });
  t.equal(unknown.status, 422);
  const odd = await browser.post(page, '/purpose', { subject: 'x', back: page, purpose: 'help' });
  t.equal(odd.status, 400);
  const away = await browser.post(page, '/purpose', { subject, back: '//evil.test/', purpose: 'help' });
  t.match(away, { status: 303, location: '/' });
  const forged = await browser.post(page, '/purpose', { subject, back: page, purpose: 'help' }, null);
  t.equal(forged.status, 403, 'without the token of the form');
});
