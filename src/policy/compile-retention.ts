import type { YamlDocument } from '../config/yaml-document.ts';
import { type Reporting, report } from './compile-entries.ts';
import type { SchoolDocument } from './document.ts';
import { ALL_KEPT, KEPT } from './retention-rules.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** Compiles `retention`; what is left out is left out, so that the same files keep their hash. */
export function compileRetention(
  to: Reporting,
  document: YamlDocument<SchoolDocument>,
): Pick<PolicySnapshot, 'retention'> {
  const { retention } = document.value;
  if (retention === undefined) return {};
  for (const kept of ALL_KEPT) {
    const days = retention[kept];
    const { least, most, why } = KEPT[kept];
    if (days === undefined || (days >= least && days <= most)) continue;
    report(to, document, ['retention', kept], `"retention.${kept}" is from ${least} to ${most} days: ${why}`);
  }
  return { retention };
}
