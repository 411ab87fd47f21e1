import { parseArgs } from 'node:util';
import type { ProxyId } from './setting.ts';

export const WORKS = [
  'http',
  'connect',
  'cold',
  'bulk',
  'refused',
  'latency',
  'sign-in',
  'swap',
  'idle',
  'lists',
  'decide',
  'pages',
  'history',
  'alerts',
] as const;
export type WorkId = (typeof WORKS)[number];

export const PROXIES = ['direct', 'schoolgate', 'squid', 'tinyproxy', 'e2guardian'] as const satisfies ProxyId[];

export interface Options {
  readonly only: ReadonlySet<WorkId>;
  readonly proxies: ReadonlySet<ProxyId>;
  readonly quick: boolean;
  /** Where the JSON goes; null: the results folder. */
  readonly json: string | null;
  readonly help: boolean;
}

export const USAGE = `npm run bench -- [options]
  --only a,b      of: ${WORKS.join(', ')} (default: all)
  --proxies a,b   of: ${PROXIES.join(', ')} (default: all that are installed)
  --quick         a tenth of the work in one round: to see that it runs, not for figures
  --json FILE     where the figures go (default: test/bench/results/<time>.json)
`;

/** Reads the command line. Throws a TypeError that says what is wrong with it. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      proxies: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    only: choose('--only', values.only, WORKS),
    proxies: choose('--proxies', values.proxies, PROXIES),
    quick: values.quick,
    json: values.json ?? null,
    help: values.help,
  };
}

function choose<T extends string>(option: string, text: string | undefined, all: readonly T[]): ReadonlySet<T> {
  if (text === undefined) return new Set(all);
  const named = text.split(',').map((name) => name.trim());
  const unknown = named.filter((name) => !all.includes(name as T));
  if (unknown.length > 0) throw new TypeError(`${option}: "${unknown.join('", "')}" is none of ${all.join(', ')}`);
  return new Set(named as T[]);
}
