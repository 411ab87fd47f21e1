import { findPerson } from '../identity/directory/service.ts';
import { canonicalUser } from '../identity/user-name.ts';
import { type Investigations, type InvestigationsOptions, createInvestigations } from '../history/service.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';

/** Looking into the access history, with the people on record and what the policy calls background. */
export function createConsoleInvestigations(
  base: Pick<InvestigationsOptions, 'record' | 'audit' | 'folder'> & { readonly policy: () => PolicySnapshot | null },
): Investigations {
  return createInvestigations({
    ...base,
    canonicalUser,
    findPerson,
    background: () => base.policy()?.safeguarding?.background ?? [],
  });
}
