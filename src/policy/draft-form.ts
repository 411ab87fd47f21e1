import { type DocumentPath, type YamlEdit, editYaml, readYaml } from '../config/yaml-document.ts';
import type { Problem } from '../kernel/errors.ts';
import { ACTIONS, LevelSchema, RulesSchema, SchoolSchema } from './document.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { type PolicyTexts, withFile } from './texts.ts';
import { readTimeLines, timeLines } from './time-lines.ts';

/** What a form is about: a level, the school, or a group or person of `rules.yaml`, by name. */
export interface FormPart {
  readonly file: string;
  readonly kind: 'level' | 'school' | 'groups' | 'people';
  /** Of a group or person; empty otherwise. */
  readonly name: string;
}

/** One thing that a form asks. */
export interface FormField {
  /** As the browser sends it. */
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly path: readonly string[];
  /** `lines`: one a line. `times`: times, one a line. `flag`: yes or left out. */
  readonly kind: 'text' | 'lines' | 'times' | 'choice' | 'flag';
  /** Of a choice, besides "not said". */
  readonly options?: readonly { readonly value: string; readonly text: string }[];
}

/** A form as it is shown. */
export interface PolicyForm {
  readonly part: FormPart;
  readonly title: string;
  readonly fields: readonly FormField[];
  /** By field, as the document says it. */
  readonly values: Readonly<Record<string, string>>;
  /** Empty where this part knows no categories. */
  readonly categories: readonly FormCategory[];
  readonly isNew: boolean;
}

export interface FormCategory {
  /** As the browser sends it. */
  readonly id: string;
  readonly title: string;
  /** What is said here; empty: nothing. */
  readonly action: string;
  /** What holds where nothing is said here, in the policy in force; null: a level decides. */
  readonly inForce: string | null;
}

const choices = (values: readonly string[]): NonNullable<FormField['options']> =>
  values.map((value) => ({ value, text: value }));
const SITES =
  'One a line, such as example.org, with everything under it; or a range of addresses, such as 203.0.113.0/24.';
const ALLOW: FormField = { id: 'allow', label: 'Always allowed', hint: SITES, path: ['allow'], kind: 'lines' };
const BLOCK: FormField = { id: 'block', label: 'Always blocked', hint: SITES, path: ['block'], kind: 'lines' };

const FIELDS: Readonly<Record<FormPart['kind'], readonly FormField[]>> = {
  level: [
    { id: 'title', label: 'Name', path: ['title'], kind: 'text' },
    {
      id: 'uncategorised',
      label: 'Sites on no list',
      path: ['uncategorised'],
      kind: 'choice',
      options: choices(ACTIONS),
    },
    ALLOW,
    BLOCK,
    { id: 'safeSearch', label: 'SafeSearch', path: ['safeSearch'], kind: 'choice', options: choices(['on', 'off']) },
    {
      id: 'youtube',
      label: 'Restricted YouTube',
      path: ['youtube'],
      kind: 'choice',
      options: choices(['strict', 'moderate', 'off']),
    },
    {
      id: 'hours',
      label: 'When the web may be used',
      hint: 'One a line, such as “school-days” or “mon tue wed 07:30-18:00” or “on holidays 09:00-20:00”. Nothing: as in the level it extends.',
      path: ['hours'],
      kind: 'times',
    },
  ],
  school: [
    { id: 'name', label: 'Name of the school', path: ['name'], kind: 'text' },
    { id: 'pupils', label: 'Whom refused pupils go to', path: ['contacts', 'pupils'], kind: 'text' },
    { id: 'staff', label: 'Whom refused staff go to', path: ['contacts', 'staff'], kind: 'text' },
    { id: 'never', label: 'Never for anybody', hint: SITES, path: ['never'], kind: 'lines' },
    {
      id: 'mode',
      label: 'Whoever is not known',
      path: ['identity', 'mode'],
      kind: 'choice',
      options: [
        { value: 'open', text: 'gets the strictest level' },
        { value: 'challenge', text: 'must sign in' },
      ],
    },
    { id: 'strictestLevel', label: 'The strictest level', path: ['identity', 'strictestLevel'], kind: 'text' },
    {
      id: 'schoolDayEnds',
      label: 'When the school day ends',
      hint: 'Such as 18:00',
      path: ['identity', 'schoolDayEnds'],
      kind: 'text',
    },
    {
      id: 'tighteningAlone',
      label: 'One person may publish what only closes something for pupils',
      path: ['changes', 'tighteningAlone'],
      kind: 'flag',
    },
  ],
  groups: [ALLOW, BLOCK],
  people: [
    { id: 'level', label: 'Level', path: ['level'], kind: 'text' },
    { id: 'groups', label: 'Groups', hint: 'One a line', path: ['groups'], kind: 'lines' },
    ALLOW,
    BLOCK,
  ],
};

/** What a form is about, from its address; null: there is no form for it, and the file is edited as it is. */
export function formPart(file: string, part: string): FormPart | null {
  if (file === 'school.yaml') return { file, kind: 'school', name: '' };
  if (file.startsWith('levels/')) return { file, kind: 'level', name: '' };
  const [, kind, name] = /^(groups|people):(.{1,300})$/.exec(part) ?? [];
  if (file !== 'rules.yaml' || kind === undefined) return null;
  return { file, kind: kind as 'groups' | 'people', name: name! };
}

/** The names of groups and people that `rules.yaml` speaks of; null: it has mistakes. */
export function namesInRules(
  files: PolicyTexts,
): { readonly groups: readonly string[]; readonly people: readonly string[] } | null {
  const read = readYaml(files['rules.yaml'] ?? '', 'rules.yaml', RulesSchema);
  if ('problems' in read) return null;
  const { groups = [], people = [] } = read.document.value;
  return { groups: groups.map(({ name }) => name), people: people.map(({ name }) => name) };
}

