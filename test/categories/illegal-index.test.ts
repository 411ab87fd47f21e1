import { createHash, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import t from 'tap';
import { illegalReader } from '../../src/categories/illegal-content.ts';
import { encodeIllegal, decodeIllegal } from '../../src/categories/illegal-file.ts';
import { openIllegal } from '../../src/categories/illegal-index.ts';
import { deriveIllegalKeys } from '../../src/categories/illegal-keys.ts';
import type { IllegalIndex } from '../../src/categories/illegal-match.ts';
import { sipHash, sipKey } from '../../src/categories/sip-hash.ts';
import { parseUrl } from '../../src/kernel/url.ts';

const KEYS = deriveIllegalKeys(Buffer.alloc(32, 7));

function listOf(format: 'illegal-urls' | 'illegal-hashes', lines: readonly string[], keys = KEYS) {
  const reader = illegalReader(keys, format, 100);
  for (const [i, line] of lines.entries()) reader.line(line, i + 1);
  return reader.end();
}

function indexOf(format: 'illegal-urls' | 'illegal-hashes', lines: readonly string[]): IllegalIndex {
  const { entries } = listOf(format, lines);
  return openIllegal(encodeIllegal(KEYS, [{ id: 'one', category: 'csam', entries }]), KEYS);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

void t.test('SipHash-2-4 gives its published vectors', async (t) => {
  // Aumasson and Bernstein's reference implementation: key 00…0f, messages 00, 00 01, … of length 0 to 15.
  const vectors = [
    '310e0edd47db6f72',
    'fd67dc93c539f874',
    '5a4fa9d909806c0d',
    '2d7efbd796666785',
    'b7877127e09427cf',
    '8da699cd64557618',
    'cee3fe586e46c9cb',
    '37d1018bf50002ab',
    '6224939a79f5f593',
    'b0e4a90bdf82009e',
    'f3b9dd94c5bb5d7a',
    'a7ad6b22462fb3f4',
    'fbe50e86bc8f1e75',
    '903d84c02756ea14',
    'eef27a8e90ca23f7',
    'e545be4961ca29a1',
  ];
  const counting = Buffer.from(Array.from({ length: 16 }, (_, i) => i));
  const key = sipKey(counting);
  const out = new Uint32Array(2);
  for (const [length, vector] of vectors.entries()) {
    const text = `before${counting.toString('latin1', 0, length)}after`;
    sipHash(key, text, 6, 6 + length, out);
    t.equal(Buffer.from(out.buffer).toString('hex'), vector, `${length} bytes`);
  }
});

void t.test('an entry is the host and everything under it, or a path prefix that ends on a boundary', async (t) => {
  const index = indexOf('illegal-urls', [
    'http://Whole.test/',
    'shared.test/~Bad/album',
    'query.test/show?id=7',
    '203.0.113.9',
    'http://[2001:db8::9]/x',
    '# a comment',
    '',
  ]);
  const table: [string, boolean][] = [
    ['http://whole.test/', true],
    ['http://WWW.whole.test./x?y', true],
    ['http://notwhole.test/', false],
    ['http://test/', false],
    ['http://shared.test/', false],
    ['http://shared.test/~bad/ALBUM', true],
    ['http://shared.test/%7Ebad/./album/1.jpg', true],
    ['http://deep.shared.test/~bad/album?x', true],
    ['http://shared.test/~bad;x=1/album;y', true],
    ['http://shared.test/~bad/albums', false],
    ['http://shared.test/~bad', false],
    ['http://query.test/show?id=7&page=2', true],
    ['http://query.test/show?id=77', false],
    ['http://203.0.113.9/', true],
    ['http://3405803785/', true],
    ['http://203.0.113.8/', false],
    ['http://[2001:DB8:0:0::9]/x/y', true],
    ['http://[2001:db8::9]/', false],
  ];
  for (const [text, isListed] of table) {
    const url = parseUrl(text);
    if (typeof url === 'string') throw new Error(text);
    t.equal(index.match(url.host.name, url.path) !== null, isListed, text);
  }
  t.match(index.match('www.whole.test', null), { categories: ['csam'], lists: ['one'], isCanary: false });
  t.equal(index.match('shared.test', null), null, 'a tunnel meets entries of whole hosts only');
});

void t.test('published hashes are of Safe Browsing’s expressions', async (t) => {
  const published = ['whole.test/', 'folder.test/a/b/', 'page.test/a/1.html', 'query.test/Show?id=7'];
  const index = indexOf('illegal-hashes', [...published.map(sha256), sha256('upper.test/').toUpperCase()]);
  const table: [string, string | null, boolean][] = [
    ['whole.test', null, true],
    ['a.whole.test', '/any?thing', true],
    ['upper.test', null, true],
    ['folder.test', null, false],
    ['folder.test', '/a/b/', true],
    ['www.folder.test', '/a/b/c/d.jpg?x', true],
    ['folder.test', '/a/b', false],
    ['page.test', '/a/1.html', true],
    ['page.test', '/a/1.html?from=here', true],
    ['page.test', '/a;x/1.html;y', true],
    ['page.test', '/a/1.html/x', false],
    ['query.test', '/Show?id=7', true],
    ['query.test', '/show?id=7', false],
    ['clean.test', null, false],
  ];
  // Twice, because hosts that are clean are remembered.
  for (const round of [1, 2]) {
    for (const [host, path, isListed] of table) {
      t.equal(index.match(host, path) !== null, isListed, `${round}: ${host}${path}`);
    }
  }
});

void t.test('every entry is found, and nothing else', async () => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/);
  const host = fc.tuple(word, word).map(([a, b]) => `${a}.${b}.test`);
  const path = fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
  const entry = fc.tuple(host, fc.option(path)).map(([name, below]) => name + (below ?? ''));
  fc.assert(
    fc.property(fc.uniqueArray(entry, { maxLength: 40 }), entry, (listed, asked) => {
      const index = indexOf('illegal-urls', listed);
      const isUnder = (one: string): boolean => {
        const [a, b] = [one.split('/'), asked.split('/')];
        const isHost = b[0] === a[0] || b[0]!.endsWith(`.${a[0]}`);
        return isHost && a.slice(1).every((part, i) => part === b[i + 1]);
      };
      const slash = asked.indexOf('/');
      const found = slash < 0 ? index.match(asked, '/') : index.match(asked.slice(0, slash), asked.slice(slash));
      return (found !== null) === listed.some(isUnder);
    }),
    { numRuns: 300 },
  );
});

