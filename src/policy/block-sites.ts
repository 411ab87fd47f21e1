import { editYaml, readYaml } from '../config/yaml-document.ts';
import { LevelSchema, SchoolSchema } from './document.ts';
import { type PolicyTexts, withFile } from './texts.ts';

/** Where sites can be blocked: a level with those that extend it, or the whole school. */
export interface BlockPlace {
  /** The file that says it; `school.yaml`: never for anybody. */
  readonly file: string;
  readonly title: string;
  /** Titles of the levels that extend it. */
  readonly also: readonly string[];
  /** Blocked here and in the other such places, it is blocked for every pupil. */
  readonly isPupilsRoot: boolean;
}

const SCHOOL = 'school.yaml';

interface LevelFile {
  readonly name: string;
  readonly file: string;
  readonly title: string;
  readonly base: string | null;
}

export function blockPlaces(files: PolicyTexts, isForPupils: (level: string) => boolean): BlockPlace[] {
  const levels = Object.keys(files).flatMap((file) => levelOf(files, file) ?? []);
  const places = levels.map(({ name, file, title, base }) => ({
    file,
    title,
    also: levels.filter((one) => extendsLevel(levels, one, name)).map((one) => one.title),
    isPupilsRoot: isForPupils(name) && (base === null || !isForPupils(base)),
  }));
  return [...places, { file: SCHOOL, title: 'Nobody at all, staff included', also: [], isPupilsRoot: false }];
}

function levelOf(files: PolicyTexts, file: string): LevelFile | null {
  const [, name] = /^levels\/(.+)\.yaml$/.exec(file) ?? [];
  if (name === undefined) return null;
  const read = readYaml(files[file]!, file, LevelSchema);
  if ('problems' in read) return null;
  const { title, extends: base = null } = read.document.value;
  return { name, file, title, base };
}

function extendsLevel(levels: readonly LevelFile[], { base }: LevelFile, name: string): boolean {
  // Levels in force extend each other in no circle.
  if (base === null || base === name) return base === name;
  const parent = levels.find((one) => one.name === base);
  return parent !== undefined && extendsLevel(levels, parent, name);
}

/** The files with hosts blocked in places, each once; null: one of these files is not there or has mistakes. */
export function withBlocked(
  files: PolicyTexts,
  hosts: readonly string[],
  places: readonly string[],
): PolicyTexts | null {
  let texts: PolicyTexts | null = files;
  for (const file of places) texts = texts && blockedIn(texts, hosts, file);
  return texts;
}

function blockedIn(files: PolicyTexts, hosts: readonly string[], file: string): PolicyTexts | null {
  const text = files[file];
  const there = text === undefined ? null : listIn(text, file);
  if (there === null) return null;
  const missing = hosts.filter((host) => !there.includes(host));
  if (missing.length === 0) return files;
  const edited = editYaml(text!, [{ path: [file === SCHOOL ? 'never' : 'block'], value: [...there, ...missing] }]);
  return edited === null ? null : withFile(files, file, edited);
}

function listIn(text: string, file: string): readonly string[] | null {
  if (file === SCHOOL) {
    const read = readYaml(text, file, SchoolSchema);
    return 'problems' in read ? null : (read.document.value.never ?? []);
  }
  const read = readYaml(text, file, LevelSchema);
  return 'problems' in read ? null : (read.document.value.block ?? []);
}
