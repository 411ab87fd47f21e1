import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Type, type Static } from 'typebox';
import { readYaml, type YamlDocument } from '../config/yaml-document.ts';
import { InvalidInputError, type Problem } from '../kernel/errors.ts';
import { CATALOGUE_FILE, CATEGORIES_FILE } from './catalogue-files.ts';
import type { LineFormat } from './parse-list.ts';

const Strict = { additionalProperties: false };
const Id = Type.String({ pattern: '^[a-z0-9]+(?:-[a-z0-9]+)*$', maxLength: 64 });
const Text = Type.String({ minLength: 1 });

const CategoriesSchema = Type.Object(
  {
    categories: Type.Array(
      Type.Object(
        {
          id: Id,
          title: Text,
          description: Text,
          uksic: Text,
          locked: Type.Optional(Type.Boolean()),
          flag: Type.Optional(Type.Boolean()),
        },
        Strict,
      ),
    ),
  },
  Strict,
);

const FORMATS = [
  'domains',
  'wildcard',
  'hosts',
  'urls',
  'adblock',
  'dnsmasq',
  'cidr',
  'ut1',
  'illegal-urls',
  'illegal-hashes',
] as const;

const CatalogueSchema = Type.Object(
  {
    lists: Type.Array(
      Type.Object(
        {
          id: Id,
          category: Id,
          format: Type.Enum([...FORMATS]),
          source: Text,
          enabled: Type.Boolean(),
          refresh: Type.Optional(Text),
          licence: Type.Optional(Text),
        },
        Strict,
      ),
    ),
  },
  Strict,
);

/** A category as `categories.yaml` describes it. */
export interface Category {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** The heading of the UK Safer Internet Centre's filtering guidance that it belongs to. */
  readonly uksic: string;
  /** No policy, role or unblock can open it. */
  readonly locked: boolean;
  /** Whether a refusal is worth an adult's eye. */
  readonly flag: boolean;
}

/** A list as `catalogue.yaml` describes it. */
export interface CatalogueList {
  readonly id: string;
  readonly category: string;
  readonly locked: boolean;
  readonly format: LineFormat | 'ut1';
  /** As it is written in the catalogue, and as an absolute path. */
  readonly source: string;
  readonly path: string;
  readonly licence: string | null;
  /** Where in the catalogue it stands. */
  readonly line: number;
}

export interface Catalogue {
  readonly categories: readonly Category[];
  /** The enabled lists, in the order of the file. */
  readonly lists: readonly CatalogueList[];
  /** How many lists are catalogued and switched off. */
  readonly disabled: number;
}

type CategoriesDocument = YamlDocument<Static<typeof CategoriesSchema>>;
type CatalogueDocument = YamlDocument<Static<typeof CatalogueSchema>>;
type ListRow = Static<typeof CatalogueSchema>['lists'][number];

/**
 * Reads `categories.yaml` and `catalogue.yaml`. Throws one InvalidInputError with every problem of both. Whether a source is there
 * today is not asked here: a missing file is the build's business, which has last good copies.
 */
export function loadCatalogue(listsDir: string): Catalogue {
  const problems: Problem[] = [];
  const categories = readDocument(listsDir, CATEGORIES_FILE, CategoriesSchema, problems) as CategoriesDocument | null;
  const lists = readDocument(listsDir, CATALOGUE_FILE, CatalogueSchema, problems) as CatalogueDocument | null;
  if (categories !== null) checkDoubles(categories, 'categories', categories.value.categories, problems);
  if (lists !== null) checkDoubles(lists, 'lists', lists.value.lists, problems);
  if (categories !== null && lists !== null) checkLists(lists, categories, listsDir, problems);
  if (categories === null || lists === null || problems.length > 0) {
    throw new InvalidInputError('The lists cannot be used', problems);
  }
  return compileCatalogue(categories, lists, listsDir);
}

function readDocument(
  listsDir: string,
  name: string,
  schema: typeof CategoriesSchema | typeof CatalogueSchema,
  problems: Problem[],
): YamlDocument<unknown> | null {
  const file = join(listsDir, name);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    problems.push({ file, reason: 'cannot be read; the lists need it' });
    return null;
  }
  const read = readYaml(text, file, schema);
  if ('document' in read) return read.document;
  problems.push(...read.problems);
  return null;
}

function checkDoubles(
  document: YamlDocument<unknown>,
  key: string,
  rows: readonly { readonly id: string }[],
  problems: Problem[],
): void {
  const first = new Map<string, number>();
  for (const [i, { id }] of rows.entries()) {
    const line = document.lineOf([key, i, 'id']);
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, line);
    else problems.push({ file: document.file, line, reason: `"${id}" is already defined in line ${earlier}` });
  }
}

function checkLists(
  document: CatalogueDocument,
  categories: CategoriesDocument,
  listsDir: string,
  problems: Problem[],
): void {
  const known = new Set(categories.value.categories.map((category) => category.id));
  for (const [i, row] of document.value.lists.entries()) {
    const report = (key: keyof ListRow, reason: string): void => {
      problems.push({
        file: document.file,
        line: document.lineOf(['lists', i, key]),
        reason: `list "${row.id}": ${reason}`,
      });
    };
    if (!known.has(row.category)) report('category', `the category "${row.category}" is not in categories.yaml`);
    if (row.enabled) checkEnabled(row, listsDir, report);
  }
}

const READ_FORMATS: ReadonlySet<string> = new Set(['domains', 'hosts', 'urls', 'ut1']);

function checkEnabled(row: ListRow, listsDir: string, report: (key: keyof ListRow, reason: string) => void): void {
  if (!READ_FORMATS.has(row.format)) {
    report('format', `the format "${row.format}" cannot be read by this version; set "enabled: false"`);
  }
  if (/^[a-z][a-z0-9+.-]+:/i.test(row.source)) {
    report('source', `${row.source} cannot be fetched by this version; download it and name the file`);
    return;
  }
  const isFolder = statSync(resolve(listsDir, row.source), { throwIfNoEntry: false })?.isDirectory();
  if (isFolder === undefined) return;
  if (row.format === 'ut1' && !isFolder) report('source', `"format: ut1" needs a folder, and ${row.source} is a file`);
  if (row.format !== 'ut1' && isFolder)
    report('source', `${row.source} is a folder, and only "format: ut1" reads folders`);
  if (/\.(?:zip|bz2|xz|7z|tar|tgz)$/i.test(row.source)) report('source', `${row.source} must be plain, .gz or .zst`);
}

function compileCatalogue(categories: CategoriesDocument, lists: CatalogueDocument, listsDir: string): Catalogue {
  const known = categories.value.categories.map((row): Category => ({
    ...row,
    locked: row.locked ?? false,
    flag: row.flag ?? true,
  }));
  const enabled = lists.value.lists.flatMap((row, i): CatalogueList[] => {
    if (!row.enabled) return [];
    return [
      {
        id: row.id,
        category: row.category,
        locked: known.find((category) => category.id === row.category)!.locked,
        format: row.format as CatalogueList['format'],
        source: row.source,
        path: resolve(listsDir, row.source),
        licence: row.licence ?? null,
        line: lists.lineOf(['lists', i]),
      },
    ];
  });
  return { categories: known, lists: enabled, disabled: lists.value.lists.length - enabled.length };
}
