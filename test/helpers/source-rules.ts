import { type Import, type Sources, type Use, roomOf, waysTo } from './source-tree.ts';

/** Checks of the source tree. Each gives its complaints, one a line; an empty list is a tree as it should be. */

// `room/file.ts`; `room/*`: all of a folder; `*/file.ts`, `*-routes.ts`: of that name, or ending, in any room; `*`: everything.
export type Where = string;

/** A line of a table: where something is allowed that is not elsewhere, and why. */
export interface Allowance {
  readonly where: Where;
  readonly why: string;
}

export function fits(path: string, where: Where): boolean {
  if (where.endsWith('/*')) return path.startsWith(where.slice(0, -1));
  return where.startsWith('*') ? path.endsWith(where.slice(1)) : path === where;
}

export interface Wall {
  readonly from: readonly Where[];
  /** Files, packages and Node modules. */
  readonly never: readonly Where[];
}

/** Runtime ways from one side of a wall to the other. What another process loads (`fork`) is not this one's. */
export function waysThrough(files: Iterable<string>, imports: readonly Import[], { from, never }: Wall): string[] {
  const starts = [...files].filter((path) => from.some((where) => fits(path, where)));
  const forbidden = (to: string): boolean => never.some((where) => fits(to, where));
  const nowhere = from.filter((where) => !starts.some((path) => fits(path, where)));
  return [
    ...nowhere.map((where) => `${where} is nowhere`),
    ...new Set(starts.flatMap((start) => waysTo(imports, start, forbidden))),
  ];
}

/** Files that import a module of Node's which reaches out of the process, and may not; and lines that nothing needs any more. */
export function impure(imports: readonly Import[], plain: readonly string[], allowed: readonly Allowance[]): string[] {
  const outward = imports.filter(({ to, kind, isTypeOnly }) => kind === 'node' && !isTypeOnly && !plain.includes(to));
  const complaints = outward
    .filter(({ from }) => !allowed.some(({ where }) => fits(from, where)))
    .map(({ from, to }) => `${from} is a pure file and imports ${to}`);
  const idle = allowed.filter(({ where }) => !outward.some(({ from }) => fits(from, where)));
  return [...complaints, ...idle.map(({ where }) => `${where} may reach out and does not`)];
}

export interface Packages {
  /** Where each package may be imported. */
  readonly homes: Readonly<Record<string, readonly Where[]>>;
  /** Declared as dependencies. */
  readonly declared: readonly string[];
  /** Used without an import statement. */
  readonly otherwise: readonly string[];
}

export function strayPackages(imports: readonly Import[], { homes, declared, otherwise }: Packages): string[] {
  const used = imports.filter(({ kind }) => kind === 'package');
  const complaints = used.flatMap(({ from, to }) => [
    ...(declared.includes(to) ? [] : [`${from} imports ${to}, which is not declared`]),
    ...((homes[to] ?? []).some((where) => fits(from, where)) ? [] : [`${from} imports ${to}, whose home is elsewhere`]),
  ]);
  const idle = Object.entries(homes).flatMap(([name, places]) =>
    places
      .filter((where) => !used.some(({ from, to }) => to === name && fits(from, where)))
      .map((where) => `${name} is not imported by ${where}`),
  );
  const unused = declared.filter((name) => !otherwise.includes(name) && !used.some(({ to }) => to === name));
  return [...complaints, ...idle, ...unused.map((name) => `${name} is declared and imported nowhere`)];
}

/** Files of one kind that are imported from other rooms than may. Types count: whoever knows the shape of a row depends on it. */
export function importedElsewhere(imports: readonly Import[], file: string, mayImport: readonly string[]): string[] {
  return imports
    .filter(({ to }) => fits(to, `*/${file}`))
    .filter(({ from, to }) => roomOf(from) !== roomOf(to) && !mayImport.includes(roomOf(from)))
    .map(({ from, to }) => `${from} imports ${to}`);
}

