import type { Who } from '../identity/who.ts';
import type { Asked } from './asked.ts';
import { type RuleOf, judgeCategories } from './judge-categories.ts';
import type { PreparedGrant } from './prepare.ts';

/**
 * The unblock in force that opens a host for somebody, or null. One that names the host opens it and all under it. One that
 * names categories opens a site only if what the site is besides would not be refused: opening games does not open a
 * gambling site that is also listed as a game. `ruleOf`: what holds for a category without any unblock; `isEnough`: which
 * unblocks count.
 */
export function unblockFor(
  asked: Asked,
  ruleOf: RuleOf,
  isEnough: (grant: PreparedGrant) => boolean,
): PreparedGrant | null {
  const { policy, live, host, match } = asked;
  const inForce = (one: PreparedGrant): boolean => isInForce(one, asked) && isEnough(one);
  const byHost = live.byHost.has(host) ? live.byHost.find(host).find(inForce) : undefined;
  if (byHost !== undefined) return byHost;
  const byCategory = live.byCategory.filter(
    (one) => match.categories.some((category) => one.categories.has(category)) && inForce(one),
  );
  if (byCategory.length === 0) return null;
  const rest = match.categories.filter((category) => !byCategory.some((one) => one.categories.has(category)));
  const others = judgeCategories(rest, ruleOf, policy.traits);
  const isOpen = rest.length === 0 || (others !== null && (others.action === 'allow' || others.action === 'monitor'));
  return isOpen ? byCategory[0]! : null;
}

/** Whether an unblock that names this person, and that the DSL approved, is enough to pass the person's own block. */
export function passesPersonBlock(one: PreparedGrant, user: string | null): boolean {
  return one.grant.passesPersonBlock && user !== null && one.people.has(user);
}

function isInForce(one: PreparedGrant, { policy, who, now }: Asked): boolean {
  const { from, until, during } = one.grant;
  if (now < from || now >= until || !isMeant(one, who)) return false;
  // A slot that the calendar has no more is never: what nobody can date is not in force.
  return during === undefined || during.includes(policy.slotAt(now) ?? '');
}

function isMeant(one: PreparedGrant, who: Who): boolean {
  return (
    one.levels.has(who.level) ||
    (who.user !== null && one.people.has(who.user)) ||
    who.groups.some((group) => one.groups.has(group)) ||
    one.ranges.has(who.client)
  );
}
