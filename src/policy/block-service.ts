import type { Actor } from '../audit/entry.ts';
import { InvalidFieldsError, wrongField } from '../kernel/errors.ts';
import type { ReadTx, Tx } from '../store/database.ts';
import { type BlockPlace, blockPlaces, withBlocked } from './block-sites.ts';
import { isForPupils } from './diff-people.ts';
import type { DraftState } from './draft.ts';
import type { Drafts } from './draft-service.ts';
import { findDraft } from './repository.ts';
import type { PolicyService } from './service.ts';
import { sameTexts } from './texts.ts';

/** Blocking sites by a change of the policy, as the use case of another room needs it. */
export interface SiteBlocking {
  /** Of the policy in force; empty before there is one. */
  places(): readonly BlockPlace[];
  /**
   * Before the transaction; what it gives proposes, in the transaction, a draft of this id that blocks hosts in places (by file). Throws an
   * InvalidFieldsError (`places`, `reason`), or a SchoolgateError (`no_policy`, `policy_invalid`).
   */
  propose(
    actor: Actor,
    id: string,
    hosts: readonly string[],
    places: readonly string[],
    reason: string,
  ): (tx: Tx) => void;
  /** What became of a draft; null: there is none. */
  stateOf(tx: ReadTx, id: string): DraftState | null;
}

export function createSiteBlocking(policy: PolicyService, drafts: Drafts): SiteBlocking {
  const places: SiteBlocking['places'] = () => {
    const published = policy.published();
    if (published === null || published.files === null) return [];
    return blockPlaces(published.files, (level) => isForPupils(published.snapshot, level));
  };
  return {
    places,
    propose(actor, id, hosts, chosen, reason) {
      if (chosen.length === 0) throw wrong('Say for whom it is to be blocked.');
      const known = new Set(places().map(({ file }) => file));
      const files = policy.published()?.files ?? {};
      const blocked = chosen.every((place) => known.has(place)) ? withBlocked(files, hosts, chosen) : null;
      if (blocked === null) throw wrong('Choose from the places that are shown.');
      if (sameTexts(blocked, files)) throw wrong('It is blocked there already.');
      return drafts.proposal(actor, id, blocked, reason);
    },
    stateOf: (tx, id) => findDraft(tx, id)?.state ?? null,
  };
}

function wrong(reason: string): InvalidFieldsError {
  return wrongField('places', reason);
}
