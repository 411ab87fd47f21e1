import { withoutParameters } from '../kernel/url.ts';
import type { Asked, StepRule } from './asked.ts';
import { type CategoryRule, judgeCategories, severer } from './judge-categories.ts';
import { decision, judged } from './level-outcome.ts';
import { lessonsInForce } from './lesson-lists.ts';
import type { PreparedGroup } from './prepare.ts';
import { passesPersonBlock, unblockFor } from './unblocks.ts';
import type { Decision, Reason, Step } from './verdict.ts';
import { type WrittenRule, winningRule } from './written.ts';

/** What refuses somebody who signed in with the password of a log-in card: they are known, and have yet to choose their own. */
export const TEMPORARY_PASSWORD = 'people#temporary-password';

export const illegal: StepRule = ({ outcome }) => outcome.illegal;

export const never: StepRule = (asked) => {
  const written = winningRule([asked.policy.never], asked);
  return written === null ? null : decision('block', 'never', 'never', { rule: written.entry.rule, flagged: true });
};

export const stillNeeded: StepRule = ({ who, outcome }) => {
  if (who.needs === 'nothing' || outcome.knownGood) return null;
  // Not flagged: the same request comes again once the person may go on, and is judged then.
  if (who.needs === 'agreement') return decision('block', 'agreement', 'person-block');
  return decision('block', 'identity', 'person-block', {
    rule: who.needs === 'password' ? TEMPORARY_PASSWORD : null,
  });
};

export const suspension: StepRule = (asked) => {
  const { user } = asked.who;
  const inForce = [asked.person?.suspended, user === null ? null : asked.live.suspended.get(user)].find(
    (one) => one !== null && one !== undefined && (one.until === null || asked.now < one.until),
  );
  return inForce ? refuse(asked, 'person', 'person-block', inForce.rule) : null;
};

export const personClosed: StepRule = (asked) => {
  const rule = asked.person?.closed ?? null;
  return rule === null ? null : refuse(asked, 'schedule', 'person-block', rule);
};

export const personBlock: StepRule = (asked) => {
  if (asked.person === undefined) return null;
  const written = winningRule([asked.person.written], asked, 'block');
  if (written === null) return null;
  const passing = unblockFor(asked, categoryRule(asked), (grant) => passesPersonBlock(grant, asked.who.user));
  return passing === null ? refuse(asked, 'person', 'person-block', written.entry.rule) : null;
};

export const lesson: StepRule = (asked) => {
  const { policy, live, who, now } = asked;
  const inForce = lessonsInForce(policy, live, who, now);
  const isListed = inForce.some(({ sites }) => winningRule([sites], asked) !== null);
  return inForce.length === 0 || isListed ? null : refuse(asked, 'lesson', 'lesson', inForce[0]!.lesson.rule);
};

export const unblock: StepRule = (asked) => {
  const found = unblockFor(asked, categoryRule(asked), () => true);
  return found === null ? null : decision('allow', 'unblock', 'unblock', { rule: `unblock:${found.grant.id}` });
};

export const personAllow: StepRule = (asked) => {
  const { person } = asked;
  const written = person === undefined ? null : winningRule([person.written], asked, 'allow');
  return written === null ? null : decision('allow', 'person', 'person-allow', { rule: written.entry.rule });
};

export const groupClosed: StepRule = (asked) => {
  const rule = asked.groups.find(({ closed }) => closed !== null)?.closed ?? null;
  return rule === null ? null : refuse(asked, 'schedule', 'group', rule);
};

export const group: StepRule = (asked) => {
  const tables = asked.groups.map((one) => one.written);
  const written = winningRule(tables, asked);
  if (written !== null) return byEntry(asked, written, 'group', 'group');
  // A group speaks where the category that decides is one it names; what else the site is, the level still judges.
  const winner = judgeCategories(asked.match.categories, categoryRule(asked), asked.policy.traits);
  if (winner === null || groupRule(asked.groups, winner.category) === undefined) return null;
  return judged(asked.policy, winner, 'group', 'group');
};

export const levelClosed: StepRule = (asked) => {
  const { closed } = asked.level;
  return closed === null ? null : refuse(asked, 'schedule', 'level', closed);
};

export const levelWritten: StepRule = (asked) => {
  const written = winningRule([asked.level.written], asked);
  if (written !== null) return byEntry(asked, written, written.allows ? 'allow-list' : 'block-list', 'level');
  const { downloads } = asked.level.level;
  if (downloads === null || asked.path === null) return null;
  const file = withoutParameters(asked.path).replace(/\?.*$/, '').toLowerCase();
  const isRefused = downloads.extensions.some((extension) => file.endsWith(extension));
  return isRefused ? refuse(asked, 'block-list', 'level', downloads.rule) : null;
};

export const levelCategories: StepRule = ({ outcome }) => outcome.decision;

function byEntry(asked: Asked, written: WrittenRule, reason: Reason, step: Step): Decision {
  const { rule } = written.entry;
  return written.allows ? decision('allow', reason, step, { rule }) : refuse(asked, reason, step, rule);
}

/** A refusal by something else than a category is still flagged where the level refuses what the site is. */
function refuse({ outcome }: Asked, reason: Reason, step: Step, rule: string): Decision {
  const flagged = outcome.decision.verdict === 'block' && outcome.decision.flagged;
  return decision('block', reason, step, { rule, flagged });
}

/** What is said of a category: by the person's groups, else by the level. */
function categoryRule({ groups, level }: Asked): (category: string) => CategoryRule | undefined {
  return (category) => groupRule(groups, category) ?? own(level.level.categories, category);
}

function groupRule(groups: readonly PreparedGroup[], category: string): CategoryRule | undefined {
  return groups
    .map((one) => own(one.categories, category))
    .reduce((worst, rule) => (rule === undefined ? worst : severer(worst, rule)), undefined);
}

function own(rules: Readonly<Record<string, CategoryRule>>, category: string): CategoryRule | undefined {
  return Object.hasOwn(rules, category) ? rules[category] : undefined;
}
