// 21 people, each at a device of their own, with form and password: front desk ─► supervisor ─► console ─► argon2id ─► signed in
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import { createPasswords } from '../../src/identity/passwords.ts';
import { insertPerson, storePassword } from '../../src/identity/repository.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import { openRecord } from '../../src/store/database.ts';
import { dial } from '../helpers/raw-client.ts';
import type { RawResponse } from '../helpers/raw-response.ts';
import type { Bench } from './measure.ts';
import { cpuSeconds } from './process-tree.ts';
import type { Way } from './setting.ts';
import type { SwapPlace } from './swap.ts';

/** Whoever is measured, and 20 others. */
const PEOPLE = 21;
const PASSWORD = 'seven purple walrus lanterns';
const SECOND_MS = 1_000;

/** What a sign-in takes alone, among 20 others within a second, and when all of them send at once. One that fails ends the run. */
export async function measureSignIns(way: Way, { sizes, origin, figures }: Bench, place: SwapPlace): Promise<void> {
  const folder = join(place.folder, 'sign-in');
  mkdirSync(folder);
  await enrol(join(folder, 'data'));
  const { nameServer } = place;
  await using running = await way.start({ folder, origin, nameServer, tunnels: PEOPLE, names: [] });
  let classes = 0;
  /** Twenty-one devices that nobody has used: the front desk rations each address. */
  const openAll = async (): Promise<Device[]> => {
    const number = ++classes;
    const devices = Array.from({ length: PEOPLE }, (_, n) => new Device(running.port!, `127.0.${number}.${n + 1}`, n));
    // Ready with the page before any of them sends it, as people are who have typed.
    for (const device of devices) await device.open();
    return devices;
  };
  const everybody = async (delayOf: () => number): Promise<number[]> =>
    await Promise.all((await openAll()).map((device) => pause(delayOf()).then(() => device.signIn())));
  await everybody(() => 0);

  const [alone, among, burst]: [number[], number[], number[]] = [[], [], []];
  for (const device of await openAll()) alone.push(await device.signIn());
  const before = cpuSeconds(running.pid!);
  for (let n = 0; n < sizes.classes; n++) among.push(...(await everybody(() => Math.random() * SECOND_MS)));
  const seconds = cpuSeconds(running.pid!) - before;
  for (let n = 0; n < sizes.classes; n++) burst.push(...(await everybody(() => 0)));
  figures.add('sign-in.cpu', way.id, (seconds * 1000) / among.length);
  figures.add('sign-in.alone', way.id, quantile(alone, 0.5));
  figures.add('sign-in.among', way.id, quantile(among, 0.95));
  figures.add('sign-in.burst', way.id, quantile(burst, 0.95));
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1]!;
}

/** Puts people with passwords into the record before there is a console. */
async function enrol(dataDir: string): Promise<void> {
  const layout = dataLayout(dataDir);
  createDataFolders(layout);
  const [newId, passwords] = [createIdMaker(systemClock), createPasswords()];
  const record = openRecord(layout.record);
  try {
    for (let n = 0; n < PEOPLE; n++) {
      const [id, userName, hash] = [newId(), nameOf(n), await passwords.hash(PASSWORD)];
      record.write((tx) => {
        insertPerson(tx, { id, userName, fullName: `Person ${n}` }, userName, systemClock());
        storePassword(tx, id, hash, systemClock());
      });
    }
  } finally {
    record.close();
  }
}

function nameOf(n: number): string {
  return `person${n}`;
}

/** One person's device, which comes to the front desk through the proxy. */
class Device {
  readonly #port: number;
  readonly #address: string;
  readonly #userName: string;
  #token = '';

  constructor(port: number, address: string, person: number) {
    this.#port = port;
    this.#address = address;
    this.#userName = nameOf(person);
  }

  async open(): Promise<void> {
    const page = await this.#send(['GET http://schoolgate.internal/sign-in HTTP/1.1'], '');
    this.#token = /name="token" value="([\w-]+)"/.exec(page.body.toString())![1]!;
  }

  /** Gives how long it took from the form to the answer that the person is signed in, ms. */
  async signIn(): Promise<number> {
    const begin = performance.now();
    const fields = { name: this.#userName, password: PASSWORD, token: this.#token };
    const body = new URLSearchParams(fields).toString();
    const head = [
      'POST http://schoolgate.internal/sign-in HTTP/1.1',
      'Content-Type: application/x-www-form-urlencoded',
      `Content-Length: ${body.length}`,
    ];
    const answer = await this.#send(head, body);
    if (answer.status !== 303) throw new Error(`a sign-in was answered ${answer.status}`);
    return performance.now() - begin;
  }

  async #send(head: readonly string[], body: string): Promise<RawResponse> {
    await using connection = await dial(this.#port, { localAddress: this.#address });
    const lines = [...head, 'Host: schoolgate.internal', 'Connection: close', '', body];
    await connection.send(lines.join('\r\n'));
    return await connection.readResponse(head[0]!.split(' ')[0]);
  }
}
