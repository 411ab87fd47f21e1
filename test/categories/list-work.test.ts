// An act on the lists that takes longer than anybody should look at a page that does not answer.
import t from 'tap';
import { createListWorks } from '../../src/categories/list-work.ts';
import type { Lists, OnStep, UpdateReport } from '../../src/categories/service.ts';
import { SchoolgateError } from '../../src/kernel/errors.ts';
import { NO_LISTS, addPerson, testConsole } from '../helpers/test-console.ts';

const REPORT: UpdateReport = { fetched: [], changes: [], alarms: ['One thing to know.'] };

await t.test('what is done soon is shown at once, what is not can be looked at until it is', async (t) => {
  const works = createListWorks(20);
  const soon = await works.begin('Soon', async () => REPORT);
  t.same(soon.outcome(), { report: ['One thing to know.'] });
  const late = Promise.withResolvers<UpdateReport>();
  let tell: OnStep = () => {};
  const work = await works.begin('Late', (onStep) => {
    tell = onStep;
    return late.promise;
  });
  t.equal(works.find(work.id), work);
  t.same([work.title, work.step(), work.outcome()], ['Late', { doing: 'waiting' }, null]);
  tell({ doing: 'fetching', done: 1, of: 2 });
  t.same(work.step(), { doing: 'fetching', done: 1, of: 2 });
  const fault = new Error('a disk');
  late.reject(fault);
  await t.rejects(late.promise);
  t.same(work.outcome(), { error: fault });
  for (let i = 0; i < 19; i++) await works.begin('Another', async () => REPORT);
  t.equal(works.find(work.id), work);
  await works.begin('Another', async () => REPORT);
  t.equal(works.find(work.id), null, 'not for ever');
});

await t.test('at the console', { timeout: 60_000 }, async (t) => {
  const acts = { update: Promise.withResolvers<UpdateReport>(), accept: Promise.withResolvers<UpdateReport>() };
  const listUpdates: Lists = {
    ...NO_LISTS,
    update: (_actor, _which, onStep) => {
      onStep!({ doing: 'fetching', done: 3, of: 12 });
      return acts.update.promise;
    },
    accept: () => acts.accept.promise,
  };
  const console = await testConsole({ listUpdates });
  t.teardown(() => console.close());
  await addPerson(console, 'n.manager', ['network-manager']);
  const browser = await console.browser('n.manager');
  const begun = await browser.post('/lists', '/lists/update', {});
  t.equal(begun.status, 303);
  const page = String(begun.headers['location']);
  const waiting = await browser.get(page);
  t.match(waiting, { status: 200, headers: { refresh: '3' }, body: /3 of 12 lists have come\./ });
  acts.update.resolve(REPORT);
  const done = await browser.get(page);
  t.match(done, { status: 200, body: /One thing to know\./ });
  t.notOk(done.headers['refresh'], 'and it does not look again');

  const accepting = await browser.post('/lists', '/lists/far/accept', { sha256: 'ab'.repeat(32) });
  t.match((await browser.get(String(accepting.headers['location']))).body, /Accepting far.*It begins when/s);
  acts.accept.reject(new SchoolgateError('list_not_held', 'client', 'Of list "far" no update waits for a person.'));
  const refused = await browser.get(String(accepting.headers['location']));
  t.match(refused, { status: 409, body: /no update waits for a person/ });
  const unknown = await browser.get(`/lists/work/${'a'.repeat(36)}`);
  t.match(unknown, { status: 303, headers: { location: '/lists' } });
});
