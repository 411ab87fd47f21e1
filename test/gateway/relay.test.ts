import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { createAuthority } from '../helpers/certificates.ts';
import { eventually, settled } from '../helpers/listening.ts';
import { startTcpOrigin } from '../helpers/origin.ts';
import { Pattern } from '../helpers/pattern.ts';
import { startParent } from '../helpers/parent-proxy.ts';
import { connectThrough, dial, type RawConnection } from '../helpers/raw-client.ts';
import { startTestGateway, type TestGateway } from '../helpers/test-gateway.ts';

const PIECE = 48 * 1024;
const FLOOD_BYTES = 20_000_000;
const BURST = 40_000;

/** Sends `size` bytes of a pattern with the back-pressure of the socket; now and then it waits a moment. */
async function sendPattern(socket: Socket, pattern: Pattern, size: number, pauses: boolean): Promise<void> {
  for (let at = 0; at < size && !socket.destroyed;) {
    const piece = pattern.piece(at, Math.min(size - at, pauses ? 1 + Math.floor(Math.random() * PIECE) : PIECE));
    at += piece.length;
    if (!socket.write(piece)) await drained(socket);
    if (pauses && Math.random() < 0.2) await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

/** Checks every byte that comes against a pattern; resolves with the count when the other side has ended. */
function checkPattern(socket: Socket, pattern: Pattern, pauses: boolean): Promise<number> {
  let at = 0;
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      if (!pattern.fits(at, chunk)) reject(new Error(`wrong bytes within ${at} and ${at + chunk.length}`));
      at += chunk.length;
      if (!pauses || Math.random() > 0.1) return;
      socket.pause();
      setTimeout(() => socket.resume(), Math.random() * 8);
    });
    socket.on('end', () => resolve(at));
    socket.on('error', reject);
  });
}

/** An origin to which a tunnel says `seed up down` on its first line; both sides then send and check that much. */
async function startPatternOrigin(pauses: boolean) {
  const failures: string[] = [];
  const origin = await startTcpOrigin((socket) => {
    let line = '';
    const onData = (chunk: Buffer): void => {
      line += chunk.toString('latin1');
      const end = line.indexOf('\n');
      if (end < 0) return;
      socket.off('data', onData);
      socket.pause();
      const [seed = 0, up = 0, down = 0] = line.slice(0, end).split(' ').map(Number);
      socket.unshift(Buffer.from(line.slice(end + 1), 'latin1'));
      const received = checkPattern(socket, new Pattern(seed), pauses);
      received.then(
        (count) => count === up || failures.push(`tunnel ${seed}: ${count} of ${up} bytes came up`),
        (error: Error) => failures.push(`tunnel ${seed}: ${error.message}`),
      );
      socket.resume();
      void sendPattern(socket, new Pattern(seed + 1_000_000), down, pauses).then(() => socket.end());
    };
    socket.on('data', onData);
  });
  return Object.assign(origin, { failures });
}

/** One whole tunnel of the given sizes; gives the bytes that came down. Rejects on a wrong one. */
async function carry(gateway: TestGateway, port: number, seed: number, up: number, down: number, pauses: boolean) {
  const { connection, response } = await connectThrough(gateway.port, `127.0.0.1:${port}`);
  if (response.status !== 200) throw new Error(`CONNECT was answered ${response.status}`);
  return await carryOver(connection, seed, up, down, pauses);
}

async function carryOver(connection: RawConnection, seed: number, up: number, down: number, pauses: boolean) {
  const { socket } = connection;
  socket.removeAllListeners('data');
  const received = checkPattern(socket, new Pattern(seed + 1_000_000), pauses);
  socket.write(`${seed} ${up} ${down}\n`);
  // Not destroyed here: where the download is over first, what was written last would still be in this socket and lost with it.
  const closed = once(socket, 'close');
  await sendPattern(socket, new Pattern(seed), up, pauses);
  socket.end();
  const count = await received;
  await closed;
  return count;
}

void t.test(
  'many tunnels at once, of any size and with pauses on every side, carry every byte of their own',
  async (t) => {
    await using origin = await startPatternOrigin(true);
    await using gateway = await startTestGateway({ raw: [origin.port] });
    const sizes = Array.from({ length: 80 }, () => ({
      up: Math.floor(Math.random() ** 3 * 1_500_000),
      down: Math.floor(Math.random() ** 3 * 3_000_000),
    }));
    const results = await Promise.all(
      sizes.map(async ({ up, down }, seed) => (await carry(gateway, origin.port, seed, up, down, true)) === down),
    );
    t.ok(results.every(Boolean), 'all came down');
    await eventually('the records', () => gateway.spool.records.length === sizes.length);
    await eventually('no socket is left at the origin', () => origin.open() === 0);
    t.same(origin.failures, []);
    const recorded = gateway.spool.records.map((record) => `${record.down}`).sort();
    t.same(recorded, sizes.map(({ down }) => `${down}`).sort(), 'byte counts are exact');
    t.equal(gateway.listener.connections, 0);
  },
);