/** What a room may load of others. */
export interface Rooms {
  readonly mayImport: Readonly<Record<string, readonly string[] | 'all'>>;
  /** Files that do the room's work with the record; they may also load these rooms. */
  readonly workers: { readonly files: readonly Where[]; readonly rooms: readonly string[] };
  readonly deviations: readonly (Allowance & { readonly to: string })[];
}

export function unruly(imports: readonly Import[], { mayImport, workers, deviations }: Rooms): string[] {
  const between = imports.filter(
    ({ from, to, kind, isTypeOnly }) => kind === 'file' && !isTypeOnly && roomOf(from) !== roomOf(to),
  );
  const isRegular = ({ from, to }: Import): boolean => {
    const allowed = mayImport[roomOf(from)] ?? [];
    const isWorker = workers.files.some((where) => fits(from, where)) && workers.rooms.includes(roomOf(to));
    return allowed === 'all' || allowed.includes(roomOf(to)) || isWorker;
  };
  const irregular = between.filter((one) => !isRegular(one));
  const complaints = irregular.filter(
    ({ from, to }) => !deviations.some((one) => fits(from, one.where) && fits(to, one.to)),
  );
  const idle = deviations.filter((one) => !irregular.some(({ from, to }) => fits(from, one.where) && fits(to, one.to)));
  return [
    ...complaints.map(({ from, to }) => `${from} may not import ${to}`),
    ...idle.map(({ where, to }) => `${where} no longer needs its leave to import ${to}`),
  ];
}

/** Types as well as code. */
export function knows(imports: readonly Import[], from: Where, to: Where): string[] {
  return imports
    .filter(
      (one) => one.kind === 'file' && fits(one.from, from) && fits(one.to, to) && roomOf(one.from) !== roomOf(one.to),
    )
    .map((one) => `${one.from} knows ${one.to}`);
}

/** Uses of the machine (clock, environment, console …) outside the files that may. */
export function strayUses(uses: readonly Use[], what: RegExp, allowed: readonly Where[]): string[] {
  return uses
    .filter((use) => what.test(use.what) && !allowed.some((where) => fits(use.from, where)))
    .map(({ from, what }) => `${from} uses ${what}`);
}

export function tooLong(texts: Sources, most: number): string[] {
  const lines = (text: string): number => text.replace(/\n$/, '').split('\n').length;
  return [...texts].filter(([, text]) => lines(text) > most).map(([path, text]) => `${path} has ${lines(text)} lines`);
}

/** Paths with a part that is not kebab-case. Folders and files, with any ending; `README.md` is as the world writes it. */
export function misnamed(paths: readonly string[]): string[] {
  const isKebab = (part: string): boolean => /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)*$/.test(part);
  return paths.filter((path) => !path.split('/').every((part) => part === 'README.md' || isKebab(part)));
}

/**
 * Test files (paths below `test/`) that do not stand where their source stands: `room/file.test.ts` for `room/file.ts` or
 * `room/file/`. `neighbours` says of other tests what they cover. `sources`: paths below `src/`, and others a test may cover.
 */
export function misplacedTests(
  tests: readonly string[],
  sources: readonly string[],
  neighbours: Readonly<Record<string, readonly string[]>>,
): string[] {
  const exists = (name: string): boolean => sources.some((path) => path === name || path.startsWith(`${name}/`));
  return [
    ...tests.flatMap((test) => {
      const name = test.replace(/\.test\.ts$/, '');
      if (exists(`${name}.ts`) || exists(name)) return [];
      const covered = neighbours[test] ?? [];
      if (covered.length === 0) return [`test/${test} mirrors no source; name what it covers`];
      return covered.filter((path) => !exists(path)).map((path) => `test/${test} covers ${path}, which is nowhere`);
    }),
    ...Object.keys(neighbours)
      .filter((test) => !tests.includes(test))
      .map((test) => `test/${test} is nowhere`),
  ];
}
