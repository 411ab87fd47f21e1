import { readYaml } from '../config/yaml-document.ts';
import type { YamlDocument } from '../config/yaml-document.ts';
import type { Problem } from '../kernel/errors.ts';
import type { Static, TSchema } from 'typebox';
import { type LevelDocument, LevelSchema, type PolicyDocuments, RulesSchema, SchoolSchema } from './document.ts';

const LEVEL_FILE = /^levels\/([a-z0-9][a-z0-9-]{0,63})\.yaml$/;

export type ReadPolicy = { readonly documents: PolicyDocuments } | { readonly problems: readonly Problem[] };

/**
 * The documents of a policy from the texts of its files, by path relative to the policy folder (`levels/ks2.yaml`), or every
 * problem of every file. A file that nothing reads is a problem too: a misnamed rule would otherwise be silently missing.
 */
export function readPolicy(files: ReadonlyMap<string, string>): ReadPolicy {
  const problems: Problem[] = [];
  const read = <S extends TSchema>(file: string, schema: S): YamlDocument<Static<S>> | null => {
    const text = files.get(file);
    if (text === undefined) return null;
    const result = readYaml(text, file, schema);
    if ('document' in result) return result.document;
    problems.push(...result.problems);
    return null;
  };
  if (!files.has('school.yaml')) problems.push({ file: 'school.yaml', reason: 'is missing; every school needs one' });
  const school = read('school.yaml', SchoolSchema);
  const rules = read('rules.yaml', RulesSchema);
  const levels = new Map<string, YamlDocument<LevelDocument>>();
  for (const file of [...files.keys()].sort()) {
    const id = LEVEL_FILE.exec(file)?.[1];
    const level = id === undefined ? null : read(file, LevelSchema);
    if (id !== undefined && level !== null) levels.set(id, level);
    if (id === undefined && file !== 'school.yaml' && file !== 'rules.yaml') problems.push(unread(file));
  }
  return school === null || problems.length > 0 ? { problems } : { documents: { school, levels, rules } };
}

function unread(file: string): Problem {
  const reason = file.startsWith('levels/')
    ? 'is not read: a level’s file is named after it in lower-case letters, digits and dashes, such as levels/ks2.yaml'
    : 'is not read: the policy is school.yaml, rules.yaml and levels/*.yaml; rename or remove it';
  return { file, reason };
}
