import { type Dirent, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalogue } from '../categories/catalogue.ts';
import type { Problem } from '../kernel/errors.ts';
import { type CompiledPolicy, type KnownCategory, compilePolicy } from './compile.ts';
import { type Surroundings, findPointless } from './find-pointless.ts';
import { type ReadPolicy, readPolicy } from './read.ts';
import type { PolicySnapshot } from './snapshot.ts';
import type { PolicyTexts } from './texts.ts';

/**
 * Reads a policy folder: its documents, or every problem with file and line. The only file of this room's rules that touches
 * the disk. Reads `*.yaml` and `*.yml` in the folder, in `levels/`, `agreements/` and `topics/`; hidden files and other kinds are left alone.
 */
export function loadPolicy(folder: string): ReadPolicy {
  const read = readTexts(folder);
  return 'problems' in read ? read : readPolicy(new Map(Object.entries(read.files)));
}

/** The texts of a policy folder, whatever they say; or every file that cannot be read. */
export function readTexts(folder: string): { readonly files: PolicyTexts } | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const files: Record<string, string> = {};
  for (const under of ['', 'levels/', 'agreements/', 'topics/']) {
    for (const name of yamlFiles(folder, under, problems)) {
      const text = readText(join(folder, under, name), `${under}${name}`, problems);
      if (text !== null) files[`${under}${name}`] = text;
    }
  }
  return problems.length > 0 ? { problems } : { files };
}

/** Reads and compiles a policy folder: the snapshot, or every problem with file and line. */
export function compileFolder(folder: string, categories: readonly KnownCategory[]): CompiledPolicy {
  const loaded = loadPolicy(folder);
  return 'documents' in loaded ? compilePolicy(loaded.documents, categories) : loaded;
}

/** A policy folder as compiled, with what in it is merely pointless; or every problem. */
export type ExaminedPolicy =
  | { readonly snapshot: PolicySnapshot; readonly warnings: readonly Problem[] }
  | { readonly problems: readonly Problem[] };

type Beside = Pick<Catalogue, 'categories' | 'lists' | 'offered'>;
type Around = Omit<Surroundings, 'listed'>;

/** Reads, compiles and examines a policy folder. `catalogue`: the one beside it; `around`: what else decides whether rules have an effect. */
export function examineFolder(folder: string, catalogue: Beside, around: Around): ExaminedPolicy {
  const read = readTexts(folder);
  return 'problems' in read ? read : examineTexts(read.files, catalogue, around);
}

/** The same for texts that lie in no folder. */
export function examineTexts(
  files: PolicyTexts,
  { categories, lists, offered }: Beside,
  around: Around,
): ExaminedPolicy {
  const loaded = readPolicy(new Map(Object.entries(files)));
  if ('problems' in loaded) return loaded;
  const compiled = compilePolicy(loaded.documents, categories);
  if ('problems' in compiled) return compiled;
  const listed = new Set([...lists, ...offered].map(({ category }) => category));
  return { ...compiled, warnings: findPointless(loaded.documents, compiled.snapshot, { ...around, listed }) };
}

function yamlFiles(folder: string, under: string, problems: Problem[]): string[] {
  const place = under === '' ? folder : join(folder, under);
  let entries: Dirent[];
  try {
    entries = readdirSync(place, { withFileTypes: true });
  } catch (error) {
    if (under !== '' && (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    problems.push({ file: under === '' ? folder : under, reason: `cannot be read (${(error as Error).message})` });
    return [];
  }
  return entries
    .filter((entry) => !entry.isDirectory() && /^[^.].*\.ya?ml$/i.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

function readText(path: string, file: string, problems: Problem[]): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const reason =
      error instanceof TypeError
        ? 'is not UTF-8 text; save it as UTF-8'
        : `cannot be read (${(error as Error).message})`;
    problems.push({ file, reason });
    return null;
  }
}
