import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import t from 'tap';
import { type DownloadRequest, downloadSource, UnfitError } from '../../src/categories/download-source.ts';
import { createSourceClient } from '../../src/categories/fetch-source.ts';
import { readTar } from '../../src/categories/read-tar.ts';
import { withRetries } from '../../src/categories/retry.ts';
import { startListServer } from '../helpers/list-server.ts';
import { tarOf } from '../helpers/tar.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const server = await startListServer();
t.teardown(() => server.close());
const client = createSourceClient({ parent: null, ca: server.ca, limits: { idleMs: 400 } });
t.teardown(() => client.close());
const never = new AbortController().signal;

function ask(path: string, more: Partial<DownloadRequest> = {}): DownloadRequest {
  const none = { sha256: null, etag: null, lastModified: null };
  return { url: server.url(path), isFolder: false, maxBytes: 100_000, ...none, ...more };
}

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

void t.test('a list lies under the name of its content, packed as it is', async (t) => {
  const folder = join(tempFolder(t), 'list');
  const text = 'bets.test\nmore.test\n';
  for (const [body, packing] of [
    [Buffer.from(text), ''],
    [gzipSync(text), '.gz'],
    [zstdCompressSync(Buffer.from(text)), '.zst'],
  ] as const) {
    server.publish('/list.gz', body);
    const got = await downloadSource(client, ask('/list.gz'), folder, never);
    t.match(got, { name: `${sha256(body)}${packing}`, sha256: sha256(body), bytes: body.length, etag: /^"/ });
    if (got !== 'not-modified') t.same(readFileSync(join(folder, got.name)), body);
    const again = got === 'not-modified' ? {} : { etag: got.etag };
    t.equal(await downloadSource(client, ask('/list.gz', again), folder, never), 'not-modified');
  }
  t.equal(readdirSync(folder).length, 3, 'and nothing else is left');
});

void t.test('a squidGuard folder comes as an archive', async (t) => {
  const folder = join(tempFolder(t), 'list');
  const files = {
    'adult/': null,
    'adult/domains': 'a.test\n',
    'adult/urls': '',
    'adult/usage': 'x',
    '../../escape': 'x',
  };
  for (const archive of [tarOf(files), gzipSync(tarOf(files)), zstdCompressSync(tarOf(files))]) {
    server.publish('/adult.tar.gz', archive);
    const got = await downloadSource(client, ask('/adult.tar.gz', { isFolder: true }), folder, never);
    if (got === 'not-modified') throw new Error('nothing came');
    t.equal(got.name, sha256(archive));
    t.same(readdirSync(join(folder, got.name)).sort(), ['domains', 'urls']);
    t.equal(readFileSync(join(folder, got.name, 'domains'), 'utf8'), 'a.test\n');
  }
  t.notOk(existsSync(join(folder, '../../escape')));
});

void t.test('what is no list is set aside for a person, and what was there stays', async (t) => {
  const folder = join(tempFolder(t), 'list');
  server.publish('/good', 'bets.test\n');
  const good = await downloadSource(client, ask('/good'), folder, never);
  const page = '\ufeff\n  <!DOCTYPE html><p>Sign in to the wireless network';
  const twice = tarOf({ 'a/domains': 'a.test\n', 'b/domains': 'b.test\n' });
  const cases: [what: string, body: string | Uint8Array, message: RegExp, more: Partial<DownloadRequest>][] = [
    ['a page', page, /a web page came instead of a list/, {}],
    ['an API’s answer', '{"error":"expired"}', /a web page came/, {}],
    ['other content than pinned', 'evil.test\n', /the catalogue pins/, { sha256: sha256('bets.test\n') }],
    ['gzip that breaks off', gzipSync('bets.test\n'.repeat(99)).subarray(0, -9), /cannot be unpacked/, {}],
    ['zstd that breaks off', zstdCompressSync(Buffer.from('bets.test\n'.repeat(99))).subarray(0, -3), /cannot be/, {}],
    ['a bomb', gzipSync(Buffer.alloc(5 << 20)), /unpacks to more than 4,000,000 bytes/, {}],
    ['no archive', 'bets.test\n'.repeat(100), /not a tar archive/, { isFolder: true }],
    [
      'an archive that breaks off',
      tarOf({ 'a/domains': 'a.test\n' }).subarray(0, 900),
      /breaks off/,
      { isFolder: true },
    ],
    ['an archive of something else', tarOf({ 'a/readme': 'x' }), /neither "domains" nor "urls"/, { isFolder: true }],
    ['an archive of everything', twice, /holds "domains" twice/, { isFolder: true }],
  ];
  for (const [what, body, message, more] of cases) {
    server.publish('/bad', body);
    const error = await downloadSource(client, ask('/bad', more), folder, never).catch((error: unknown) => error);
    t.ok(error instanceof UnfitError, what);
    t.match(error, { message, again: false, kept: join(folder, 'set-aside') }, what);
    t.same(readFileSync(join(folder, 'set-aside')), Buffer.from(body as Uint8Array), what);
  }
  t.type(good, 'object');
  t.same(
    readdirSync(folder).filter((name) => !/^(?:set-aside|fetching)/.test(name)),
    [sha256('bets.test\n')],
  );
});

void t.test('a page that calls itself one, whatever it holds', async (t) => {
  const folder = tempFolder(t);
  server.publish('/html', 'bets.test\n', (_request, response, body) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(body);
  });
  await t.rejects(downloadSource(client, ask('/html'), folder, never), { message: /a web page came/ });
});

void t.test('a transfer that breaks off leaves nothing', async (t) => {
  const folder = join(tempFolder(t), 'list');
  server.publish('/cut', '', (_request, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('bets.test\n', () => response.destroy());
  });
  await t.rejects(downloadSource(client, ask('/cut'), folder, never), { code: 'source_unusable', again: true });
  t.same(readdirSync(folder), []);
});

void t.test('an archive is read alike however it is cut into pieces', async (t) => {
  const files = { 'x/domains': 'a.test\n'.repeat(200), 'x/urls': 'b.test/c\n', 'x/empty': '' };
  const archive = tarOf(files);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 40 }), async (sizes) => {
      const got: Record<string, string> = {};
      const tar = readTar((name) => {
        got[name] = '';
        return { write: (chunk) => void (got[name] += chunk.toString()), end: () => void (got[name] += '.') };
      });
      for (let at = 0, i = 0; at < archive.length; i++) {
        const size = sizes[i % sizes.length]!;
        tar.write(archive.subarray(at, at + size));
        at += size;
      }
      await new Promise<void>((resolve, reject) => tar.on('error', reject).end(resolve));
      t.strictSame(got, { domains: `${files['x/domains']}.`, urls: `${files['x/urls']}.`, empty: '.' });
    }),
    { numRuns: 30 },
  );
});

void t.test('tried again, ever later, and not at one second everywhere', async (t) => {
  const run = async (random: number, failures: number, again = true): Promise<number[]> => {
    const waits: number[] = [];
    let left = failures;
    const attempt = async (): Promise<void> => {
      if (left-- > 0) throw new Error('no');
    };
    const ports = { random: () => random, wait: async (ms: number) => void waits.push(ms) };
    await withRetries(attempt, () => again, ports, never).catch(() => waits.push(-1));
    return waits;
  };
  t.same(await run(0.5, 0), []);
  t.same(await run(0.5, 3), [2_000, 8_000, 32_000]);
  t.same(await run(0, 3), [1_000, 4_000, 16_000]);
  t.same(await run(0.5, 4), [2_000, 8_000, 32_000, -1]);
  t.same(await run(0.5, 1, false), [-1], 'not where it is of no use');
});
