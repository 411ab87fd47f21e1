import type { CategoryMatch } from '../categories/match.ts';
import { isKnownGood, judgeCategories } from './judge-categories.ts';
import type { CategoryOutcome, PreparedLevel, PreparedPolicy } from './prepare.ts';
import type { Action, Decision, Reason, Step } from './verdict.ts';

/** The level's outcome for an answer of the index, remembered by the answer's identity. */
export function levelOutcome(policy: PreparedPolicy, level: PreparedLevel, match: CategoryMatch): CategoryOutcome {
  const known = level.outcomes.get(match);
  if (known !== undefined) return known;
  const locked = match.categories.find((category) => policy.traits.get(category)?.locked === true);
  const outcome: CategoryOutcome = {
    decision: categoryDecision(policy, level, match),
    illegal: locked === undefined ? null : illegal(locked),
    knownGood: isKnownGood(match.categories),
  };
  level.outcomes.set(match, outcome);
  return outcome;
}

/** The decision on listed illegal material: nobody's rule comes before it. */
export function illegal(category: string): Decision {
  return { ...decision('block', 'illegal', 'illegal', { category, flagged: true }), locked: true };
}

function categoryDecision(policy: PreparedPolicy, { level }: PreparedLevel, match: CategoryMatch): Decision {
  if (match.categories.length === 0) {
    const { action, rule } = level.uncategorised;
    return decision(action, 'uncategorised', 'level', { rule });
  }
  const ruleOf = (category: string): CompiledRule =>
    Object.hasOwn(level.categories, category) ? level.categories[category] : undefined;
  const winner = judgeCategories(match.categories, ruleOf, policy.traits);
  // A category that no document speaks of was listed by somebody as harmful or not at all known here: it stays shut.
  if (winner === null) {
    const category = match.categories[0]!;
    return decision('block', 'default', 'default', { category, flagged: isFlagged(policy, category) });
  }
  return judged(policy, winner, 'category', 'level');
}

type CompiledRule = { readonly action: Action; readonly rule: string } | undefined;

/** A decision that a category brought about. A refusal for a category that is worth an adult's eye is flagged. */
export function judged(
  policy: PreparedPolicy,
  winner: { readonly category: string; readonly action: Action; readonly rule: string },
  reason: Reason,
  step: Step,
): Decision {
  const { category, action, rule } = winner;
  const refused = action === 'block' || action === 'warn';
  return decision(action, reason, step, { category, rule, flagged: refused && isFlagged(policy, category) });
}

function isFlagged(policy: PreparedPolicy, category: string): boolean {
  return policy.traits.get(category)?.flag ?? true;
}

/** A decision from its action; `monitor` is always flagged, and a warning refuses until whoever reads it goes on (`passes.ts`). */
export function decision(
  action: Action,
  reason: Reason,
  step: Step,
  more: { readonly category?: string | null; readonly rule?: string | null; readonly flagged?: boolean } = {},
): Decision {
  return {
    verdict: action === 'allow' || action === 'monitor' ? 'allow' : 'block',
    action,
    reason,
    step,
    category: more.category ?? null,
    rule: more.rule ?? null,
    flagged: action === 'monitor' || (more.flagged ?? false),
    locked: false,
  };
}
