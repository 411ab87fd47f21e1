import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import { readPlainConnect } from '../../src/gateway/plain-connect.ts';
import { dial } from '../helpers/raw-client.ts';
import { startTestGateway, type TestGateway } from '../helpers/test-gateway.ts';

void t.test('a plain CONNECT and what follows it', async (t) => {
  const bytes = Buffer.from(
    'CONNECT site.test:443 HTTP/1.1\r\nHost: site.test:443\r\nX-A:\tb c \r\n\r\n\x16\x03',
    'latin1',
  );
  const read = readPlainConnect(bytes)!;
  t.same(read.head, { authority: 'site.test:443', rawHeaders: ['Host', 'site.test:443', 'X-A', 'b c'] });
  t.same(read.rest, Buffer.from([22, 3]));
  t.same(readPlainConnect(Buffer.from('CONNECT a:1 HTTP/1.1\r\n\r\n'))!.head, { authority: 'a:1', rawHeaders: [] });
});

void t.test('everything unusual is left to the full parser', async (t) => {
  const table = [
    '',
    'GET / HTTP/1.1\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.1\r\nHost: x\r\n',
    '\r\nCONNECT site.test:443 HTTP/1.1\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.0\r\n\r\n',
    'CONNECT  site.test:443 HTTP/1.1\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.1 \r\n\r\n',
    'CONNECT site.test:443\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.1\n\n\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.1\r\nHost : x\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.1\r\nHost: a\nX: b\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.1\r\nHost: a\rb\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.1\r\nX: \xe9\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.1\r\nX: \0\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.1\r\n: x\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello',
    'CONNECT site.test:443 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.1\r\nUpgrade: x\r\n\r\n',
    'CONNECT site.test:443 HTTP/1.1\r\nExpect: 100-continue\r\n\r\n',
    `CONNECT site.test:443 HTTP/1.1\r\nX: ${'y'.repeat(10_000)}\r\n\r\n`,
  ];
  for (const text of table)
    t.equal(readPlainConnect(Buffer.from(text, 'latin1')), null, JSON.stringify(text.slice(0, 60)));
});

/** How the gateway takes these bytes: as they are, or cut after the first, so that only the full parser can read them. */
async function outcome(gateway: TestGateway, bytes: string, isCut: boolean): Promise<string> {
  gateway.spool.records.length = 0;
  await using client = await dial(gateway.port);
  if (isCut) {
    await client.send(bytes.slice(0, 1));
    // The answer to another request proves that the first byte has been read by itself.
    await using other = await dial(gateway.port);
    await other.send('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    await other.readResponse();
  }
  await client.send(isCut ? bytes.slice(1) : bytes);
  client.end();
  const { bytes: answer } = await client.readToEnd();
  const status = answer.toString('latin1', 9, 12);
  const kept = gateway.spool.records.map(({ verdict, reason, target, method }) =>
    [verdict, reason, target, method].join(' '),
  );
  return [status, ...kept].join(' | ');
}

void t.test('the short way and the full parser come to the same end, whatever the bytes', async () => {
  await using gateway = await startTestGateway({}, { listed: { 'bet.test': ['gambling'] } });
  const plain = 'CONNECT bet.test:443 HTTP/1.1\r\nHost: bet.test:443\r\nUser-Agent: test\r\n\r\n';
  const change = fc.record({
    at: fc.nat({ max: plain.length - 1 }),
    by: fc.oneof(
      fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)),
      fc.constantFrom(
        '',
        ' ',
        '\r\n',
        '\n',
        '\t',
        ':',
        '\0',
        '@',
        '%62',
        '.',
        '\r\nHost: other.test',
        '\r\nContent-Length: 0',
        '\r\nX: y',
      ),
    ),
    cut: fc.nat({ max: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 2 }), async (changes) => {
      let bytes = plain;
      for (const { at, by, cut } of changes) bytes = bytes.slice(0, at) + by + bytes.slice(at + cut);
      const whole = await outcome(gateway, bytes, false);
      const cut = await outcome(gateway, bytes, true);
      assert.equal(whole, cut, JSON.stringify(bytes));
    }),
    { numRuns: 250 },
  );
});
