import type { Actor } from '../audit/entry.ts';
import { loadCatalogue } from '../categories/catalogue.ts';
import { enforcedLists, removeIllegal } from '../categories/remove-illegal.ts';
import type { DataLayout } from '../config/data-layout.ts';
import type { IllegalHitRecord } from '../events/access-record.ts';
import type { NamedPerson } from '../evidence/model.ts';
import { type Evidence, type EvidenceOptions, type HolderInput, createEvidence } from '../evidence/service.ts';
import { type Accounts, findPersonId } from '../identity/service.ts';
import type { Sessions } from '../identity/session-service.ts';
import { canonicalUser } from '../identity/user-name.ts';
import { InvalidInputError, SchoolgateError } from '../kernel/errors.ts';
import { mayNow } from '../identity/staff/service.ts';
import { findIllegalHit, illegalHits } from '../safeguarding/service.ts';
import { hitsSeenBy } from './concern-alerts.ts';

export interface ConsoleEvidenceOptions extends Pick<EvidenceOptions, 'record' | 'audit' | 'publishing' | 'clock'> {
  readonly layout: DataLayout;
  readonly listsDir: string;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly rebuild: () => Promise<readonly string[]>;
}

/** The acts of two people, with what they stand on in other rooms. */
export function createConsoleEvidence(options: ConsoleEvidenceOptions): Evidence {
  const { layout, listsDir, accounts, sessions, rebuild, clock } = options;
  return createEvidence({
    ...options,
    identify: (holder, actor) => identify(sessions, holder, actor),
    userNameOf: (tx, personId) => accounts.userNameOf(tx, personId),
    mayHold: (tx, personId) => mayNow(tx, personId, 'evidence.open', clock()),
    mayAgreeToRemoval: (tx, personId) => mayNow(tx, personId, 'lists.agree-removal', clock()),
    hits: (tx, personId, limit) =>
      illegalHits(tx, MOST_HITS)
        .filter(hitsSeenBy(tx, personId, clock()))
        .slice(0, limit)
        .map(shown),
    sealedOf: (tx, id, personId) => {
      const hit = findIllegalHit(tx, id);
      return hit === null || !hitsSeenBy(tx, personId, clock())(hit) ? undefined : (hit.sealed ?? null);
    },
    isAbout: (tx, id, personId) => {
      const user = findIllegalHit(tx, id)?.user ?? null;
      return user !== null && findPersonId(tx, user) === personId;
    },
    enforcedLists: () => enforcedLists(layout),
    dropList: async (id) => {
      removeIllegal(layout, id, isNamed(listsDir, id));
      await rebuild();
    },
  });
}

/** Looked through for those that somebody may see. */
const MOST_HITS = 10_000;

/** A catalogue that cannot be read may still name it. */
function isNamed(listsDir: string, id: string): boolean {
  try {
    return loadCatalogue(listsDir).illegal.some((list) => list.id === id);
  } catch (error) {
    if (error instanceof InvalidInputError) return true;
    throw error;
  }
}

/**
 * By a sign-in that ends at once: held back after failures, and on record, as every other. Whoever asks has signed in just now, and a
 * code is good once: of them the password is enough.
 */
async function identify(sessions: Sessions, holder: HolderInput, actor: Actor): Promise<NamedPerson | null> {
  const { userName, password, code } = holder;
  const { personId: id, address } = actor;
  try {
    if (canonicalUser(userName.trim()) === canonicalUser(actor.userName)) {
      await sessions.prove(id, password, address);
      return { id, userName: actor.userName };
    }
    const { token } = await sessions.signIn({ userName, password, code, address });
    const signedIn = sessions.authenticate(token)!;
    sessions.signOut(signedIn, address);
    return signedIn.lacksFactor ? null : signedIn.person;
  } catch (error) {
    if (error instanceof SchoolgateError && error.fault === 'client') return null;
    throw error;
  }
}

function shown({
  id,
  at,
  user,
  client,
  lists,
  sealed,
}: IllegalHitRecord): ReturnType<Evidence['state']>['hits'][number] {
  return { id, at, user, client, lists, isSealed: sealed !== undefined };
}
