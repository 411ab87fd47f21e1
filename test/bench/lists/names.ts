import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

// Real lists for developers lie beside the checkout; without them the names are made of syllables.
const REAL = join(import.meta.dirname, '../../../../shared/data/blocklists/ut1');
const MADE = 200_000;
const SYLLABLES = [
  'ba',
  'den',
  'co',
  'mi',
  'tra',
  'ven',
  'sol',
  'ki',
  'lu',
  'pra',
  'ne',
  'gor',
  'shi',
  'ta',
  'rex',
  'wo',
];
const ENDINGS = ['com', 'com', 'com', 'net', 'org', 'de', 'fr', 'info', 'xyz', 'ru'];

/** Names as they are in lists, and whether they come from real ones. */
export interface Names {
  readonly isReal: boolean;
  /** This many different names of two labels, none of which lies under another; the same for the same `from`. */
  take(count: number, from: number): string[];
}

/**
 * Variants of real names: `shop.example.com` gives `shop-example-1.com`, `shop-example-2.com` and so on. They keep the length and the
 * letters of real ones, which decide what a proxy needs for them.
 */
export function createNames(): Names {
  const isReal = existsSync(REAL);
  const heads = isReal ? realHeads() : madeHeads();
  const nameAt = (i: number): string => {
    const [head, ending] = heads[i % heads.length]!;
    return `${head}-${Math.floor(i / heads.length) + 1}.${ending}`;
  };
  return { isReal, take: (count, from) => Array.from({ length: count }, (_, i) => nameAt(from + i)) };
}

type Head = readonly [head: string, ending: string];

function realHeads(): Head[] {
  const files = readdirSync(REAL).map((folder) => join(REAL, folder, 'domains.gz'));
  const names = files
    .filter((path) => existsSync(path))
    .flatMap((path) => {
      return gunzipSync(readFileSync(path)).toString('latin1').split('\n');
    });
  // Under some endings every name of two labels is a public suffix.
  const heads = names.flatMap((name): [string, Head][] => {
    const parts =
      /^([a-z0-9][a-z0-9.-]{2,50}[a-z0-9])\.(com|net|org|info|de|fr|ru|nl|it|es|pl|eu|xyz|top|online|site|club|shop)\r?$/.exec(
        name,
      );
    if (parts === null) return [];
    const head = parts[1]!.replaceAll('.', '-');
    return [[`${head}.${parts[2]!}`, [head, parts[2]!]]];
  });
  return [...new Map(heads).values()];
}

function madeHeads(): Head[] {
  let state = 1;
  const next = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
  const heads = Array.from({ length: MADE }, (): [string, Head] => {
    const head = Array.from({ length: 3 + next(4) }, () => SYLLABLES[next(SYLLABLES.length)]!).join('');
    const ending = ENDINGS[next(ENDINGS.length)]!;
    return [`${head}.${ending}`, [head, ending]];
  });
  return [...new Map(heads).values()];
}
