// The index is replaced again and again under load: nobody's request fails, and nobody gets a wrong verdict.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { buildIndex } from '../../src/categories/build-index.ts';
import { type IndexManifest, putInForce, readManifest } from '../../src/categories/current-index.ts';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { journey } from '../helpers/journey.ts';
import { Stack } from '../helpers/stack.ts';
import { until } from '../helpers/until.ts';

const SWAPS = 20;

const { folder, httpStatus, connectStatus, isEverywhere, openTunnel, makeSchool } = await journey(t);
const bulk = Array.from({ length: 60_000 }, (_, i) => `n${i}.bulk.test`);
const lists = { gambling: ['casino.test'], games: ['games.test', ...bulk] };
const school = makeSchool('school', { lists });
const stack = await new Stack({ school }).start();
t.teardown(() => stack.stop());

interface Built {
  readonly manifest: IndexManifest;
  readonly file: string;
}

/** Another build of the school's lists, with these names more. */
async function build(name: string, more: readonly string[]): Promise<Built> {
  const { listsDir } = makeSchool(name, { lists: { ...lists, games: [...lists.games, ...more] } });
  const layout = dataLayout(join(folder, name, 'data'));
  createDataFolders(layout);
  await buildIndex({ listsDir, layout, clock: systemClock });
  const manifest = readManifest(layout)!;
  return { manifest, file: join(layout.index, manifest.file) };
}

/** As a build does it that ends. */
function put({ manifest, file }: Built): void {
  copyFileSync(file, join(stack.layout.index, manifest.file));
  putInForce(stack.layout, manifest);
}

/** Clients of one name, until told to stop; gives every answer with when it was asked for and had, ms. */
interface Asking {
  readonly answers: { readonly status: number; readonly from: number; readonly until: number }[];
  readonly failures: unknown[];
  stop(): Promise<void>;
}

function askFor(name: string): Asking {
  const answers: Asking['answers'] = [];
  const failures: unknown[] = [];
  const over = new AbortController();
  const ask = async (status: typeof httpStatus): Promise<void> => {
    while (!over.signal.aborted) {
      const from = performance.now();
      try {
        answers.push({ status: await status(stack, name), from, until: performance.now() });
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const clients = [ask(httpStatus), ask(connectStatus)];
  return {
    answers,
    failures,
    async stop() {
      over.abort();
      await Promise.all(clients);
    },
  };
}

void t.test(`${SWAPS} swaps: what is the same in both indexes never changes, what differs is right`, async (t) => {
  const [without, withIt] = [await build('without', ['filler.test']), await build('with', ['alternating.test'])];
  const listed = await openTunnel(stack, 'echo.test');
  const asking = Object.fromEntries(
    ['casino.test', 'n59999.bulk.test', 'open.test', 'alternating.test'].map((name) => [name, askFor(name)]),
  );
  /** From when on, and until when, every worker had to refuse the alternating name, or to let it pass, ms. */
  const spans: { readonly status: number; readonly from: number; until: number }[] = [];
  for (let swap = 1; swap <= SWAPS; swap++) {
    const [built, status] = swap % 2 === 1 ? [withIt, 403] : [without, 200];
    put(built);
    await until(`swap ${swap} is in force`, () => isEverywhere(stack, 'alternating.test', status));
    spans.push({ status, from: performance.now(), until: performance.now() });
    await until('it was asked for', () => asking['open.test']!.answers.length > swap * 10);
    spans.at(-1)!.until = performance.now();
  }
  await Promise.all(Object.values(asking).map((one) => one.stop()));
  for (const [name, { answers, failures }] of Object.entries(asking)) {
    t.same(failures, [], `${name}: every request was answered`);
    t.ok(answers.length > SWAPS * 5, `${name}: ${answers.length} answers`);
    const wanted = name === 'open.test' ? [200] : name === 'alternating.test' ? [200, 403] : [403];
    t.same(
      [...new Set(answers.map(({ status }) => status))].sort((a, b) => a - b),
      wanted,
      name,
    );
  }
  const wrong = asking['alternating.test']!.answers.filter((answer) =>
    spans.some((span) => answer.from > span.from && answer.until < span.until && answer.status !== span.status),
  );
  t.same(wrong, [], 'between swaps the name that differs is always answered as the index in force says');
  await listed.send('ping\n');
  await listed.read('ping\n');
  t.equal((await stack.health()).status, 'ok');
  t.same(stack.pids('worker').length, 2, 'no worker died of it');
});

void t.test('an index that is damaged on its way into a worker is not served, and somebody is told', async (t) => {
  const layout = dataLayout(join(folder, 'with', 'data'));
  const manifest = readManifest(layout)!;
  const sha256 = '0'.repeat(64);
  const file = `index-${sha256}.sgi`;
  copyFileSync(join(layout.index, manifest.file), join(stack.layout.index, file));
  putInForce(stack.layout, { ...manifest, file, sha256 });
  await until('it tells', async () => (await stack.health()).alarms.some(({ code }) => code === 'snapshot-refused'));
  t.ok(await isEverywhere(stack, 'alternating.test', 200), 'the one before goes on');
  t.ok(await isEverywhere(stack, 'casino.test', 403));
});
