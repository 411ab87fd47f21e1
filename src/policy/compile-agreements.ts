import { createHash } from 'node:crypto';
import type { YamlDocument } from '../config/yaml-document.ts';
import type { Agreement } from '../identity/agreements/agreement.ts';
import { canonicalJson } from './canonical-json.ts';
import { type Reporting, report } from './compile-entries.ts';
import { unknownLevel } from './compile-rules.ts';
import type { AgreementDocument, PolicyDocuments } from './document.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** Levels whose parents agree, and the first day of the school year, where a school says nothing. */
const PARENTS_OF: readonly string[] = ['ks1'];
const YEAR_BEGINS = '09-01';

/** Compiles `agreements/`. A school without such files asks nobody; what is left out is left out, so that the same files keep their hash. */
export function compileAgreements(
  to: Reporting,
  { school, agreements }: PolicyDocuments,
  levelIds: ReadonlySet<string>,
): Pick<PolicySnapshot, 'agreements'> {
  const { parentConsent = PARENTS_OF, yearBegins = YEAR_BEGINS } = school.value.agreements ?? {};
  for (const [i, level] of (school.value.agreements?.parentConsent ?? []).entries()) {
    if (!levelIds.has(level)) report(to, school, ['agreements', 'parentConsent', i], unknownLevel(level));
  }
  // 29 February is not a day of every year.
  if (!/^(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])$/.test(yearBegins)) {
    report(to, school, ['agreements', 'yearBegins'], `"${yearBegins}" is not a day of the year; write it as "09-01"`);
  }
  const levels: Record<string, Agreement> = {};
  for (const [band, document] of agreements) {
    for (const [i, level] of document.value.levels.entries()) {
      const other = levels[level]?.band;
      const fault = !levelIds.has(level)
        ? unknownLevel(level)
        : other === undefined
          ? null
          : `"${level}" has an agreement already, in agreements/${other}.yaml; a level has one`;
      if (fault !== null) report(to, document, ['levels', i], fault);
      else levels[level] = agreementOf(band, document, parentConsent.includes(level) ? 'parent' : 'person');
    }
  }
  return agreements.size === 0 ? {} : { agreements: { yearBegins, levels } };
}

function agreementOf(band: string, { value }: YamlDocument<AgreementDocument>, by: Agreement['by']): Agreement {
  const { title, text } = value;
  const version = createHash('sha256').update(canonicalJson({ band, by, text, title })).digest('hex').slice(0, 16);
  return { version, band, title, text, by };
}
