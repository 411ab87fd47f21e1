import t from 'tap';
import { leaseOffice } from '../../src/compose/lease-office.ts';
import type { Message, ProcessLink } from '../../src/compose/process-link.ts';

/** A link whose other end answers when the test says so. */
function testLink() {
  const told: Message[] = [];
  const answers: ((body: unknown) => void)[] = [];
  const refusals: ((error: Error) => void)[] = [];
  const link: ProcessLink = {
    tell: (message) => void told.push(message),
    ask: () =>
      new Promise((resolve, reject) => {
        answers.push(resolve);
        refusals.push(reject);
      }),
    onMessage: () => {},
    onGone: () => {},
  };
  return { told, answers, refusals, link };
}

void t.test('slots are asked for and given back', async (t) => {
  const { told, answers, link } = testLink();
  const office = leaseOffice(link);
  const asked = office.ask('10.0.0.1', 16);
  answers[0]!(7);
  t.equal(await asked, 7);
  office.giveBack('10.0.0.1', 7);
  t.same(told, [{ type: 'lease-back', key: '10.0.0.1', count: 7 }]);
});

// The supervisor's book counted such slots as this worker's until the worker died.
void t.test('slots that come too late go back at once', async (t) => {
  const { told, answers, link } = testLink();
  const asked = leaseOffice(link, 1).ask('*', 16);
  t.equal(await asked, 0);
  answers[0]!(16);
  await new Promise(setImmediate);
  t.same(told, [{ type: 'lease-back', key: '*', count: 16 }]);
});

void t.test('a supervisor that is gone grants nothing', async (t) => {
  const { told, refusals, link } = testLink();
  const asked = leaseOffice(link).ask('*', 16);
  refusals[0]!(new Error('the process is gone'));
  t.equal(await asked, 0);
  t.same(told, []);
});
