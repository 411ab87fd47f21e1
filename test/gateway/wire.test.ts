import t from 'tap';
import { startOrigin } from '../helpers/origin.ts';
import { connectThrough, request, tlsThrough } from '../helpers/raw-client.ts';
import { startTestGateway } from '../helpers/test-gateway.ts';

t.test('a plain HTTP request is carried, cleaned and recorded', async (t) => {
  await using origin = await startOrigin();
  await using gateway = await startTestGateway({ http: [origin.http.port] });
  const response = await request(gateway.port, [
    `GET http://127.0.0.1:${origin.http.port}/echo?x=1 HTTP/1.1`,
    `Host: 127.0.0.1:${origin.http.port}`,
    'Proxy-Authorization: Basic c2VjcmV0',
    'Connection: X-Secret, keep-alive',
    'X-Secret: yes',
    'X-Kept: yes',
  ]);
  t.equal(response.status, 200);
  const record = await gateway.record();
  t.match(record, {
    method: 'GET',
    verdict: 'allow',
    status: 200,
    level: 'ks1',
    identified: 'none',
    client: '127.0.0.1',
  });
  const names = origin.seen[0]!.rawHeaders.map((name) => name.toLowerCase());
  t.ok(names.includes('x-kept') && names.includes('via'));
  for (const name of ['proxy-authorization', 'x-secret', 'connection']) {
    if (name !== 'connection') t.notOk(names.includes(name), name);
  }
});

t.test('a blocked host is refused with a page, and the event is on record before the answer', async (t) => {
  await using gateway = await startTestGateway({}, { listed: { 'bet.test': ['gambling'] } });
  const response = await request(gateway.port, ['GET http://www.bet.test/ HTTP/1.1', 'Host: www.bet.test']);
  t.equal(response.status, 403);
  t.match(response.header('proxy-status'), /^schoolgate; error=http_request_denied/);
  t.equal(response.header('cache-control'), 'no-store');
  t.equal(gateway.spool.events.length, 1);
  t.match(gateway.spool.events[0], {
    type: 'access.blocked',
    data: { host: 'www.bet.test', category: 'gambling', status: 403 },
  });
});

t.test('CONNECT carries TLS', async (t) => {
  await using origin = await startOrigin();
  await using gateway = await startTestGateway({ tls: [origin.https.port] });
  const tunnel = await tlsThrough(gateway.port, `localhost:${origin.https.port}`, {
    ca: origin.authority.cert,
    servername: 'localhost',
  });
  await tunnel.send('GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  t.equal((await tunnel.readResponse()).status, 200);
  await tunnel.close();
  const record = await gateway.record();
  t.match(record, { method: 'CONNECT', host: 'localhost', status: 200, sni: 'localhost', verdict: 'allow' });
  t.ok(record.up > 200 && record.down > 200);
});

t.test('CONNECT to a blocked host is 403 and closed', async (t) => {
  await using gateway = await startTestGateway({}, { listed: { 'bet.test': ['gambling'] } });
  const { connection, response } = await connectThrough(gateway.port, 'bet.test:443');
  t.equal(response.status, 403);
  await connection.readToEnd();
  await connection.close();
});
