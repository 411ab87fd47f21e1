import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import { headerValues, isLoop, requestHeaders, responseHeaders, responseTrailers } from '../../src/gateway/headers.ts';

const names = (raw: readonly string[]): string[] => raw.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
const OURS = ['connection', 'keep-alive', 'te', 'transfer-encoding', 'upgrade', 'http2-settings', 'schoolgate-client'];

void t.test('a request’s fields', async (t) => {
  const table: [string, string[], string[]][] = [
    ['nothing', [], ['host', 'h', 'via', '1.1 schoolgate']],
    ['Host is ours', ['Host', 'x', 'HOST', 'y'], ['host', 'h', 'via', '1.1 schoolgate']],
    ['names and values as sent', ['X-Odd', 'V'], ['host', 'h', 'X-Odd', 'V', 'via', '1.1 schoolgate']],
    [
      'Via in its order',
      ['Via', '1.0 a', 'X', 'y', 'VIA', '1.1 b'],
      ['host', 'h', 'X', 'y', 'via', '1.0 a, 1.1 b, 1.1 schoolgate'],
    ],
    [
      'named fields',
      ['Connection', ' x , Y', 'X', '1', 'y', '2', 'Z', '3'],
      ['host', 'h', 'Z', '3', 'via', '1.1 schoolgate'],
    ],
    [
      'named in several lines',
      ['Connection', 'x', 'X', '1', 'connection', 'y', 'Y', '2'],
      ['host', 'h', 'via', '1.1 schoolgate'],
    ],
    ['an empty name', ['Connection', ',, ,', 'X', '1'], ['host', 'h', 'X', '1', 'via', '1.1 schoolgate']],
    [
      'what must not be taken away by naming it',
      ['Connection', 'content-length, cookie, authorization, cache-control, via', 'Content-Length', '3', 'Cookie', 'a'],
      ['host', 'h', 'Content-Length', '3', 'Cookie', 'a', 'via', '1.1 schoolgate'],
    ],
    [
      'what would name another page than the one that was judged',
      [
        'X-Original-URL',
        '/bets',
        'X-Rewrite-Url',
        '/bets',
        'X-Forwarded-Host',
        'bet.test',
        'X-HTTP-Host-Override',
        'bet.test',
      ],
      ['host', 'h', 'via', '1.1 schoolgate'],
    ],
    ['trailers are not passed up', ['Trailer', 'X', 'Expect', '100-continue'], ['host', 'h', 'via', '1.1 schoolgate']],
  ];
  for (const [what, raw, expected] of table) t.same(requestHeaders(raw, 'h', '1.1'), expected, what);
  t.same(requestHeaders([], 'h', '1.0').at(-1), '1.0 schoolgate');
});

void t.test('a response’s fields', async (t) => {
  const raw = [
    'Set-Cookie',
    'a',
    'Set-Cookie',
    'b',
    'Connection',
    'x',
    'X',
    '1',
    'Proxy-Status',
    'other',
    'Trailer',
    'T',
    'Host',
    'h',
  ];
  const expected = ['Set-Cookie', 'a', 'Set-Cookie', 'b', 'Trailer', 'T', 'Host', 'h', 'Via', '1.1 schoolgate'];
  t.same(responseHeaders(raw, '1.1'), expected);
  t.same(
    responseHeaders(
      raw.map((part) => Buffer.from(part)),
      '1.1',
    ),
    expected,
    'as buffers',
  );
  t.same(
    responseHeaders([Buffer.from('X'), Buffer.from([0xe9])], '1.1').slice(0, 2),
    ['X', '\u00e9'],
    'a byte is a byte',
  );
});

void t.test('a response’s trailers', async (t) => {
  const raw = [
    'X-A',
    '1',
    'content-length',
    '3',
    'Trailer',
    'X',
    'Host',
    'h',
    'Proxy-Authenticate',
    'B',
    'TE',
    'x',
    'x-b',
    '2',
  ];
  const expected = [
    ['X-A', '1'],
    ['x-b', '2'],
  ];
  t.same(responseTrailers(raw.map((part) => Buffer.from(part))), expected);
});

void t.test('whatever comes, what is for one hop stays and all else goes on in order', async () => {
  const name = fc.oneof(
    fc.constantFrom(
      ...OURS,
      'Proxy-Authorization',
      'proxy-foo',
      'PROXY-CONNECTION',
      'X-A',
      'x-b',
      'Via',
      'Host',
      'Cookie',
    ),
    fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/),
  );
  const option = fc.constantFrom('close', 'keep-alive', 'X-A', 'x-B', '', 'cookie', 'Host');
  const value = fc.oneof(
    fc.stringMatching(/^[ -~]{0,20}$/),
    fc.array(option, { maxLength: 4 }).map((list) => list.join(', ')),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 30 }), (lines) => {
      const raw = lines.flat();
      const kept = names(requestHeaders(raw, 'h', '1.1'));
      const named = new Set(
        headerValues(raw, 'connection')
          .flatMap((list) => list.split(','))
          .map((one) => one.trim().toLowerCase()),
      );
      for (const one of kept.slice(1, -1)) {
        assert.ok(!OURS.includes(one) && !one.startsWith('proxy-') && one !== 'host' && one !== 'via', one);
        if (one === 'x-a' || one === 'x-b') assert.ok(!named.has(one), one);
      }
      const passing = names(raw).filter((one) => one === 'cookie' || (one === 'x-a' && !named.has(one)));
      assert.deepEqual(
        kept.filter((one) => one === 'cookie' || one === 'x-a'),
        passing,
      );
      assert.equal(kept[0], 'host');
      assert.equal(kept.at(-1), 'via');
    }),
  );
});

void t.test('a request that has been here too often is a loop', async (t) => {
  const via = (times: number): string => Array.from({ length: times }, () => '1.1 schoolgate').join(', ');
  t.notOk(isLoop(['Via', via(4)]));
  t.ok(isLoop(['Via', via(5)]));
  t.ok(isLoop(['Via', via(3), 'vIA', via(2)]), 'over several lines');
  t.notOk(isLoop(['Via', Array.from({ length: 9 }, () => '1.1 schoolgate2').join()]));
  t.notOk(isLoop(['X', via(9)]));
});
