import { createHash } from 'node:crypto';
import type { YamlDocument } from '../config/yaml-document.ts';
import type { Problem } from '../kernel/errors.ts';
import { isTimeZone } from '../kernel/local-time.ts';
import { canonicalJson } from './canonical-json.ts';
import { compileChecks } from './compile-checks.ts';
import { compileAgreements } from './compile-agreements.ts';
import { compileAlerts } from './compile-alerts.ts';
import { compileCalendar, compilePlaces, timeWords } from './compile-calendar.ts';
import { type Compiling, type Reporting, compileEntries, report } from './compile-entries.ts';
import { compileLevels } from './compile-levels.ts';
import { compileNetwork, compileRanges, compileRosterLevels, compileSignIn } from './compile-network.ts';
import { compileReportTimes } from './compile-report-times.ts';
import { compileRetention } from './compile-retention.ts';
import { compileRules, unknownLevel } from './compile-rules.ts';
import { compileSafeguarding } from './compile-safeguarding.ts';
import { compileWording } from './compile-wording.ts';
import { compileTopics } from './topics.ts';
import type { PolicyDocuments, SchoolDocument } from './document.ts';
import type { CategoryTraits, PolicySnapshot } from './snapshot.ts';

/** A category as the catalogue describes it. */
export interface KnownCategory extends CategoryTraits {
  readonly id: string;
}

export type CompiledPolicy = { readonly snapshot: PolicySnapshot } | { readonly problems: readonly Problem[] };

/**
 * Compiles documents into the immutable snapshot that gateways run, or gives every problem with file and line. The same
 * documents and categories give the same hash.
 */
export function compilePolicy(documents: PolicyDocuments, categories: readonly KnownCategory[]): CompiledPolicy {
  const traits = new Map(categories.map(({ id, ...category }) => [id, traitsOf(category)]));
  const reporting: Reporting = { problems: [] };
  const school = documents.school.value;
  const levelIds = new Set(documents.levels.keys());
  checkSchool(reporting, documents.school, levelIds);
  const calendar = compileCalendar(reporting, documents.school);
  const to: Compiling = {
    ...reporting,
    categories: traits,
    times: timeWords(reporting, documents.school, calendar),
    places: compilePlaces(reporting, documents.school),
  };
  const never = compileEntries(to, documents.school, ['never'], school.never ?? [], `${documents.school.file}#never`);
  const body: Omit<PolicySnapshot, 'hash'> = {
    school: school.name,
    timeZone: school.timeZone,
    ...(calendar !== undefined && { calendar }),
    levels: compileLevels(to, documents.levels),
    strictestLevel: school.identity.strictestLevel,
    categories: Object.fromEntries(traits),
    never,
    ...compileRules(to, documents.rules, levelIds),
    identity: {
      mode: school.identity.mode,
      ranges: compileRanges(to, documents.school, levelIds),
      ...compileSignIn(to, documents.school, levelIds),
      levels: compileRosterLevels(to, documents.school, levelIds),
    },
    network: compileNetwork(to, documents.school),
    contacts: school.contacts,
    ...(school.changes?.tighteningAlone === true && { changes: { tighteningAlone: true } }),
    ...compileRetention(to, documents.school),
    ...compileChecks(to, documents.school, traits),
    ...compileReportTimes(to, documents.school),
    ...compileAgreements(reporting, documents, levelIds),
    ...compileWording(to, documents.school),
    ...compileTopics(to, documents.topics, levelIds, never),
    ...compileSafeguarding(to, documents.safeguarding, levelIds),
    ...compileAlerts(to, documents),
  };
  if (to.problems.length > 0) return { problems: to.problems };
  return { snapshot: { hash: createHash('sha256').update(canonicalJson(body)).digest('hex'), ...body } };
}

function traitsOf({ title, locked, flag, highRisk }: CategoryTraits): CategoryTraits {
  return { title, locked, flag, ...(highRisk === true && { highRisk }) };
}

function checkSchool(to: Reporting, document: YamlDocument<SchoolDocument>, levelIds: ReadonlySet<string>): void {
  const { timeZone, identity } = document.value;
  if (!isTimeZone(timeZone)) {
    report(to, document, ['timeZone'], `"${timeZone}" is not a time zone; write one such as Europe/London`);
  }
  if (!levelIds.has(identity.strictestLevel)) {
    report(to, document, ['identity', 'strictestLevel'], unknownLevel(identity.strictestLevel));
  }
}
