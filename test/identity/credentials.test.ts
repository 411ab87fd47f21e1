import { assert, base64String, oneof, property, string, uint8Array } from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { readBasic } from '../../src/identity/credentials.ts';
import { canonicalUser } from '../../src/identity/user-name.ts';

const basic = (text: string | Buffer): string => `Basic ${Buffer.from(text).toString('base64')}`;

void t.test('what is read, and what is taken for nothing', async (t) => {
  const table: [what: string, value: string, read: { name: string; password: string } | null][] = [
    ['the example of RFC 7617', 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==', { name: 'Aladdin', password: 'open sesame' }],
    ['its example in UTF-8', 'Basic dGVzdDoxMjPCow==', { name: 'test', password: '123£' }],
    ['any case of the scheme', 'bAsIc YTpi', { name: 'a', password: 'b' }],
    ['more spaces', 'Basic   YTpi', { name: 'a', password: 'b' }],
    ['a colon in the password', basic('a:b:c'), { name: 'a', password: 'b:c' }],
    ['no password', basic('a:'), { name: 'a', password: '' }],
    ['a name in its own spelling', basic('N.Manager:b'), { name: 'N.Manager', password: 'b' }],
    ['as long as it may be', basic(`a:${'b'.repeat(759)}`), { name: 'a', password: 'b'.repeat(759) }],
    ['longer', basic(`a:${'b'.repeat(762)}`), null],
    ['10 KB', basic(`${'a'.repeat(10_000)}:b`), null],
    ['nothing', '', null],
    ['the scheme alone', 'Basic ', null],
    ['another scheme', 'Bearer YTpi', null],
    ['a parameter', 'Basic YTpi, realm="x"', null],
    ['two at once', 'Basic YTpi, Basic YTpj', null],
    ['a tab', 'Basic\tYTpi', null],
    ['no padding', 'Basic YTpiYw', null],
    ['too much padding', 'Basic YTpi=', null],
    ['bits behind the end', 'Basic YTpiYx==', null],
    ['base64url', 'Basic YTo_Pz8_', null],
    ['no colon', basic('ab'), null],
    ['no name', basic(':b'), null],
    ['a name with a space at its end', basic('a :b'), null],
    ['a name of 129 characters', basic(`${'a'.repeat(129)}:b`), null],
    ['NUL in the name', basic('a\0b:c'), null],
    ['NUL in the password', basic('a:b\0c'), null],
    ['a line break in the password', basic('a:b\r\nc'), null],
    ['C1', basic('a:b\u0085'), null],
    ['Latin-1', basic(Buffer.from('a:\xa3', 'latin1')), null],
    ['overlong UTF-8', basic(Buffer.from('a:\xc0\xaf', 'latin1')), null],
    ['half a surrogate pair', basic(Buffer.from('a:\xed\xa0\x80', 'latin1')), null],
  ];
  for (const [what, value, read] of table) t.strictSame(readBasic(value), read, what);
});

void t.test('whatever a person can have comes back as it was; whatever else comes is no credentials', (t) => {
  const text = string({ unit: 'grapheme', maxLength: 60 });
  assert(
    property(text, text, (name, password) => {
      const read = readBasic(basic(`${name}:${password}`));
      const isTaken = canonicalUser(name) !== null && !/\p{Cc}/u.test(password);
      return isDeepStrictEqual(read, isTaken ? { name, password } : null);
    }),
  );
  const value = oneof(
    string({ unit: 'binary', maxLength: 2000 }),
    base64String().map((encoded) => `Basic ${encoded}`),
    uint8Array({ maxLength: 900 }).map((bytes) => basic(Buffer.from(bytes))),
  );
  assert(
    property(value, (sent) => {
      const read = readBasic(sent);
      if (read === null) return true;
      const again = Buffer.from(`${read.name}:${read.password}`).toString('base64');
      return sent.length <= 1024 && canonicalUser(read.name) !== null && sent.endsWith(` ${again}`);
    }),
  );
  t.end();
});
