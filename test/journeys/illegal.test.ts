// A listed illegal site: refused for everybody whatever is approved, reported, and its address kept nowhere.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import t from 'tap';
import { journey } from '../helpers/journey.ts';
import { getThrough } from '../helpers/proxied.ts';
import { tlsThrough } from '../helpers/raw-client.ts';
import { Stack } from '../helpers/stack.ts';
import { HEAD, joinBoth, MANAGER, signIn } from '../helpers/staff.ts';
import { until } from '../helpers/until.ts';

const { connectStatus, httpStatus, isEverywhere, makeSchool, origin, site } = await journey(t);
const school = makeSchool('school', { lists: { gambling: ['casino.test'], csam: ['forbidden.test'] } });
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());

/** In every address that is asked for, and in nothing else. */
const TYPED = 'what-a-client-typed';
const HITS = 3;

void t.test('it is refused by name, in a tunnel and by its TLS server name; no page of ours repeats it', async (t) => {
  const page = await getThrough(stack.proxyPort, site(`${TYPED}.forbidden.test`, `/${TYPED}`));
  t.equal(page.status, 403);
  t.notMatch(page.body.toString(), TYPED);
  t.equal(await connectStatus(stack, `${TYPED}.forbidden.test`), 403);
  origin.seen.length = 0;
  const place = `open.test:${origin.https.port}`;
  const tls = { servername: `${TYPED}.forbidden.test`, rejectUnauthorized: false };
  await t.rejects(tlsThrough(stack.proxyPort, place, tls));
  t.same(origin.seen, [], 'nothing was asked of the site');
  const why = await getThrough(stack.proxyPort, 'http://schoolgate.internal/why');
  t.equal(why.status, 200);
  t.notMatch(why.body.toString(), TYPED);
});

void t.test('every hit is reported without its address', async (t) => {
  const rows = await until('all are on record', () => {
    const found = stack.rows("SELECT target, host, category, json FROM flagged WHERE type = 'illegal.hit'");
    return found.length >= HITS ? found : null;
  });
  t.equal(rows.length, HITS);
  for (const row of rows) t.match(row, { target: null, host: null, category: 'csam' });
});

void t.test('an unblock of the site that two people approved opens nothing', async (t) => {
  await joinBoth(stack);
  const [manager, head] = [await signIn(stack, MANAGER), await signIn(stack, HEAD)];
  const end = new Date(Date.now() + 600_000).toISOString();
  const asked = { topic: 'A mistake', reason: 'Typed in haste', levels: ['ks1'], until: end };
  const hosts = ['forbidden.test', 'casino.test'];
  const { id } = await manager.call<{ id: string }>('POST', '/api/v1/unblocks', { ...asked, hosts });
  await head.call('POST', `/api/v1/unblocks/${id}/approve`, {});
  await until('the other site is open', () => isEverywhere(stack, 'casino.test', 200));
  t.ok(await isEverywhere(stack, 'forbidden.test', 403));
  await t.rejects(manager.call('POST', '/api/v1/unblocks', { ...asked, categories: ['csam'] }), /locked/);
  t.equal(await httpStatus(stack, 'www.forbidden.test'), 403);
});

void t.test('no file holds the address: not the record, the history, what is on its way, nor a log', async (t) => {
  // Closed segments and a checkpointed record: everything is where it stays.
  await stack.stop();
  const files = readdirSync(stack.layout.root, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const holding = (text: string): string[] =>
    files
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((path) => {
        const bytes = readFileSync(path);
        return (path.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes).includes(text);
      });
  t.ok(
    holding('casino.test').some((path) => path.endsWith('.zst')),
    'what is not locked is found',
  );
  t.same(holding(TYPED), []);
  t.notMatch(stack.stdout + stack.stderr, TYPED);
});
