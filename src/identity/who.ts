import type { IdentifiedBy } from '../kernel/identified.ts';

/** Who is asking, as far as it is known. */
export interface Who {
  readonly user: string | null;
  readonly identified: IdentifiedBy;
  /** `class`: an account that a class shares, which names nobody. */
  readonly account?: 'class';
  readonly level: string;
  readonly groups: readonly string[];
  /** Canonical client address. */
  readonly client: string;
  /**
   * `sign-in`: nobody may go further without one (identity.mode challenge). `password`: known by the password of a log-in card,
   * which its owner must change first. `agreement`: known, but has not accepted it.
   */
  readonly needs: 'nothing' | 'sign-in' | 'password' | 'agreement';
}