void t.test('lines that are no entries are told by their number alone', async (t) => {
  const urls = listOf('illegal-urls', ['good.test', 'com', 'a b', '*', 'good.test/', '', '# x']);
  t.match(urls, { accepted: 1, duplicates: 1, rejected: 3, rejectedLines: [2, 3, 4] });
  const hashes = listOf('illegal-hashes', [sha256('a'), 'http://in.clear.test/', sha256('a'), sha256('b').slice(1)]);
  t.match(hashes, { accepted: 1, duplicates: 1, rejected: 2, rejectedLines: [2, 4] });
});

void t.test(
  'the file holds no name, is the same for the same key, and is refused when it is not as it was written',
  async (t) => {
    const { entries } = listOf('illegal-urls', ['marker.test', 'other.test/marker-page']);
    const lists = [{ id: 'one', category: 'csam', entries }];
    const bytes = encodeIllegal(KEYS, lists);
    t.same(encodeIllegal(KEYS, [{ ...lists[0]!, entries: entries.toReversed() }]), bytes);
    t.notMatch(bytes.toString('latin1'), /marker|other/);
    for (const text of ['marker.test', 'marker.test/', 'other.test/marker-page']) {
      t.notOk(bytes.includes(createHash('sha256').update(text).digest()), 'nor a digest that everybody can make');
    }
    t.same(
      decodeIllegal(KEYS, bytes)
        .lists[0]!.entries.map(({ kind }) => kind)
        .sort(),
      ['below', 'host', 'page'],
    );
    for (let at = 0; at < bytes.length; at += 7) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1;
      t.throws(() => openIllegal(damaged, KEYS), { code: 'illegal_unusable' }, `byte ${at}`);
    }
    t.throws(() => openIllegal(bytes.subarray(0, 40), KEYS), { code: 'illegal_unusable' });
    t.throws(() => openIllegal(bytes, deriveIllegalKeys(randomBytes(32))), /another key/);
  },
);
