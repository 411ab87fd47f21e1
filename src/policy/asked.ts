import type { CategoryMatch } from '../categories/match.ts';
import type { Who } from '../identity/who.ts';
import type {
  CategoryOutcome,
  PreparedGroup,
  PreparedLevel,
  PreparedLive,
  PreparedPerson,
  PreparedPolicy,
} from './prepare.ts';
import type { Decision } from './verdict.ts';

/** A request on its way through the steps of the precedence, with what they need of it. */
export interface Asked {
  readonly policy: PreparedPolicy;
  readonly live: PreparedLive;
  /** Canonical. */
  readonly host: string;
  /** Canonical path and query; null where it cannot be seen. */
  readonly path: string | null;
  /** Where the host leads, as far as it is known. */
  readonly addresses: readonly string[];
  readonly who: Who;
  readonly match: CategoryMatch;
  /** The instant of the decision, ms since the epoch. */
  readonly now: number;
  readonly level: PreparedLevel;
  readonly outcome: CategoryOutcome;
  readonly person: PreparedPerson | undefined;
  readonly groups: readonly PreparedGroup[];
}

/** One step of the precedence: a decision, or null when it has nothing to say. */
export type StepRule = (asked: Asked) => Decision | null;
