import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A name server on a loopback UDP port (RFC 1035). Names it does not know do not exist (NXDOMAIN). */
export interface NameServer extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:port`, as SCHOOLGATE_DNS_SERVERS takes it. */
  readonly address: string;
  /** Questions asked so far, as `A www.site.test`. */
  readonly asked: string[];
  /** Canonical name to IPv4 addresses; change it between questions at will. `*` answers for every other name. */
  readonly names: Map<string, readonly string[]>;
  readonly close: () => Promise<void>;
}

export async function startNameServer(
  names: Iterable<readonly [string, readonly string[]]>,
  ttlSeconds = 300,
): Promise<NameServer> {
  const table = new Map(names);
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const question = readQuestion(query);
    asked.push(`${TYPES[question.type] ?? question.type} ${question.name}`);
    socket.send(
      answer(query, question, table.get(question.name) ?? table.get('*'), ttlSeconds),
      from.port,
      from.address,
    );
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= new Promise((resolve) => void socket.close(() => resolve())));
  return { port, address: `127.0.0.1:${port}`, asked, names: table, close, [Symbol.asyncDispose]: close };
}

const A = 1;
const TYPES: Record<number, string> = { 1: 'A', 28: 'AAAA' };
const HEADER_BYTES = 12;

interface Question {
  readonly name: string;
  readonly type: number;
  /** Where the question ends in the message. */
  readonly end: number;
}

function readQuestion(message: Buffer): Question {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let size = message[at]!; size > 0; size = message[at]!) {
    labels.push(message.toString('latin1', at + 1, at + 1 + size));
    at += 1 + size;
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function answer(query: Buffer, question: Question, addresses: readonly string[] | undefined, ttl: number): Buffer {
  const records = question.type === A ? (addresses ?? []).map((address) => addressRecord(address, ttl)) : [];
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  // Response, recursion desired and available; code 3: no such name.
  header.writeUInt16BE(0x8180 | (addresses === undefined ? 3 : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, query.subarray(HEADER_BYTES, question.end), ...records]);
}

function addressRecord(address: string, ttl: number): Buffer {
  const record = Buffer.alloc(16);
  // The name: a pointer to the question.
  record.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  record.writeUInt16BE(A, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(ttl, 6);
  record.writeUInt16BE(4, 10);
  Buffer.from(address.split('.').map(Number)).copy(record, 12);
  return record;
}
