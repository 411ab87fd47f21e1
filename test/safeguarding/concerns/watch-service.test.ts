import * as fc from 'fast-check';
import t from 'tap';
import type { AccessRecord } from '../../../src/events/access-record.ts';
import { insertPerson } from '../../../src/identity/repository.ts';
import { storeRoles } from '../../../src/identity/staff/repository.ts';
import { createIdMaker } from '../../../src/kernel/ids.ts';
import type { Concern } from '../../../src/safeguarding/concerns/model.ts';
import { actsOf, evidenceOf, findingsOf, newestConcerns } from '../../../src/safeguarding/concerns/repository.ts';
import { alertsToTake } from '../../../src/safeguarding/concerns/service.ts';
import { sampleRecord } from '../../events/sample.ts';
import { type ControlPlane, START, controlPlane, manualClock } from '../../helpers/control-plane.ts';
import { shippedPolicy } from '../../helpers/school-week.ts';
import { addPerson } from '../../helpers/test-console.ts';

const snapshot = shippedPolicy();
const newId = createIdMaker(() => START);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LEAD = { personId: '01J00000000000000000000099', userName: 'd.lead', address: '10.0.0.9' };

/** Its clock stands after everything that happens, as it does for events that came late. */
function plane(now = START + 7 * DAY): ControlPlane {
  const made = controlPlane({ disk: { snapshot }, clock: manualClock(now) });
  made.policy.look();
  made.record.write((tx) => {
    insertPerson(tx, { id: LEAD.personId, userName: LEAD.userName, fullName: 'Dee Lead' }, LEAD.userName, START);
    storeRoles(tx, LEAD.personId, [{ role: 'safeguarding-lead', endsAt: null }], START);
  });
  return made;
}

function record(at: number, change: Partial<AccessRecord> = {}): AccessRecord {
  const host = change.host === undefined ? 'self-harm.example' : change.host;
  const category = change.category ?? 'self-harm';
  return sampleRecord({
    id: newId(),
    at: new Date(at).toISOString(),
    gateway: 'hall',
    user: 'p.upil',
    identified: 'session',
    level: 'ks3',
    target: host === null ? null : `${host}:443`,
    host,
    category,
    categories: [category],
    lists: [],
    rule: null,
    ...change,
  });
}

function search(at: number, words: string, change: Partial<AccessRecord> = {}): AccessRecord {
  const target = `http://www.bing.com/search?q=${encodeURIComponent(words)}`;
  const seen = { host: 'www.bing.com', category: 'search-engines', target, method: 'GET', flagged: false, ...change };
  return record(at, { verdict: 'allow', action: 'allow', status: 200, ...seen });
}

function eventOf(data: AccessRecord, change: object = {}): string {
  const type = data.locked ? 'illegal.hit' : data.verdict === 'block' ? 'access.blocked' : 'access.flagged';
  return JSON.stringify({ id: data.id, type, v: 1, at: data.at, data, ...change });
}

function bring({ safeguarding }: ControlPlane, ...records: readonly AccessRecord[]): void {
  safeguarding.take(records.map((one) => eventOf(one)));
}

function concerns({ record: all }: ControlPlane): Concern[] {
  return all.read((tx) => newestConcerns(tx, 100));
}

function alerts({ record: all }: ControlPlane): string[] {
  return all.read((tx) => alertsToTake(tx, 100)).map(({ why, severity }) => `${why} ${severity}`);
}

void t.test('the second event of the same child is added to the open concern, and alerts again by rule', async (t) => {
  const made = plane();
  t.teardown(() => made.close());
  bring(made, record(START));
  t.match(concerns(made), [{ subject: 'p.upil', theme: 'self-harm', severity: 'caution', state: 'open' }]);
  bring(made, record(START + HOUR, { host: 'more.example' }));
  t.strictSame(alerts(made), ['opened caution'], 'a second first sign does not alert again: its rule does not say so');
  bring(made, record(START + 2 * HOUR, { host: 'third.example' }));
  t.strictSame(alerts(made), ['opened caution', 'raised danger']);
  made.concerns.move(LEAD, concerns(made)[0]!.id, 'acknowledge', '');
  bring(made, record(START + 2 * HOUR + 5000, { host: 'third.example' }));
  t.equal(alerts(made).length, 2, 'a retry is no second event');
  t.match(concerns(made), [{ state: 'acknowledged' }]);
  bring(made, record(START + 3 * HOUR, { host: 'fourth.example' }));
  t.strictSame(alerts(made), ['opened caution', 'raised danger', 'again danger']);
  t.match(concerns(made), [{ state: 'open', severity: 'danger' }], 'who acknowledged it has not seen this');
  const [{ id }] = concerns(made) as [Concern];
  made.record.read((tx) => {
    t.equal(evidenceOf(tx, id).length, 4);
    t.match(findingsOf(tx, id)[0], {
      rule: /#themes\.self-harm\.rules\.Danger at once$/,
      points: 16,
      policy: snapshot.hash,
    });
    t.strictSame(
      actsOf(tx, id).map(({ act }) => act),
      ['opened', 'raised', 'acknowledged', 'again'],
    );
  });
});