void t.test('so do tunnels through a parent proxy, and from a TLS client', async (t) => {
  await using origin = await startPatternOrigin(true);
  await using parent = await startParent();
  const issued = createAuthority().issue(['127.0.0.1']);
  const tls = { cert: Buffer.from(issued.cert), key: Buffer.from(issued.key) };
  const up = { host: '127.0.0.1', port: parent.port, authorization: null };
  await using chained = await startTestGateway({ raw: [origin.port] }, { parent: up });
  await using secure = await startTestGateway({ raw: [origin.port] }, { tls });
  const openSecure = async (): Promise<RawConnection> => {
    const outer = await dial(secure.tlsPort!);
    const connection = await outer.startTls({ rejectUnauthorized: false });
    await connection.send(`CONNECT 127.0.0.1:${origin.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
    t.equal((await connection.readResponse('CONNECT')).status, 200);
    return connection;
  };
  const runs = Array.from({ length: 24 }, async (_, i) => {
    const [up, down] = [i * 30_000, (24 - i) * 60_000];
    const connection =
      i % 2 === 0 ? (await connectThrough(chained.port, `127.0.0.1:${origin.port}`)).connection : await openSecure();
    t.equal(await carryOver(connection, 500 + i, up, down, true), down);
  });
  await Promise.all(runs);
  await eventually(
    'nothing is left',
    () => origin.open() + chained.listener.connections + secure.listener.connections === 0,
  );
  t.same(origin.failures, []);
});

void t.test('bulk in both directions comes through whole', async (t) => {
  await using origin = await startPatternOrigin(false);
  await using gateway = await startTestGateway({ raw: [origin.port] });
  const size = 100_000_000;
  t.equal(await carry(gateway, origin.port, 7, size, size, false), size);
  const record = await gateway.record();
  t.equal(record.up, size + `7 ${size} ${size}\n`.length);
  t.equal(record.down, size);
  t.same(origin.failures, []);
});

// A burst of 16 to 64 KB was copied into a buffer that the tunnel then kept for as long as it was quiet.
void t.test('tunnels that are quiet again hold no buffer', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = async (): Promise<number> => {
    collect();
    await new Promise(setImmediate);
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  await using origin = await startTcpOrigin((socket) => {
    socket.on('data', () => socket.write(Buffer.alloc(BURST, 'b')));
    socket.on('end', () => socket.end());
  });
  await using gateway = await startTestGateway({ raw: [origin.port] });
  const before = await held();
  const tunnels: RawConnection[] = [];
  for (let i = 0; i < 300; i++) {
    const { connection } = await connectThrough(gateway.port, `127.0.0.1:${origin.port}`);
    let got = 0;
    // As a client that keeps nothing.
    connection.socket.removeAllListeners('data').on('data', (chunk: Buffer) => (got += chunk.length));
    await connection.send('?');
    await eventually('the burst has come', () => got === BURST);
    tunnels.push(connection);
  }
  const each = ((await held()) - before) / tunnels.length;
  t.ok(each < 20_000, `${Math.round(each)} bytes each`);
  for (const one of tunnels) await one.close();
});

void t.test(
  'a connection opened while another tunnel waits for a slow reader does not read into its bytes',
  async (t) => {
    const flood = new Pattern(1);
    const held: Socket[] = [];
    let source: Socket | undefined;
    await using fast = await startTcpOrigin((socket) => {
      source = socket;
      void sendPattern(socket, flood, FLOOD_BYTES, false);
    });
    await using other = await startTcpOrigin((socket) => {
      held.push(socket);
      socket.resume();
    });
    await using gateway = await startTestGateway({ raw: [fast.port, other.port] });
    const { connection: slow } = await connectThrough(gateway.port, `127.0.0.1:${fast.port}`);
    slow.hold(true);
    await settled(() => (source === undefined ? 0 : source.bytesWritten - source.writableLength));
    const others: RawConnection[] = [];
    for (let i = 0; i < 5; i++) {
      others.push((await connectThrough(gateway.port, `127.0.0.1:${other.port}`)).connection);
    }
    for (const socket of held) socket.write(Buffer.alloc(60_000, 0xee));
    for (const one of others) {
      t.ok((await one.read((bytes) => (bytes.length >= 60_000 ? 60_000 : -1))).every((byte) => byte === 0xee));
    }
    let at = 0;
    let isWhole = true;
    slow.hold(false);
    await slow.pass(FLOOD_BYTES, (chunk) => {
      isWhole &&= flood.fits(at, chunk);
      at += chunk.length;
    });
    t.ok(isWhole, 'the slow reader got its own bytes alone');
    for (const one of [slow, ...others]) await one.close();
  },
);
