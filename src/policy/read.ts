import { readYaml } from '../config/yaml-document.ts';
import type { YamlDocument } from '../config/yaml-document.ts';
import type { Problem } from '../kernel/errors.ts';
import type { Static, TSchema } from 'typebox';
import {
  type AgreementDocument,
  AgreementSchema,
  AlertsSchema,
  type LevelDocument,
  LevelSchema,
  type PolicyDocuments,
  RulesSchema,
  SchoolSchema,
  type TopicDocument,
  TopicSchema,
} from './document.ts';
import { SafeguardingSchema } from './safeguarding-document.ts';

const NAMED_FILE = /^(levels|agreements|topics)\/([a-z0-9][a-z0-9-]{0,63})\.yaml$/;

const ONLY_ONCE = new Set(['school.yaml', 'rules.yaml', 'safeguarding.yaml', 'alerts.yaml']);

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
  const safeguarding = read('safeguarding.yaml', SafeguardingSchema);
  const alerts = read('alerts.yaml', AlertsSchema);
  const levels = new Map<string, YamlDocument<LevelDocument>>();
  const agreements = new Map<string, YamlDocument<AgreementDocument>>();
  const topics = new Map<string, YamlDocument<TopicDocument>>();
  for (const file of [...files.keys()].sort()) {
    const [, folder, id] = NAMED_FILE.exec(file) ?? [];
    const level = folder === 'levels' ? read(file, LevelSchema) : null;
    const agreement = folder === 'agreements' ? read(file, AgreementSchema) : null;
    const topic = folder === 'topics' ? read(file, TopicSchema) : null;
    if (level !== null) levels.set(id!, level);
    if (agreement !== null) agreements.set(id!, agreement);
    if (topic !== null) topics.set(id!, topic);
    if (id === undefined && !ONLY_ONCE.has(file)) problems.push(unread(file));
  }
  if (school === null || problems.length > 0) return { problems };
  return { documents: { school, levels, agreements, topics, rules, safeguarding, alerts } };
}

function unread(file: string): Problem {
  const reason = /^(?:levels|agreements|topics)\//.test(file)
    ? 'is not read: a level’s, age band’s or topic’s file is named after it in lower-case letters, digits and dashes, such as levels/ks2.yaml'
    : 'is not read: the policy is school.yaml, rules.yaml, safeguarding.yaml, alerts.yaml, levels/*.yaml, agreements/*.yaml and topics/*.yaml; rename or remove it';
  return { file, reason };
}