void t.test('a page with twelve hosts, retries and an app that asks all day are what they are', async (t) => {
  const made = plane();
  t.teardown(() => made.close());
  const page = (at: number): AccessRecord[] =>
    Array.from({ length: 12 }, (_, i) => record(at + i * 500, { host: `part-${i}.example` }));
  bring(made, ...page(START));
  t.match(concerns(made), [{ theme: 'self-harm', severity: 'caution' }], 'one page is one visit, and one concern');
  const app = Array.from({ length: 90 }, (_, i) =>
    record(START + i * 5 * MINUTE, { user: 'a.pp', host: 'vpn.example', category: 'vpn-proxy' }),
  );
  bring(made, ...app);
  const adverts = Array.from({ length: 30 }, (_, i) =>
    record(START + i * HOUR, {
      user: 'a.dvert',
      host: `a-${i}.example`,
      category: 'adult',
      categories: ['adult', 'adverts'],
    }),
  );
  bring(made, ...adverts);
  t.equal(concerns(made).length, 1);
});

void t.test('what is dismissed does not count again, and what comes later is a new concern', async (t) => {
  const made = plane();
  t.teardown(() => made.close());
  bring(made, record(START), record(START + HOUR, { host: 'b.example' }));
  const [first] = concerns(made) as [Concern];
  t.throws(() => made.concerns.move(LEAD, first.id, 'dismiss', '  '), { code: 'invalid_fields' });
  made.concerns.move(LEAD, first.id, 'dismiss', 'A poster for health week');
  t.throws(() => made.concerns.move(LEAD, first.id, 'close', 'again'), { code: 'concern_move' });
  bring(made, record(START + 2 * HOUR, { host: 'c.example' }));
  const [second, ...rest] = concerns(made).filter(({ state }) => state === 'open');
  t.match(second, { severity: 'caution' }, 'the two before would have made it danger');
  t.strictSame(rest, []);
  const { others } = made.concerns.one(LEAD, second!.id);
  t.strictSame(
    others.map(({ id }) => id),
    [first.id],
  );
  t.match(made.concerns.tuning(LEAD)[0], { concerns: 2, dismissed: 1, reasons: ['A poster for health week'] });
  made.concerns.move(LEAD, second!.id, 'close', 'Spoke with her; in the safeguarding system');
  bring(made, record(START + 3 * HOUR, { host: 'd.example' }));
  t.equal(concerns(made).length, 3);
});

void t.test('nobody sees a concern about themselves, whatever their roles', async (t) => {
  const made = plane();
  t.teardown(() => made.close());
  await addPerson(made, 'h.ead', ['headteacher', 'safeguarding-lead']);
  const head = made.accounts.people().find(({ userName }) => userName === 'h.ead');
  const self = { personId: head!.id, userName: 'h.ead', address: '10.0.0.1' };
  bring(made, record(START, { user: 'h.ead', level: 'staff' }));
  bring(made, record(START, { user: 'p.upil' }), record(START, { user: 'q.upil' }));
  const about = concerns(made).find(({ subject }) => subject === 'h.ead')!;
  t.match(about, { personId: head!.id });
  t.strictSame(
    made.concerns.list(self, {}).map(({ subject }) => subject),
    ['q.upil', 'p.upil'],
  );
  t.throws(() => made.concerns.one(self, about.id), { code: 'concern_unknown' });
  for (const move of ['acknowledge', 'dismiss', 'close'] as const) {
    t.throws(() => made.concerns.move(self, about.id, move, 'x'), { code: 'concern_unknown' }, move);
  }
  t.match(made.concerns.tuning(self), [{ concerns: 2 }]);
  t.equal(made.concerns.open(self.personId), 2);
  const other = concerns(made).find(({ subject }) => subject === 'p.upil')!;
  const alongside = (who: typeof LEAD): string[] =>
    made.concerns.one(who, other.id).alongside.map(({ subject }) => subject);
  t.strictSame(alongside(self), ['q.upil'], 'nor beside somebody else’s');
  t.strictSame(alongside(LEAD), ['q.upil'], 'nor does the safeguarding lead see what is about staff');
});

void t.test('a lesson list and an unblock in force stand beside the evidence and hide nothing', async (t) => {
  const made = plane();
  t.teardown(() => made.close());
  await addPerson(made, 't.eacher', ['teacher']);
  const teacher = made.accounts.people()[0]!.id;
  const span = { from: START - HOUR, until: START + HOUR };
  made.record.write((tx) => {
    tx.run(
      `INSERT INTO lessons (id, title, sites, classes, pupils, starts_at, ends_at, given_by, given_at)
       VALUES ('L', 'Weimar', '["a.example"]', '[]', '["p.upil"]', ?, ?, ?, ?)`,
      span.from,
      span.until,
      teacher,
      span.from,
    );
  });
  bring(made, record(START), record(START, { user: 'an.other' }));
  t.equal(concerns(made).length, 2);
  const topics = concerns(made).map(({ id, subject }) => [
    subject,
    made.concerns.one(LEAD, id).evidence.flatMap(({ facts }) => facts.topics),
  ]);
  t.strictSame(new Map(topics as [string, unknown][]).get('an.other'), []);
  t.strictSame(new Map(topics as [string, unknown][]).get('p.upil'), [{ kind: 'lesson', id: 'L', title: 'Weimar' }]);
});

