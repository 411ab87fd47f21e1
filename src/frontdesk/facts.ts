import type { IllegalWording, PolicySnapshot } from '../policy/snapshot.ts';
import type { Voice } from '../gateway/words/words.ts';

/** What the front desk tells of the policy in force: nothing that a pupil may not know. */
export interface DeskFacts {
  readonly school: string;
  /** IANA zone. */
  readonly timeZone: string;
  /** Minutes after local midnight; undefined: as the policy room has it. */
  readonly schoolDayEnds: number | undefined;
  readonly contacts: { readonly pupils: string; readonly staff: string };
  /** Where staff ask for sites themselves, without a slash at its end; null: the school has not written the console's address. */
  readonly consoleUrl: string | null;
  /** How to speak to somebody of this level; the unknown are spoken to as children. */
  voiceOf(level: string): Voice;
  titleOf(category: string): string;
  /** What the school says of illegal material in place of our words. */
  readonly illegal: IllegalWording;
}

export function deskFacts(policy: PolicySnapshot): DeskFacts {
  return {
    school: policy.school,
    timeZone: policy.timeZone,
    schoolDayEnds: policy.identity.schoolDayEnds,
    contacts: policy.contacts,
    consoleUrl: policy.alerts?.console ?? null,
    voiceOf: (level) => policy.levels[level]?.voice ?? 'child',
    titleOf: (category) => policy.categories[category]?.title ?? category,
    illegal: policy.illegal ?? {},
  };
}

/** Before the first policy has reached this gateway; it refuses everything until then. */
export const NO_POLICY_YET: DeskFacts = {
  school: 'Your school',
  timeZone: 'Europe/London',
  schoolDayEnds: undefined,
  contacts: { pupils: 'your teacher', staff: 'the network manager' },
  consoleUrl: null,
  voiceOf: () => 'child',
  titleOf: (category) => category,
  illegal: {},
};
