import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { Type, type Static } from 'typebox';
import { readYaml, type YamlDocument } from '../config/yaml-document.ts';
import { cronFault } from '../jobs/cron.ts';
import { InvalidInputError, type Problem } from '../kernel/errors.ts';
import { addressText } from './address-text.ts';
import { CATALOGUE_FILE, CATEGORIES_FILE } from './catalogue-files.ts';
import type { KeyedCounts } from './illegal-content.ts';
import { type IllegalFormat, isIllegalFormat } from './illegal-format.ts';
import type { LineFormat } from './parse-list.ts';

const Strict = { additionalProperties: false };
const Id = Type.String({ pattern: '^[a-z0-9]+(?:-[a-z0-9]+)*$', maxLength: 64 });
const Text = Type.String({ minLength: 1 });

const CategoriesSchema = Type.Object(
  {
    version: Type.Optional(Text),
    headings: Type.Optional(Type.Array(Text)),
    categories: Type.Array(
      Type.Object(
        {
          id: Id,
          title: Text,
          description: Text,
          uksic: Text,
          locked: Type.Optional(Type.Boolean()),
          flag: Type.Optional(Type.Boolean()),
          highRisk: Type.Optional(Type.Literal(true)),
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
          maxBytes: Type.Optional(Type.Integer({ minimum: 1024, maximum: 1 << 30 })),
          sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
          credentials: Type.Optional(Text),
          licence: Type.Optional(Text),
          homepage: Type.Optional(Type.String({ pattern: '^https?://' })),
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
  /** An unblock of it needs the safeguarding lead as well. */
  readonly highRisk?: true;
}

/** The clocks that `refresh` is read on: no hour of theirs is missing or comes twice. */
export const REFRESH_ZONE = 'UTC';

/** How a source is fetched. */
export interface FetchTerms {
  readonly url: string;
  /** Five-field cron, in UTC. */
  readonly refresh: string;
  readonly maxBytes: number;
  /** Hex, of the file as its publisher sends it; null: any content. */
  readonly sha256: string | null;
  /** Absolute path of a file that holds what the publisher wants to know; null: it gives the list to anybody. */
  readonly credentials: string | null;
}

/** A list as `catalogue.yaml` describes it. */
export interface CatalogueList {
  readonly id: string;
  readonly category: string;
  readonly format: LineFormat | 'ut1';
  /** As it is written in the catalogue. */
  readonly source: string;
  /** Absolute; null for an https source that was not fetched yet (`withFetched` says where it lies). */
  readonly path: string | null;
  /** Null: a file or folder of the school's own. */
  readonly fetch: FetchTerms | null;
  /** When an https source last gave what lies at `path`, ISO 8601; null for all others. */
  readonly fetchedAt: string | null;
  readonly licence: string | null;
  readonly homepage: string | null;
  /** Where in the catalogue it stands. */
  readonly line: number;
}

/** A list that is catalogued and switched off. */
export interface OfferedList extends Pick<
  CatalogueList,
  'id' | 'category' | 'source' | 'licence' | 'homepage' | 'line'
> {
  /** Among all lists of the file, from 0. */
  readonly position: number;
}

/** A list of a locked category: never in the category index. What is fetched of one lies at `path` in its keyed form. */
export interface IllegalList extends Omit<CatalogueList, 'format'> {
  readonly format: IllegalFormat;
  /** What was read when it was fetched; null for a file, and before it was fetched. */
  readonly fetched: KeyedCounts | null;
}

/** A list of either kind. */
export type AnyList = CatalogueList | IllegalList;

export interface Catalogue {
  /** Of the categories' meaning; null where the file has none. */
  readonly version: string | null;
  readonly categories: readonly Category[];
  /** The enabled lists of the category index, in the order of the file. */
  readonly lists: readonly CatalogueList[];
  /** The enabled lists of locked categories. */
  readonly illegal: readonly IllegalList[];
  /** Those that are switched off. */
  readonly offered: readonly OfferedList[];
}

type CategoriesDocument = YamlDocument<Static<typeof CategoriesSchema>>;
type CatalogueDocument = YamlDocument<Static<typeof CatalogueSchema>>;
type ListRow = Static<typeof CatalogueSchema>['lists'][number];

/** Three in the morning: away from lessons and from the hour that some publishers ask to be spared. */
const DEFAULT_REFRESH = '17 3 * * *';
const DEFAULT_MAX_BYTES = 64 << 20;

/**
 * Reads `categories.yaml` and `catalogue.yaml`. Throws one InvalidInputError with every problem of both. Whether a source is there
 * today is not asked here: a missing file is the build's business, which has last good copies.
 */
export function loadCatalogue(listsDir: string): Catalogue {
  return readCatalogue(listsDir, null);
}

/** The catalogue as it would be with this text as its `catalogue.yaml`. Throws as `loadCatalogue` does. */
export function previewCatalogue(listsDir: string, catalogueText: string): Catalogue {
  return readCatalogue(listsDir, catalogueText);
}

function readCatalogue(listsDir: string, text: string | null): Catalogue {
  const problems: Problem[] = [];
  const categories = readDocument(
    listsDir,
    CATEGORIES_FILE,
    CategoriesSchema,
    null,
    problems,
  ) as CategoriesDocument | null;
  const lists = readDocument(listsDir, CATALOGUE_FILE, CatalogueSchema, text, problems) as CatalogueDocument | null;
  if (categories !== null) checkDoubles(categories, 'categories', categories.value.categories, problems);
  if (categories !== null) checkHeadings(categories, problems);
  if (categories !== null) checkAlwaysLocked(categories, problems);
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
  given: string | null,
  problems: Problem[],
): YamlDocument<unknown> | null {
  const file = join(listsDir, name);
  let text: string;
  try {
    text = given ?? readFileSync(file, 'utf8');
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

/** Each category names a heading of the definitions, and each heading has a category. */
function checkHeadings(document: CategoriesDocument, problems: Problem[]): void {
  const { headings, categories } = document.value;
  if (headings === undefined) return;
  const file = document.file;
  for (const [i, { id, uksic }] of categories.entries()) {
    if (uksic === 'other' || headings.includes(uksic)) continue;
    const line = document.lineOf(['categories', i, 'uksic']);
    problems.push({ file, line, reason: `category "${id}": "${uksic}" is not among the headings; write "other"` });
  }
  for (const [i, heading] of headings.entries()) {
    if (categories.some(({ uksic }) => uksic === heading)) continue;
    problems.push({ file, line: document.lineOf(['headings', i]), reason: `no category stands under "${heading}"` });
  }
}

/** What the law forbids everybody is not a school's to unlock. */
const ALWAYS_LOCKED: ReadonlySet<string> = new Set(['csam', 'terrorism']);

function checkAlwaysLocked(categories: CategoriesDocument, problems: Problem[]): void {
  for (const [i, { id, locked }] of categories.value.categories.entries()) {
    if (!ALWAYS_LOCKED.has(id) || locked === true) continue;
    const line = categories.lineOf(['categories', i, 'id']);
    problems.push({ file: categories.file, line, reason: `"${id}" is always locked; write "locked: true"` });
  }
}

function checkLists(
  document: CatalogueDocument,
  categories: CategoriesDocument,
  listsDir: string,
  problems: Problem[],
): void {
  const known = new Map(categories.value.categories.map((category) => [category.id, category.locked === true]));
  for (const [i, row] of document.value.lists.entries()) {
    const report = (key: keyof ListRow, reason: string): void => {
      problems.push({
        file: document.file,
        line: document.lineOf(['lists', i, key]),
        reason: `list "${row.id}": ${reason}`,
      });
    };
    if (!known.has(row.category)) report('category', `the category "${row.category}" is not in categories.yaml`);
    else checkLocked(row, known.get(row.category)!, report);
    if (row.enabled) checkEnabled(row, listsDir, report);
  }
}

/** What is illegal is kept in another form than everything else, so neither kind of list can stand in for the other. */
function checkLocked(row: ListRow, locked: boolean, report: (key: keyof ListRow, reason: string) => void): void {
  const isIllegal = isIllegalFormat(row.format);
  if (locked && !isIllegal) {
    report('format', `a list of the locked category "${row.category}" needs "illegal-urls" or "illegal-hashes"`);
  }
  if (!locked && isIllegal) report('format', `"${row.format}" is for locked categories, and "${row.category}" is none`);
}

function checkEnabled(row: ListRow, listsDir: string, report: (key: keyof ListRow, reason: string) => void): void {
  if (/^[a-z][a-z0-9+.-]+:/i.test(row.source)) return checkFetched(row, listsDir, report);
  for (const key of ['refresh', 'maxBytes', 'sha256', 'credentials'] as const) {
    if (row[key] !== undefined) report(key, `"${key}" is for https sources; ${row.source} is read where it lies`);
  }
  const isFolder = statSync(resolve(listsDir, row.source), { throwIfNoEntry: false })?.isDirectory();
  if (isFolder === undefined) return;
  if (row.format === 'ut1' && !isFolder) report('source', `"format: ut1" needs a folder, and ${row.source} is a file`);
  if (row.format !== 'ut1' && isFolder)
    report('source', `${row.source} is a folder, and only "format: ut1" reads folders`);
  if (/\.(?:zip|bz2|xz|7z|tar|tgz)$/i.test(row.source)) report('source', `${row.source} must be plain, .gz or .zst`);
}

function checkFetched(row: ListRow, listsDir: string, report: (key: keyof ListRow, reason: string) => void): void {
  const url = URL.canParse(row.source) ? new URL(row.source) : null;
  if (url === null) return report('source', `${addressText(row.source)} is no address`);
  if (url.protocol !== 'https:') {
    return report(
      'source',
      `${addressText(row.source)} cannot be used: only over https is it sure who sent it; give its https address, or download it and name the file`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    report('source', 'an address must not hold a user name or password; name a file with them as "credentials"');
  }
  checkCredentials(row, listsDir, report);
  const fault = cronFault(row.refresh ?? DEFAULT_REFRESH, REFRESH_ZONE);
  if (fault !== null) report('refresh', `"refresh: ${row.refresh}" ${fault}`);
}

/** Whoever copies, shows or publishes the lists must not hand out a password with them. */
function checkCredentials(
  { credentials }: ListRow,
  listsDir: string,
  report: (key: keyof ListRow, reason: string) => void,
): void {
  if (credentials === undefined) return;
  const isInside = !relative(resolve(listsDir), credentials).startsWith('..');
  if (isAbsolute(credentials) && !isInside) return;
  report(
    'credentials',
    '"credentials" names a file outside this folder by its whole path, and never holds the password',
  );
}

type EnabledList = Omit<CatalogueList, 'format'> & { readonly format: CatalogueList['format'] | IllegalFormat };

function compileCatalogue(categories: CategoriesDocument, lists: CatalogueDocument, listsDir: string): Catalogue {
  const known = categories.value.categories.map((row): Category => ({
    ...row,
    locked: row.locked ?? false,
    flag: row.flag ?? true,
  }));
  const enabled = lists.value.lists.flatMap((row, i): EnabledList[] => {
    if (!row.enabled) return [];
    const fetch = fetchTerms(row);
    return [
      {
        ...describe(row, lists.lineOf(['lists', i])),
        format: row.format,
        path: fetch === null ? resolve(listsDir, row.source) : null,
        fetch,
        fetchedAt: null,
      },
    ];
  });
  const offered = lists.value.lists.flatMap((row, position) =>
    row.enabled ? [] : [{ ...describe(row, lists.lineOf(['lists', position])), position }],
  );
  return {
    version: categories.value.version ?? null,
    categories: known,
    lists: enabled.filter((list): list is CatalogueList => !isIllegal(list)),
    illegal: enabled.filter(isIllegal).map((list) => Object.assign(list, { fetched: null })),
    offered,
  };
}

/** The enabled lists of both kinds that are fetched. */
export function listsToFetch({ lists, illegal }: Pick<Catalogue, 'lists' | 'illegal'>): AnyList[] {
  return [...lists, ...illegal].filter(({ fetch }) => fetch !== null);
}

function describe({ id, category, source, licence, homepage }: ListRow, line: number): Omit<OfferedList, 'position'> {
  return { id, category, source, licence: licence ?? null, homepage: homepage ?? null, line };
}

function fetchTerms({ source, refresh, maxBytes, sha256, credentials }: ListRow): FetchTerms | null {
  if (!source.startsWith('https:')) return null;
  return {
    url: source,
    refresh: refresh ?? DEFAULT_REFRESH,
    maxBytes: maxBytes ?? DEFAULT_MAX_BYTES,
    sha256: sha256 ?? null,
    credentials: credentials ?? null,
  };
}

function isIllegal(list: EnabledList): list is EnabledList & { readonly format: IllegalFormat } {
  return isIllegalFormat(list.format);
}
