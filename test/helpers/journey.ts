import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TAP } from 'tap';
import { type NameServer, startNameServer } from './dns.ts';
import type { Listening } from './listening.ts';
import { type Origin, startOrigin, startTcpOrigin } from './origin.ts';
import { connectStatus, getThrough } from './proxied.ts';
import { connectThrough, type RawConnection } from './raw-client.ts';
import type { Stack } from './stack.ts';
import { tempFolder } from './temp-folder.ts';
import { TestSchool, type TestSchoolOptions } from './test-school.ts';

/** What lies around a school in a test: sites of any name on loopback, and a folder for its files. */
export interface Journey {
  readonly folder: string;
  readonly origin: Origin;
  /** Gives back every byte; reached by CONNECT. */
  readonly echo: Listening;
  /** Knows every name, as loopback. */
  readonly dns: NameServer;
  /** A school whose policy lets these sites be reached; `name` keeps several apart. */
  readonly makeSchool: (name?: string, options?: Pick<TestSchoolOptions, 'lists'>) => TestSchool;
  /** An http address of the origin. */
  readonly site: (name: string, path?: string) => string;
  /** A status as a client gets it, by http and by CONNECT. */
  readonly httpStatus: (stack: Stack, name: string) => Promise<number>;
  readonly connectStatus: (stack: Stack, name: string) => Promise<number>;
  /** True when so many connections, by http and by CONNECT in turn, are all answered so: enough that each worker gives some. */
  readonly isEverywhere: (stack: Stack, name: string, status: number) => Promise<boolean>;
  /** A tunnel to the echo through which bytes have gone. */
  readonly openTunnel: (stack: Stack, name: string) => Promise<RawConnection>;
}

const CONNECTIONS = 12;

/** Starts the surroundings of a test file; they go with it. */
export async function journey(t: TAP): Promise<Journey> {
  const folder = tempFolder(t);
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const echo = await startTcpOrigin((socket) => void socket.pipe(socket));
  t.teardown(() => echo.close());
  const dns = await startNameServer([['*', ['127.0.0.1']]]);
  t.teardown(() => dns.close());

  const site = (name: string, path = '/'): string => `http://${name}:${origin.http.port}${path}`;
  const httpStatus = async ({ proxyPort }: Stack, name: string): Promise<number> =>
    (await getThrough(proxyPort, site(name))).status;
  const statusOfConnect = ({ proxyPort }: Stack, name: string): Promise<number> =>
    connectStatus(proxyPort, `${name}:${echo.port}`);
  return {
    folder,
    origin,
    echo,
    dns,
    site,
    httpStatus,
    connectStatus: statusOfConnect,
    makeSchool: (name = 'school', options = {}) => {
      mkdirSync(join(folder, name));
      const places = { http: [origin.http.port], tls: [origin.https.port], raw: [echo.port], dnsServer: dns.address };
      return new TestSchool(join(folder, name), { ...places, ...options });
    },
    isEverywhere: async (stack, name, wanted) => {
      const asked = Array.from({ length: CONNECTIONS }, (_, n) =>
        n % 2 === 0 ? httpStatus(stack, name) : statusOfConnect(stack, name),
      );
      return (await Promise.all(asked)).every((found) => found === wanted);
    },
    openTunnel: async ({ proxyPort }, name) => {
      const { connection, response } = await connectThrough(proxyPort, `${name}:${echo.port}`);
      if (response.status !== 200) throw new Error(`CONNECT was answered ${response.status}`);
      await connection.send('ping\n');
      await connection.read('ping\n');
      return connection;
    },
  };
}
