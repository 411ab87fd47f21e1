import type { CanaryFindings } from '../categories/canary-findings.ts';
import type { IndexManifest } from '../categories/current-index.ts';

export const NO_ILLEGAL_LIST = 'No illegal-content list is loaded.';

/** What may be said of lists of locked categories. */
export function illegalLines(illegal: IndexManifest['illegal'], canaries: CanaryFindings, now: number): string[] {
  if (illegal === undefined) return [NO_ILLEGAL_LIST];
  return illegal.lists.map(
    ({ id, enforced, pages, enforcedSince }) =>
      `${id}: enforced since ${enforcedSince}; page-level entries enforced: plain HTTP only ` +
      `(${pages === null ? 'how many is not known of hashes' : `${count(pages)} of ${count(enforced)}`}); ` +
      `${canaryText(canaries[id], now)}.`,
  );
}

function canaryText(found: CanaryFindings[string] | undefined, now: number): string {
  if (found === undefined) return 'canary not checked yet';
  const minutes = Math.max(0, Math.floor((now - Date.parse(found.checkedAt)) / 60_000));
  const age = `${count(minutes)} ${minutes === 1 ? 'minute' : 'minutes'} ago`;
  return found.refused ? `canary refused ${age}` : `CANARY NOT REFUSED ${age}`;
}

function count(value: number): string {
  return value.toLocaleString('en-GB');
}
