// The console is killed while it takes a request, an approval and an end: of each there is all or nothing, and nobody is mailed twice.
import { writeFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import t from 'tap';
import { openMailSink } from '../delivery/sink.ts';
import { journey } from '../helpers/journey.ts';
import { freePort } from '../helpers/listening.ts';
import { HEAD, MANAGER, joinBoth, signIn } from '../helpers/staff.ts';
import { Stack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(300_000);
const { isEverywhere, makeSchool } = await journey(t);
const school = makeSchool('school', { lists: { games: ['letters.test'] } });
const port = await freePort();
const console = `http://127.0.0.1:${port}`;
const mail = { [MANAGER]: 'manager@school.test', [HEAD]: 'head@school.test' };
writeFileSync(joinPath(school.policyDir, 'alerts.yaml'), JSON.stringify({ console, mail }));
const sink = await openMailSink();
t.teardown(() => sink.close());
const env = {
  SCHOOLGATE_CONSOLE_PORT: String(port),
  SCHOOLGATE_SMTP_URL: `smtp://127.0.0.1:${sink.port}`,
  SCHOOLGATE_MAIL_FROM: 'filter@school.test',
};
const stack = await new Stack({ school, env, workers: 1 }).start();
t.teardown(() => stack.stop());
await joinBoth(stack);
// Sessions outlive a console.
const [manager, head] = [await signIn(stack, MANAGER), await signIn(stack, HEAD)];

/** Begins something, kills the console `wait` ms later, and waits for the next one. */
async function killedDuring(work: Promise<unknown>, wait: number): Promise<void> {
  const ended = work.catch(() => {});
  const [pid] = stack.pids('console');
  const at = performance.now() + wait;
  await until('it is under way', () => performance.now() >= at);
  process.kill(pid!, 'SIGKILL');
  await ended;
  await until('another console runs', () => stack.pids('console').some((other) => other !== pid), 30_000);
  await until('it answers', async () => (await fetch(`${console}/health`).catch(() => null))?.ok === true, 60_000);
}

interface Found {
  readonly id: string;
  readonly state: string;
  /** Rows of the record of acts, and mails that were queued. */
  readonly acts: number;
  readonly mails: number;
}

function find(topic: string): Found | null {
  const [row] = stack.rows('SELECT id, state FROM unblocks WHERE topic = ?', topic);
  if (row === undefined) return null;
  const id = String(row['id']);
  const count = (sql: string, value: string): number => Number(stack.rows(sql, value)[0]!['n']);
  return {
    id,
    state: String(row['state']),
    acts: count('SELECT count(*) AS n FROM audit WHERE subject = ?', `unblock:${id}`),
    mails: count("SELECT count(*) AS n FROM deliveries WHERE about LIKE ? || '#%'", `unblock:${id}`),
  };
}

const total = (table: 'audit' | 'deliveries', where: string): number =>
  Number(stack.rows(`SELECT count(*) AS n FROM ${table} WHERE ${where}`)[0]!['n']);

for (const wait of [0, 6]) {
  void t.test(`killed after ${wait} ms`, { timeout: 240_000 }, async (t) => {
    const topic = `Killed after ${wait} ms`;
    const until9 = new Date(Date.now() + 600_000).toISOString();
    const terms = { topic, reason: 'x', hosts: ['letters.test'], levels: ['ks1'], until: until9 };
    const before = {
      acts: total('audit', "action = 'unblock.requested'"),
      mails: total('deliveries', "about LIKE 'unblock:%#waiting'"),
    };
    const ask = () => manager.call('POST', '/api/v1/unblocks', terms);
    await killedDuring(ask(), wait);
    if (find(topic) === null) {
      const after = {
        acts: total('audit', "action = 'unblock.requested'"),
        mails: total('deliveries', "about LIKE 'unblock:%#waiting'"),
      };
      t.same(after, before, 'no request, no row, no mail');
      await ask();
    }
    const { id, ...asked } = find(topic)!;
    t.same(asked, { state: 'requested', acts: 1, mails: 1 }, 'the request with its row and its mail');
    for (const [move, state, status] of [
      ['approve', 'approved', 200],
      ['revoke', 'revoked', 403],
    ] as const) {
      const was = find(topic)!;
      const makeMove = () => head.call('POST', `/api/v1/unblocks/${id}/${move}`, {});
      await killedDuring(makeMove(), wait);
      const done = { id, state, acts: was.acts + 1, mails: was.mails + 1 };
      const found = find(topic);
      t.same(found, found?.state === state ? done : was, `${move}: state, row and mail, or none of them`);
      if (found?.state !== state) await makeMove();
      await until(`gateways know: ${move}`, () => isEverywhere(stack, 'letters.test', status), 30_000);
    }
  });
}

void t.test('what was under way is made up for', async (t) => {
  const unsent = (): number => total('deliveries', "state <> 'sent' AND channel = 'mail'");
  await until('every mail has left', () => unsent() === 0, 60_000);
  const sent = new Map(sink.taken.map(({ messageId, to, source }) => [messageId, `${to} ${source}`]));
  t.equal(sent.size, total('deliveries', "channel = 'mail'"), 'each once, or again under the id that it had');
  t.match(await stack.run(['audit', 'verify']), { code: 0 });
});
