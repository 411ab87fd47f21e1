// a concern about pupils: the first route that fits ── tell ── escalate ──► people, without its subjects
// about staff, or reported at the front desk: no route; first the one who hears of them, then whoever is next
import { hearersOf, isSubject } from '../identity/conflict-of-interest.ts';
import type { Person } from '../identity/accounts.ts';
import type { Role } from '../identity/roles.ts';
import { canonicalUser } from '../identity/user-name.ts';
import { type AlertRoute, type AlertRules, type Listener, mailboxOf } from '../policy/alert-rules.ts';
import { type Moment, windowAt } from '../policy/schedule.ts';
import type { AlertDue } from './model.ts';

/** Who is told of an alert, in which order. */
export interface Routing {
  /** What it was decided by, such as `alerts.yaml#routes.Nights`. */
  readonly rule: string;
  /** Groups of people, each told when nobody before has taken notice; nobody stands in two, and none is empty. */
  readonly steps: readonly (readonly Person[])[];
  readonly afterMinutes: number;
  /** Names of webhooks. */
  readonly webhooks: readonly string[];
  /** The school wants nobody told: it waits on the page. */
  readonly isQuiet: boolean;
}

/** What a routing is decided by, as things stand now. */
export interface Surroundings {
  readonly rules: AlertRules;
  readonly people: readonly Person[];
  readonly moment: Moment;
}

const AFTER_MINUTES = 30;
const NO_ROUTE: Routing = { rule: 'no route fits', steps: [], afterMinutes: 0, webhooks: [], isQuiet: true };

/** Decides whom an alert goes to. Whoever it is about is never among them, nor anybody who reads the same mailbox. */
export function routeAlert(due: AlertDue, around: Surroundings): Routing {
  const { rules, people, moment } = around;
  const route = rules.routes.find((one) => fits(one, due, moment));
  if (due.subjects.isStaff || due.why === 'reported') {
    const afterMinutes = route?.escalate?.afterMinutes ?? AFTER_MINUTES;
    const steps = withoutMailboxOf(due, around, hearersOf(due.subjects, people));
    // A webhook leads to a system that others than these may read.
    const rule = due.subjects.isStaff ? 'about staff' : 'reported';
    return { rule, steps, afterMinutes, webhooks: [], isQuiet: false };
  }
  if (route === undefined) return NO_ROUTE;
  const groups = [route.tell, ...(route.escalate?.to ?? [])];
  const isQuiet = groups.every((group) => group.length === 0) && route.webhooks.length === 0;
  const named = groups.map((group) => peopleOf(group, around).filter((person) => !isSubject(due.subjects, person.id)));
  const steps = withoutMailboxOf(due, around, named);
  const afterMinutes = route.escalate?.afterMinutes ?? AFTER_MINUTES;
  const wantsPeople = groups.some((group) => group.length > 0);
  // Nobody holds what the route names, or all who do are its subject: it must not fall silent.
  const heard =
    steps.length === 0 && wantsPeople ? withoutMailboxOf(due, around, hearersOf(due.subjects, people)) : steps;
  return { rule: route.rule, steps: heard, afterMinutes, webhooks: route.webhooks, isQuiet };
}

function fits({ themes, severities, groups, when }: AlertRoute, due: AlertDue, moment: Moment): boolean {
  return (
    (themes === undefined || (due.theme !== null && themes.includes(due.theme))) &&
    (severities === undefined || severities.includes(due.severity)) &&
    (groups === undefined || [due.level, ...due.groups].some((group) => group !== null && groups.includes(group))) &&
    (when === undefined || windowAt(when, moment) !== undefined)
  );
}

/** People whom listeners stand for now, each once. */
export function peopleOf(listeners: readonly Listener[], { rules, people, moment }: Surroundings): readonly Person[] {
  const { date } = moment.today;
  const onCall = new Set(rules.onCall.filter(({ from, to }) => from <= date && date <= to).map(({ user }) => user));
  const isMeant = (person: Person, listener: Listener): boolean => {
    if ('role' in listener) return person.roles.includes(listener.role as Role);
    const user = canonicalUser(person.userName);
    return user !== null && ('user' in listener ? user === listener.user : onCall.has(user));
  };
  // A role that was taken away takes what it was told with it.
  return people.filter((person) => person.roles.length > 0 && listeners.some((listener) => isMeant(person, listener)));
}

/** Groups without those who share a subject's mailbox, without repeats, and none of them empty. */
function withoutMailboxOf(
  { subjects }: AlertDue,
  { rules, people }: Surroundings,
  groups: readonly (readonly Person[])[],
): (readonly Person[])[] {
  const own = people.filter(({ id }) => isSubject(subjects, id));
  const boxes = new Set(own.flatMap((person) => mailboxOf(person.userName, rules)?.toLowerCase() ?? []));
  const told = new Set<string>();
  return groups
    .map((group) =>
      group.filter((person) => {
        const box = mailboxOf(person.userName, rules)?.toLowerCase();
        if (told.has(person.id) || (box !== undefined && boxes.has(box))) return false;
        told.add(person.id);
        return true;
      }),
    )
    .filter((group) => group.length > 0);
}
