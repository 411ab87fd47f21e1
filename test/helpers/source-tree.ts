import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/** Source texts by their path below `src/`, such as `policy/decide.ts`. */
export type Sources = ReadonlyMap<string, string>;

/** One import as it stands in a file. */
export interface Import {
  readonly from: string;
  /** Of a file: its path below `src/`; of Node: `node:fs`; of a package: its name, without a path into it. */
  readonly to: string;
  readonly kind: 'file' | 'node' | 'package';
  /** Gone when the program runs. `import { type A }` is not: it still loads the module. */
  readonly isTypeOnly: boolean;
}

/** Something of the machine that a file uses without importing it, such as `Date.now` or `process.env`. */
export interface Use {
  readonly from: string;
  readonly what: string;
}

/** Every TypeScript file below a folder. */
export function readSources(folder: string): Sources {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  return new Map(paths.sort().map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

/** The room a file lies in; of a file directly below `src/`: its own name. */
export function roomOf(path: string): string {
  return path.split('/')[0]!;
}

export function importsOf(sources: Sources): Import[] {
  return [...sources].flatMap(([from, text]) => {
    const found: Import[] = [];
    visit(from, text, (node) => {
      const [specifier, isTypeOnly] = specifierOf(node) ?? [];
      if (specifier !== undefined) found.push(toImport(from, specifier, isTypeOnly!));
    });
    return found;
  });
}

/** Static imports, re-exports, `import()` and `import('…').Type`; null for every other node. */
function specifierOf(node: ts.Node): [specifier: string, isTypeOnly: boolean] | null {
  if (ts.isImportDeclaration(node)) return [textOf(node.moduleSpecifier), node.importClause?.isTypeOnly ?? false];
  if (ts.isExportDeclaration(node)) {
    return node.moduleSpecifier === undefined ? null : [textOf(node.moduleSpecifier), node.isTypeOnly];
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return [textOf(node.arguments[0]!), false];
  }
  return ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
    ? [textOf(node.argument.literal), true]
    : null;
}

function textOf(node: ts.Node): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  throw new Error(`an import of ${node.getText()} cannot be followed: give its path as a plain text`);
}

function toImport(from: string, specifier: string, isTypeOnly: boolean): Import {
  if (specifier.startsWith('.')) {
    return { from, to: posix.join(posix.dirname(from), specifier), kind: 'file', isTypeOnly };
  }
  if (specifier.startsWith('node:')) return { from, to: specifier, kind: 'node', isTypeOnly };
  const parts = specifier.split('/');
  const name = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  return { from, to: name, kind: 'package', isTypeOnly };
}

const WATCHED = /^(?:Date\.now|performance\.now|process\.hrtime|Math\.random|process\.env|console\.\w+)$/;

/** Uses of the machine's clock, chance, environment and standard streams. */
export function usesOf(sources: Sources): Use[] {
  return [...sources].flatMap(([from, text]) => {
    const found: Use[] = [];
    visit(from, text, (node) => {
      if (ts.isPropertyAccessExpression(node) && WATCHED.test(node.getText()))
        found.push({ from, what: node.getText() });
      const isDate = (ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === 'Date';
      if (isDate && (node.arguments?.length ?? 0) === 0) found.push({ from, what: 'new Date()' });
    });
    return found;
  });
}

function visit(path: string, text: string, see: (node: ts.Node) => void): void {
  const walk = (node: ts.Node): void => {
    see(node);
    ts.forEachChild(node, walk);
  };
  walk(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
}

/** What each file loads when it is loaded: its runtime imports, files and others. */
function loads(imports: readonly Import[]): Map<string, string[]> {
  const graph = new Map<string, string[]>();
  for (const { from, to, isTypeOnly } of imports) {
    if (!isTypeOnly) graph.set(from, [...(graph.get(from) ?? []), to]);
  }
  return graph;
}

/** The shortest ways from a file to whatever must not be reached, each as `a → b → c`; empty: none is. */
export function waysTo(imports: readonly Import[], start: string, isForbidden: (to: string) => boolean): string[] {
  const graph = loads(imports);
  const ways: string[] = [];
  const seen = new Set([start]);
  const waiting = [[start]];
  for (let way = waiting.shift(); way !== undefined; way = waiting.shift()) {
    for (const next of graph.get(way.at(-1)!) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (isForbidden(next)) ways.push([...way, next].join(' → '));
      else waiting.push([...way, next]);
    }
  }
  return ways;
}

/** Circles of files that load each other, each once, as `a → b → a`. */
export function cyclesOf(imports: readonly Import[]): string[] {
  const graph = loads(imports);
  const done = new Set<string>();
  const cycles: string[] = [];
  const follow = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start >= 0) cycles.push([...way.slice(start), file].join(' → '));
    if (start >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) follow(next, [...way, file]);
    done.add(file);
  };
  for (const file of graph.keys()) follow(file, []);
  return cycles;
}
