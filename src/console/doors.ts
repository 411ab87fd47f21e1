import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { SchoolgateError } from '../kernel/errors.ts';

/** Where the console can be reached. */
export interface Doors {
  readonly port: number;
  /** Takes no further request; what is under way is finished. */
  close(): Promise<void>;
}

export interface DoorOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The machine's own socket, for commands: readable by our account only. */
  readonly socket: string;
}

/** Opens both doors of an app. Throws a SchoolgateError (`already_running`, `console_port`) that says what to do. */
export async function openDoors(app: FastifyInstance, { host, port, socket }: DoorOptions): Promise<Doors> {
  await refuseSecondConsole(socket);
  const local = await listenLocally(app, socket);
  try {
    await app.listen({ host, port });
  } catch (error) {
    local.close();
    throw portRefused(host, port, error as NodeJS.ErrnoException);
  }
  return {
    port: (app.server.address() as AddressInfo).port,
    async close() {
      const closed = once(local, 'close');
      local.close();
      local.closeIdleConnections();
      await app.close();
      await closed;
    },
  };
}

async function listenLocally(app: FastifyInstance, socket: string): Promise<Server> {
  await app.ready();
  rmSync(socket, { force: true });
  const server = createServer((request, response) => app.routing(request, response));
  server.listen(socket);
  await once(server, 'listening');
  chmodSync(socket, 0o600);
  return server;
}

/** Two consoles would both write the record and number the snapshots. */
async function refuseSecondConsole(socket: string): Promise<void> {
  const isAnswered = await new Promise<boolean>((resolve) => {
    const probe = connect(socket, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (!isAnswered) return;
  throw new SchoolgateError(
    'already_running',
    'client',
    'A console already runs on this data folder; stop it first, or set SCHOOLGATE_DATA_DIR.',
  );
}

function portRefused(host: string, port: number, cause: NodeJS.ErrnoException): SchoolgateError {
  const why = cause.code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be listened on (${cause.code})`;
  const text = `Port ${port} on ${host} ${why}; free it or set SCHOOLGATE_CONSOLE_PORT.`;
  return new SchoolgateError('console_port', 'client', text, { cause });
}
