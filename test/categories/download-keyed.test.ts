// A list of a locked category on its way from its publisher into its keyed form: no text of it on any disk.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import t from 'tap';
import { downloadKeyed, type KeyedRequest } from '../../src/categories/download-keyed.ts';
import type { Download } from '../../src/categories/download-source.ts';
import { createSourceClient, SourceError } from '../../src/categories/fetch-source.ts';
import { readKeyedFile } from '../../src/categories/fetched-lists.ts';
import { deriveIllegalKeys } from '../../src/categories/illegal-keys.ts';
import { type ListAnswer, inTheUsualWay, startListServer } from '../helpers/list-server.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const server = await startListServer();
t.teardown(() => server.close());
const client = createSourceClient({ parent: null, ca: server.ca, limits: { idleMs: 400 } });
t.teardown(() => client.close());
const never = new AbortController().signal;
const keys = deriveIllegalKeys(randomBytes(32));

const TEXT = 'http://marker-host.test/\nshared.test/marker-page\nmarker bad line\nhttp://marker-host.test/\n';
const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function ask(folder: string, path: string, more: Partial<KeyedRequest> = {}): KeyedRequest {
  const list = { id: 'members', category: 'csam', format: 'illegal-urls' } as const;
  const none = { sha256: null, credentials: null, content: null, etag: null, lastModified: null };
  return { ...list, ...none, url: server.url(path), maxBytes: 100_000, folder, ...more };
}

async function had(request: KeyedRequest, by = keys): Promise<Download> {
  const got = await downloadKeyed(client, request, by, never);
  if (got === 'not-modified') throw new Error('nothing came');
  return got;
}

async function fault(request: KeyedRequest): Promise<SourceError> {
  const error = await downloadKeyed(client, request, keys, never).catch((caught: unknown) => caught);
  if (error instanceof SourceError) return error;
  throw new Error('it should have failed as a source does', { cause: error });
}

void t.test('however it is packed, one list is one keyed file, and nothing of its text is kept', async (t) => {
  const folder = join(tempFolder(t), 'members');
  const digests = `${sha256('marker-host.test/')}\n`;
  const found: Download[] = [];
  for (const body of [TEXT, gzipSync(TEXT), zstdCompressSync(Buffer.from(TEXT))]) {
    server.publish('/list', body);
    const got = await had(ask(folder, '/list'));
    t.match(got, { name: `${got.sha256}.sgf`, bytes: Buffer.byteLength(body), etag: /^[\w+/]{40,}=*$/ });
    t.same(got.keyed, { accepted: 2, duplicates: 1, rejected: 1, rejectedLines: [3] });
    found.push(got);
  }
  t.equal(new Set(found.map(({ name }) => name)).size, 1);
  t.same(readdirSync(folder), [found[0]!.name]);
  t.equal(readKeyedFile(join(folder, found[0]!.name), keys).filter(({ kind }) => kind !== 'below').length, 2);
  server.publish('/hashes', digests);
  const hashes = await had(ask(folder, '/hashes', { format: 'illegal-hashes' }));
  t.match(hashes.keyed, { accepted: 1 });
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name));
    for (const text of ['marker', sha256(TEXT), digests.trim()]) t.notOk(bytes.includes(text), text);
    t.notOk(bytes.includes(Buffer.from(digests.trim(), 'hex')), 'nor a digest without a key');
  }
});

void t.test('what is here already is not sent again, but for another key', async (t) => {
  const folder = join(tempFolder(t), 'members');
  server.publish('/list', TEXT);
  const { name, etag, lastModified } = await had(ask(folder, '/list'));
  const again = ask(folder, '/list', { content: name, etag, lastModified });
  t.equal(await downloadKeyed(client, again, keys, never), 'not-modified');
  // An MD5 of the list in clear is what many servers give as its tag, and the state that holds it is in every backup.
  const plain = createHash('md5').update(TEXT).digest('hex');
  server.publish('/list', TEXT, (request, response) => {
    const isKnown = request.headers['if-none-match'] === `"${plain}"`;
    response.writeHead(isKnown ? 304 : 200, { etag: `"${plain}"` }).end(isKnown ? '' : TEXT);
  });
  const tagged = await had({ ...again, etag: 'not one of ours', lastModified: null });
  t.notMatch(Buffer.from(tagged.etag!, 'base64').toString('latin1') + tagged.etag!, plain);
  const third = { ...again, etag: tagged.etag, lastModified: null };
  t.equal(await downloadKeyed(client, third, keys, never), 'not-modified');
  const other = await had(again, deriveIllegalKeys(randomBytes(32)));
  t.not(other.name, name);
  writeFileSync(join(folder, name), 'damaged');
  t.equal((await had(again)).name, name, 'nor where it is damaged');
});