void t.test('searches that nothing flagged count once, and false friends never', async (t) => {
  const made = plane();
  t.teardown(() => made.close());
  const found = search(START, 'How to KILL myself?');
  made.safeguarding.takeSearches([found, found, search(START, 'suicide squad cast', { user: 'f.an' })]);
  made.safeguarding.takeSearches([found]);
  t.match(concerns(made), [{ subject: 'p.upil', theme: 'self-harm', severity: 'danger' }]);
  t.strictSame(alerts(made), ['opened danger']);
  const [evidence] = made.concerns.one(LEAD, concerns(made)[0]!.id).evidence;
  t.match(evidence, {
    term: 'How to KILL myself?',
    requests: 1,
    facts: { phrase: 'how to kill myself', severity: 'danger' },
  });
});

void t.test('events that are strange do no harm', async (t) => {
  const made = plane(START);
  t.teardown(() => made.close());
  const { safeguarding } = made;
  const huge = 'a.'.repeat(500_000);
  const long = record(START, { user: 'l.ong', host: `${huge}example`, target: `http://www.bing.com/search?q=${huge}` });
  const begun = performance.now();
  t.strictSame(safeguarding.take([eventOf(long)]), ['taken']);
  t.ok(performance.now() - begun < 5000, 'a megabyte takes no time');
  const newer = record(START, { user: 'n.ewer' });
  t.strictSame(safeguarding.take([eventOf(newer, { v: 2 }), 'x'.repeat(1 << 20), eventOf(record(START))]), [
    'parked',
    'parked',
    'taken',
  ]);
  const ahead = record(START + 30 * DAY, { user: 'a.head' });
  const behind = record(START - 5 * HOUR, { user: 'b.ehind' });
  bring(made, ahead, behind);
  const at = (user: string): number => concerns(made).find(({ subject }) => subject === user)!.firstAt;
  t.equal(at('a.head'), START, 'a clock that is ahead is not believed');
  t.equal(at('b.ehind'), START - 5 * HOUR, 'what comes late happened then');
  t.match(made.concerns.one(LEAD, concerns(made).find(({ subject }) => subject === 'a.head')!.id).evidence[0], {
    facts: { aheadMs: 30 * DAY },
  });
  t.equal(
    concerns(made).find(({ subject }) => subject === 'n.ewer'),
    undefined,
  );
});

void t.test('listed illegal material is danger at once and is never named', async (t) => {
  const made = plane();
  t.teardown(() => made.close());
  const hit = record(START, { host: null, category: 'csam', locked: true, reason: 'illegal', step: 'illegal' });
  bring(made, hit);
  t.match(concerns(made), [{ theme: 'illegal', severity: 'danger' }]);
  t.match(made.concerns.one(LEAD, concerns(made)[0]!.id).evidence, [{ host: null, term: null }]);
});

void t.test('a batch in any order, and each event any number of times, comes to the same', async (t) => {
  const steps = fc.record({
    minute: fc.integer({ min: 0, max: 5 * 24 * 60 }),
    user: fc.constantFrom('one', 'two'),
    host: fc.constantFrom('a.example', 'b.example', 'c.example', 'www.a.example'),
    category: fc.constantFrom('self-harm', 'vpn-proxy', 'adult', 'extremism'),
  });
  const outcome = (records: readonly AccessRecord[]): unknown => {
    const made = plane();
    bring(made, ...records);
    const found = made.record.read((tx) =>
      newestConcerns(tx, 100).map(({ id, subject, theme, severity, firstAt, lastAt }) => ({
        subject,
        theme,
        severity,
        firstAt,
        lastAt,
        evidence: evidenceOf(tx, id).map(({ host, firstAt: at, requests }) => [host, at, requests]),
        rules: findingsOf(tx, id).map(({ rule, points }) => [rule, points]),
      })),
    );
    const times = alerts(made).length;
    void made.close();
    return { times, found: found.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
  };
  fc.assert(
    fc.property(fc.array(steps, { minLength: 1, maxLength: 25 }), fc.infiniteStream(fc.nat(1000)), (all, numbers) => {
      const records = all.map(({ minute, ...change }) =>
        record(START + minute * MINUTE, { ...change, categories: [change.category] }),
      );
      const shuffled = records
        .flatMap((one) => [one, one])
        .map((one) => ({ one, key: numbers.next().value as number }))
        .sort((a, b) => a.key - b.key)
        .map(({ one }) => one);
      t.strictSame(outcome(shuffled), outcome(records));
    }),
    { numRuns: 25 },
  );
});
