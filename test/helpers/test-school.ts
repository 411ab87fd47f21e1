import { appendFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT, type SchoolFolders } from './stack.ts';

export interface TestSchoolOptions {
  /** Ports of origins: plain HTTP, TLS inside CONNECT, and other bytes inside CONNECT. */
  readonly http?: readonly number[];
  readonly tls?: readonly number[];
  readonly raw?: readonly number[];
  /** Names by category. Default: one flagged category and one that is not. */
  readonly lists?: Readonly<Record<string, readonly string[]>>;
  /** Keeps the shipped agreements. */
  readonly agreements?: true;
  /** `ip:port` of the name server; null: the system's. */
  readonly dnsServer?: string | null;
}

export interface SchoolSettings {
  readonly mode?: 'open' | 'challenge';
  readonly never?: readonly string[];
  readonly connectionsPerClient?: number;
  readonly ranges?: readonly { readonly cidr: string; readonly level: string; readonly name: string }[];
  readonly shared?: readonly string[];
  /** `18:00`. */
  readonly schoolDayEnds?: string;
}

/** Policies and lists of a small school in a folder of their own: the shipped levels and categories, lists of test names. */
export class TestSchool implements SchoolFolders {
  readonly folder: string;
  readonly dataDir: string;
  readonly policyDir: string;
  readonly listsDir: string;
  readonly dnsServer: string | null;
  readonly #options: TestSchoolOptions;

  constructor(folder: string, options: TestSchoolOptions = {}) {
    this.folder = folder;
    this.dataDir = join(folder, 'data');
    this.policyDir = join(folder, 'policies');
    this.listsDir = join(folder, 'blocklists');
    this.dnsServer = options.dnsServer ?? null;
    this.#options = options;
    cpSync(join(PROJECT, 'policies'), this.policyDir, { recursive: true });
    // Signing in asks for nothing more, unless that is what a test is about.
    if (options.agreements !== true) rmSync(join(this.policyDir, 'agreements'), { recursive: true });
    mkdirSync(this.listsDir);
    cpSync(join(PROJECT, 'blocklists/categories.yaml'), join(this.listsDir, 'categories.yaml'));
    this.writeSettings({});
    this.#writeLists(options.lists ?? { gambling: ['casino.test'], games: ['games.test'] });
  }

  /** Writes `school.yaml`: everything on loopback may be reached, on the ports of the origins. */
  writeSettings({
    mode = 'open',
    never = [],
    connectionsPerClient = 1000,
    ranges = [],
    shared = [],
    schoolDayEnds = '18:00',
  }: SchoolSettings): void {
    const { http = [], tls = [], raw = [] } = this.#options;
    const connectPorts = [
      { port: 443 },
      { port: 80, tls: false },
      ...tls.map((port) => ({ port })),
      ...raw.map((port) => ({ port, tls: false })),
    ];
    // YAML 1.2 takes JSON as it is.
    const school = {
      name: 'Journey School',
      timeZone: 'Europe/London',
      contacts: { pupils: 'your teacher', staff: 'the network manager' },
      never,
      identity: { mode, strictestLevel: 'ks1', ranges, shared, schoolDayEnds },
      network: {
        clients: ['127.0.0.0/8'],
        allowDestinations: ['127.0.0.0/8'],
        connectPorts,
        httpPorts: [80, ...http],
        connectionsPerClient,
      },
    };
    writeFileSync(join(this.policyDir, 'school.yaml'), `${JSON.stringify(school, null, 2)}\n`);
  }

  /** Adds a name to a category's list; it counts once the lists are looked at again. */
  addToList(category: string, name: string): void {
    appendFileSync(join(this.listsDir, `${category}.txt`), `${name}\n`);
  }

  #writeLists(lists: Readonly<Record<string, readonly string[]>>): void {
    for (const [category, names] of Object.entries(lists)) {
      writeFileSync(join(this.listsDir, `${category}.txt`), names.map((name) => `${name}\n`).join(''));
    }
    const catalogue = Object.keys(lists).map((category) => ({
      id: `test-${category}`,
      category,
      format: ['csam', 'terrorism'].includes(category) ? 'illegal-urls' : 'domains',
      source: `./${category}.txt`,
      enabled: true,
    }));
    writeFileSync(join(this.listsDir, 'catalogue.yaml'), `${JSON.stringify({ lists: catalogue }, null, 2)}\n`);
  }
}