void t.test('what is no list is refused, and nothing of it is kept', async (t) => {
  const folder = join(tempFolder(t), 'members');
  const html: ListAnswer = (_request, response, body) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end(body);
  const late: ListAnswer = (_request, response) => {
    response.write(' \n');
    setImmediate(() => response.end('<!doctype html><p>marker'));
  };
  const packed = gzipSync(randomBytes(2000).toString('hex').replace(/.{16}/g, '$&-marker.test\n'));
  const cases: [string, string | Uint8Array, RegExp, Partial<KeyedRequest>, ListAnswer?][] = [
    ['a page', '<html>marker', /a web page came/, {}],
    ['a page that calls itself one', TEXT, /a web page came/, {}, html],
    ['a page that is packed', gzipSync('\ufeff<p>marker'), /a web page came/, {}],
    ['a page that comes in pieces', '', /a web page came/, {}, late],
    ['an answer of an interface', '{"error":"marker"}', /a web page came/, {}],
    ['nothing', '', /no usable entry/, {}],
    ['comments', '# marker\n', /no usable entry/, {}],
    ['other words', 'marker here\nmarker there\nmarker.test\n', /most lines .* no entries/, {}],
    ['gzip that breaks off', packed.subarray(0, -9), /cannot be unpacked or read \(unexpected end/, {}],
    ['zstd that breaks off', zstdCompressSync(packed).subarray(0, -3), /cannot be unpacked or read/, {}],
    ['damaged gzip', Buffer.concat([packed.subarray(0, 20), randomBytes(200)]), /cannot be unpacked or read/, {}],
    ['a bomb', gzipSync(Buffer.alloc(5 << 20, '#')), /unpacks to more than 4,000,000 bytes/, {}],
    ['too much', TEXT.repeat(2000), /bigger than 100,000 bytes/, {}],
    ['other content than pinned', TEXT, /not the content that the catalogue pins/, { sha256: 'ab'.repeat(32) }],
  ];
  for (const [what, body, message, more, answer] of cases) {
    server.publish('/bad', body, answer);
    const error = await fault(ask(folder, '/bad', more));
    t.match(error.publicText, message, what);
    t.equal(error.again, false, what);
    t.notMatch(error.publicText, 'marker', what);
    t.notOk(existsSync(folder), what);
  }
  server.publish('/good', TEXT);
  await had(ask(folder, '/good', { sha256: sha256(TEXT) }));
});

void t.test('credentials come from a file, go to the publisher alone, and are told to nobody', async (t) => {
  const root = tempFolder(t);
  const [folder, credentials] = [join(root, 'members'), join(root, 'credentials')];
  const seen: (string | undefined)[] = [];
  let wanted = '';
  server.publish('/members', TEXT, (request, response, body) => {
    seen.push(request.headers.authorization);
    if (request.headers.authorization === wanted) inTheUsualWay(request, response, body);
    else response.writeHead(401).end('who are you');
  });
  const asked = ask(folder, '/members', { credentials });
  t.match(await fault(asked), { message: /credentials cannot be read from .*credentials \(ENOENT\)/, again: false });
  for (const text of ['', 'hush-hush', 'Bearer hush hush', 'school:hush\nhush\n']) {
    writeFileSync(credentials, text);
    const error = await fault(asked);
    t.match(error.message, /must hold one line, "name:password" or "Bearer token"/, text);
    t.notMatch(error.message, 'hush');
  }
  t.same(seen, [], 'nobody was asked');
  for (const [text, field] of [
    ['school:hüsh: hush\n', `Basic ${Buffer.from('school:hüsh: hush').toString('base64')}`],
    ['Bearer hush-hush.1==', 'Bearer hush-hush.1=='],
  ] as const) {
    writeFileSync(credentials, text);
    wanted = 'another';
    const refused = await fault(asked);
    t.match(refused, { message: /answered with status 401: it does not take the credentials/, again: false });
    t.notMatch(refused.message, /hush|Basic/);
    wanted = field;
    t.match(await had(asked), { keyed: { accepted: 2 } });
  }
  t.match(await fault(ask(folder, '/members')), { message: /status 401: it may want credentials/ });
  const elsewhere = await startListServer();
  t.teardown(() => elsewhere.close());
  const both = createSourceClient({ parent: null, ca: `${server.ca}\n${elsewhere.ca}` });
  t.teardown(() => both.close());
  server.publish(
    '/moved',
    '',
    (_request, response) => void response.writeHead(302, { location: elsewhere.url('/in') }).end(),
  );
  const strange: (string | undefined)[] = [];
  elsewhere.publish('/in', TEXT, (request, response, body) => {
    strange.push(request.headers.authorization);
    inTheUsualWay(request, response, body);
  });
  await downloadKeyed(both, ask(folder, '/moved', { credentials }), keys, never);
  t.same(strange, [undefined], 'a redirect takes nothing of them along');
});
