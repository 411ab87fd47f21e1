import type { Static, TSchema } from 'typebox';
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';
import { LineCounter, isCollection, isNode, isPair, isScalar, isSeq, parseDocument, visit, type Document } from 'yaml';
import type { Problem } from '../kernel/errors.ts';

// All errors at once is the promise; the library stops at 8 by default.
Settings.Set({ maxErrors: 1000 });

/** A path into a document: keys and positions, outermost first. */
export type DocumentPath = readonly (string | number)[];

/** A YAML document that fits its schema, and where each part of it stands in the file. */
export interface YamlDocument<T> {
  readonly file: string;
  readonly value: T;
  /** The line (from 1) of the key or value at a path, or of its nearest ancestor that is there. */
  lineOf(path: DocumentPath): number;
}

/**
 * Reads YAML strictly against a schema: unknown keys, duplicate keys, wrong types and syntax errors are all reported at once,
 * each with its line. `file` is the name used in the problems. An empty file is `{}`.
 */
export function readYaml<S extends TSchema>(
  text: string,
  file: string,
  schema: S,
): { readonly document: YamlDocument<Static<S>> } | { readonly problems: readonly Problem[] } {
  const lines = new LineCounter();
  const parsed = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  // A warning is about a tag that means nothing here: not what its writer meant, whatever that was.
  const faults = [...parsed.errors, ...parsed.warnings];
  if (faults.length > 0) {
    return {
      problems: faults.map((error) => {
        const at = lines.linePos(error.pos[0]);
        return { file, line: at.line, column: at.col, reason: error.message.split('\n')[0]! };
      }),
    };
  }
  let value: unknown;
  try {
    value = parsed.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    return { problems: [aliasProblem(parsed, lines, file, error as Error)] };
  }
  const lineOf = (path: DocumentPath): number => lineOfPath(parsed, lines, path);
  const problems = schemaProblems(schema, value, file, lineOf);
  if (problems.length > 0) return { problems };
  return { document: { file, value: value as Static<S>, lineOf } };
}

/**
 * The text with one value replaced, and nothing else touched: not a comment, not a space. `value` as it is to be written. Null when there
 * is no plain value at the path.
 */
export function replaceValue(text: string, path: DocumentPath, value: string): string | null {
  const node = parseDocument(text).getIn(path, true);
  if (!isScalar(node) || !node.range) return null;
  const [start, end] = node.range;
  return text.slice(0, start) + value + text.slice(end);
}

/** A value to be written into a document; undefined: what is there is taken away. */
export interface YamlEdit {
  readonly path: DocumentPath;
  readonly value: unknown;
}

/**
 * The text with some values written, and every comment where it was; of a list of plain values only those that come or go are touched.
 * What stands on one line may be spaced otherwise. Null: it is no YAML, or has no such places.
 */
export function editYaml(text: string, edits: readonly YamlEdit[]): string | null {
  if (edits.length === 0) return text;
  const document = parseDocument(text);
  if (document.errors.length > 0) return null;
  try {
    for (const { path, value } of edits) editOne(document, path, value);
    return document.toString({ lineWidth: 0 });
  } catch {
    return null;
  }
}

function editOne(document: Document, path: DocumentPath, value: unknown): void {
  if (value === undefined) return void (document.hasIn(path) && document.deleteIn(path));
  const node = document.getIn(path, true);
  const isPlain = Array.isArray(value) && value.every((one) => typeof one === 'string');
  if (!isPlain || !isSeq(node) || !node.items.every(isScalar)) return document.setIn(path, document.createNode(value));
  const kept = node.items.filter((item) => value.includes(String(item.value)));
  const there = new Set(kept.map((item) => String(item.value)));
  node.items = [...kept, ...value.filter((one) => !there.has(one)).map((one) => document.createNode(one))];
}

/** An alias that names nothing, or aliases that would make a small file huge. The library does not say where. */
function aliasProblem(document: Document, lines: LineCounter, file: string, error: Error): Problem {
  let line: number | undefined;
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) !== undefined) return undefined;
      line = lines.linePos(alias.range![0]).line;
      return visit.BREAK;
    },
  });
  return { file, ...(line !== undefined && { line }), reason: error.message };
}

function schemaProblems(
  schema: TSchema,
  value: unknown,
  file: string,
  lineOf: (path: DocumentPath) => number,
): Problem[] {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const error of nearestBranch(Value.Errors(schema, value))) {
    const path = pointerToPath(error.instancePath);
    for (const [at, reason] of explain(path, error.keyword, error.message, error.params as Record<string, unknown>)) {
      const key = `${at.join('/')} ${reason}`;
      if (seen.has(key)) continue;
      seen.add(key);
      problems.push({ file, line: lineOf(at), reason });
    }
  }
  return problems;
}

type SchemaError = Pick<ReturnType<typeof Value.Errors>[number], 'instancePath' | 'keyword' | 'message'> & {
  readonly params: object;
};

/** Of a value that may be of several types, only what is wrong with it as the type it is; if it is none of them, that. */
function nearestBranch(errors: readonly SchemaError[]): SchemaError[] {
  const unions = new Set(errors.filter(({ keyword }) => keyword === 'anyOf').map(({ instancePath }) => instancePath));
  const isType = ({ keyword, instancePath }: SchemaError): boolean => keyword === 'type' && unions.has(instancePath);
  return errors.flatMap((error) => {
    if (error.keyword !== 'anyOf') return isType(error) ? [] : [error];
    const at = error.instancePath;
    const within = errors.filter(({ instancePath }) => instancePath === at || instancePath.startsWith(`${at}/`));
    const types = within.filter((one) => one.instancePath === at && isType(one));
    if (within.length > types.length + 1) return [];
    const names = types.map(({ params }) => (params as { readonly type: string }).type);
    return [{ ...error, message: `must be ${names.join(' or ')}` }];
  });
}

function explain(
  path: DocumentPath,
  keyword: string,
  message: string,
  params: Record<string, unknown>,
): [DocumentPath, string][] {
  const name = path.length === 0 ? 'the document' : `"${path.join('.')}"`;
  if (keyword === 'additionalProperties') {
    const keys = params['additionalProperties'] as string[];
    return keys.map((key) => [[...path, key], `"${[...path, key].join('.')}" is not a known setting`]);
  }
  if (keyword === 'required') {
    const keys = params['requiredProperties'] as string[];
    return keys.map((key) => [path, `"${[...path, key].join('.')}" is missing`]);
  }
  if (keyword === 'enum') {
    return [[path, `${name} must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`]];
  }
  // The branches of a union say nothing that its own line does not say better; false schemas restate additionalProperties.
  if (keyword === 'const' || keyword === 'boolean') return [];
  return [[path, `${name} ${message}`]];
}

function pointerToPath(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function lineOfPath(document: Document, lines: LineCounter, path: DocumentPath): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const step of path) {
    if (!isCollection(node)) break;
    const item = node.items.find((entry, i) =>
      isPair(entry) ? isScalar(entry.key) && String(entry.key.value) === String(step) : i === step,
    );
    if (item === undefined) break;
    const place = isPair(item) ? item.key : item;
    if (isNode(place) && place.range) offset = place.range[0];
    node = isPair(item) ? item.value : item;
  }
  return lines.linePos(offset).line;
}