/** The form with what the draft says; or why the document can only be edited as it is. */
export function policyForm(
  files: PolicyTexts,
  part: FormPart,
  inForce: PolicySnapshot,
): { readonly form: PolicyForm } | { readonly problems: readonly Problem[] } {
  const found = findPart(files, part);
  if ('problems' in found) return found;
  const { value, index } = found;
  const values = FIELDS[part.kind].map((field) => [field.id, fieldText(field, value)] as const);
  return {
    form: {
      part,
      title: titleOf(part, value),
      fields: FIELDS[part.kind],
      values: Object.fromEntries(values),
      categories: categoriesOf(part, value, inForce),
      isNew: part.name !== '' && index === null,
    },
  };
}

/** The files with what was typed in place of what it differs from; null: the document has mistakes, and is edited as it is. */
export function filledIn(
  files: PolicyTexts,
  { part, fields, values, categories, isNew }: PolicyForm,
  typed: Readonly<Record<string, string>>,
): PolicyTexts | null {
  const at = pathOf(files, part);
  if (at === null) return null;
  const edits: YamlEdit[] = isNew ? [{ path: at, value: { name: part.name } }] : [];
  for (const field of fields) {
    const text = plain(typed[field.id] ?? '');
    if (text !== values[field.id]) edits.push({ path: [...at, ...field.path], value: fieldValue(field, text) });
  }
  const said = categories.filter(({ action }) => action !== '').length;
  const chosen = categories.map(({ id, action }) => ({ id, action, now: typed[id] ?? action }));
  for (const { id, action, now } of chosen) {
    if (now !== action) edits.push({ path: [...at, 'categories', id.slice(CATEGORY.length)], value: now || undefined });
  }
  if (said > 0 && chosen.every(({ now }) => now === '')) edits.push({ path: [...at, 'categories'], value: undefined });
  const text = editYaml(files[part.file] ?? '', edits);
  return text === null ? null : withFile(files, part.file, text);
}

/** The files without a group or person. */
export function withoutPart(files: PolicyTexts, part: FormPart): PolicyTexts | null {
  const path = pathOf(files, part);
  const text = path === null ? null : editYaml(files[part.file] ?? '', [{ path, value: undefined }]);
  return text === null ? null : withFile(files, part.file, text);
}

type Found = { readonly value: Readonly<Record<string, unknown>>; readonly index: number | null };

function findPart(files: PolicyTexts, { file, kind, name }: FormPart): Found | { problems: readonly Problem[] } {
  const text = files[file] ?? '';
  if (kind === 'level' || kind === 'school') {
    const read = kind === 'level' ? readYaml(text, file, LevelSchema) : readYaml(text, file, SchoolSchema);
    return 'problems' in read ? read : { value: read.document.value, index: null };
  }
  const read = readYaml(text, file, RulesSchema);
  if ('problems' in read) return read;
  const all: readonly { readonly name: string }[] = read.document.value[kind] ?? [];
  const index = all.findIndex((one) => one.name === name);
  return { value: { ...all[index] }, index: index < 0 ? null : index };
}

/** Where the part stands, or would stand; null: the document has mistakes. */
function pathOf(files: PolicyTexts, part: FormPart): DocumentPath | null {
  const found = findPart(files, part);
  if ('problems' in found) return null;
  if (part.kind === 'level' || part.kind === 'school') return [];
  return [part.kind, found.index ?? namesInRules(files)![part.kind].length];
}

const CATEGORY = 'category.';

function categoriesOf(
  { file, kind }: FormPart,
  value: Readonly<Record<string, unknown>>,
  { categories, levels }: PolicySnapshot,
): FormCategory[] {
  if (kind !== 'level' && kind !== 'groups') return [];
  const said = (value['categories'] ?? {}) as Readonly<Record<string, string>>;
  const level = kind === 'level' ? levels[file.slice('levels/'.length, -'.yaml'.length)] : undefined;
  return Object.entries(categories)
    .filter(([, { locked }]) => !locked)
    .map(([id, { title }]) => {
      const inForce = kind === 'level' ? (level?.categories[id]?.action ?? 'block') : null;
      return { id: `${CATEGORY}${id}`, title, action: said[id] ?? '', inForce };
    });
}

function titleOf({ file, kind, name }: FormPart, value: Readonly<Record<string, unknown>>): string {
  if (kind === 'school') return 'The whole school';
  if (kind === 'level') return typeof value['title'] === 'string' ? value['title'] : file;
  return `${kind === 'groups' ? 'Group' : 'Person'} ${name}`;
}

function fieldText({ path, kind }: FormField, value: Readonly<Record<string, unknown>>): string {
  let found: unknown = value;
  for (const step of path) found = (found as Readonly<Record<string, unknown>> | undefined)?.[step];
  if (found === undefined) return '';
  if (kind === 'times') return timeLines(found as Parameters<typeof timeLines>[0]).join('\n');
  if (kind === 'flag') return found === true ? 'yes' : '';
  return Array.isArray(found) ? found.join('\n') : (found as string);
}

/** Nothing typed takes the setting away. */
function fieldValue({ kind }: FormField, text: string): unknown {
  if (text === '') return undefined;
  if (kind === 'flag') return text === 'yes' ? true : undefined;
  if (kind === 'times') return readTimeLines(text.split('\n'));
  return kind === 'lines' ? linesOf(text) : text;
}

function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== ''))];
}

/** As browsers send it: lines end in CR LF. */
function plain(text: string): string {
  return text.replaceAll('\r\n', '\n').trim();
}
