import type { Alerts } from '../alerts/service.ts';
import type { Lists } from '../categories/service.ts';
import type { DropFolder } from '../identity/directory/import-routes.ts';
import type { Permission } from '../identity/permissions.ts';
import type { SealedCredential } from '../identity/staff/sealed-credential-service.ts';
import type { Staff } from '../identity/staff/service.ts';
import type { Checks } from '../checks/service.ts';
import type { Incidents } from '../incidents/service.ts';
import type { Clock } from '../kernel/clock.ts';
import type { PolicyStatus } from '../policy/service.ts';
import type { Concerns } from '../safeguarding/concerns/service.ts';
import { type Unblock, mayMove, stateAt } from '../unblock/model.ts';
import type { Wishes } from '../unblock/wish-service.ts';

/** The rooms in which something may wait for people. */
export interface WaitingRooms {
  readonly concerns: Concerns;
  readonly alerts: Alerts;
  readonly incidents: Incidents;
  readonly checks: Checks;
  /** The newest that are looked through. */
  readonly newestUnblocks: readonly Unblock[];
  readonly wishes: Wishes;
  /** As it is now: it compares whole policies, and two kinds ask it. */
  readonly policyStatus: PolicyStatus;
  readonly listUpdates: Lists;
  readonly dropFolder: () => DropFolder;
  readonly staff: Staff;
  readonly sealedCredential: SealedCredential;
  readonly clock: Clock;
}

/** Whoever looks at the home page. */
export interface Asker {
  readonly personId: string;
  readonly may: (permission: Permission) => boolean;
}

/** How many of a kind wait for somebody, and where: at the page of the only one, or at the list of all. */
interface Found {
  readonly count: number;
  readonly href: string;
}

interface WaitingKind {
  /** Who is asked to do something about it. */
  readonly needs: Permission;
  readonly find: (rooms: WaitingRooms, who: Asker) => Found;
  /** After the number: of one, and of more. */
  readonly words: readonly [one: string, more: string];
  /** A child may be in danger meanwhile. */
  readonly isUrgent?: true;
}

/** Everything that may wait for people, what matters most first. A room whose things wait has a row here. */
export const WAITING: readonly WaitingKind[] = [
  {
    needs: 'alerts.see',
    find: ({ alerts }, { personId }) => those(alerts.unnoticed(personId), '/alerts', ({ id }) => `/alerts/${id}`),
    words: ['alert that nobody has taken notice of', 'alerts that nobody has taken notice of'],
    isUrgent: true,
  },
  {
    needs: 'concerns.decide',
    find: ({ concerns }, { personId }) => ({ count: concerns.open(personId), href: '/concerns' }),
    words: ['open concern', 'open concerns'],
    isUrgent: true,
  },
  {
    needs: 'incidents.see',
    find: ({ incidents }, { personId }) => ({ count: incidents.waiting(personId).reported, href: '/incidents' }),
    words: ['report that nobody has looked at', 'reports that nobody has looked at'],
    isUrgent: true,
  },
  {
    needs: 'incidents.see',
    find: ({ incidents }, { personId }) => ({ count: incidents.waiting(personId).overdue, href: '/incidents' }),
    words: ['action of an incident is overdue', 'actions of incidents are overdue'],
  },
  {
    needs: 'checks.record',
    find: ({ checks }) => ({ count: checks.overdue().length, href: '/checks' }),
    words: ['check of the filter is overdue', 'checks of the filter are overdue'],
  },
  {
    needs: 'policy.review',
    find: ({ policyStatus }, { personId }) => {
      const others = policyStatus.toReview.filter(({ author }) => author !== personId);
      return those(others, '/policy/versions', ({ serial }) => `/policy/versions/${serial}`);
    },
    words: ['emergency change of the policy to review', 'emergency changes of the policy to review'],
  },
  {
    needs: 'policy.decide',
    find: ({ policyStatus }, { personId }) => {
      const proposed = policyStatus.drafts.filter(({ state, author }) => state === 'proposed' && author !== personId);
      return those(proposed, '/policy', ({ id }) => `/policy/drafts/${id}`);
    },
    words: ['policy change waits for your approval', 'policy changes wait for your approval'],
  },
  {
    needs: 'unblock.see',
    find: (rooms, who) => those(unblocksFor(rooms, who), '/unblocks', ({ id }) => `/unblocks/${id}`),
    words: ['unblock for you to decide', 'unblocks for you to decide'],
  },
  {
    needs: 'unblock.request',
    find: ({ wishes }, { personId }) => ({ count: wishes.toAnswer(personId).length, href: '/unblocks/asked' }),
    words: ['site that somebody asked for waits for an answer', 'sites that people asked for wait for an answer'],
  },
  {
    needs: 'unblock.request',
    find: ({ newestUnblocks }, { personId }) => {
      const over = newestUnblocks.filter(({ requested, outcome, remark }) => {
        return requested.by === personId && outcome !== null && remark === '';
      });
      return those(over, '/unblocks', ({ id }) => `/unblocks/${id}`);
    },
    words: ['unblock of yours is over: say how it went', 'unblocks of yours are over: say how they went'],
  },
  {
    needs: 'sealed-credential.make',
    find: ({ sealedCredential }) => ({
      count: sealedCredential.state().is === 'used' ? 1 : 0,
      href: '/accounts/sealed-credential',
    }),
    words: ['sealed credential was used and has to be made anew', 'sealed credentials were used'],
  },
  {
    needs: 'accounts.appoint',
    find: ({ staff }, { personId }) => those(staff.endingSoon(personId), '/accounts', ({ id }) => `/accounts/${id}`),
    words: ['account ends soon: renew it or let it end', 'accounts end soon: renew them or let them end'],
  },
  {
    needs: 'people.import',
    find: ({ dropFolder }) => ({ count: dropFolder().refused === null ? 0 : 1, href: '/people/import' }),
    words: ['roster was not imported', 'rosters were not imported'],
  },
  {
    needs: 'lists.change',
    find: ({ listUpdates }) => ({
      count: listUpdates.status().filter(({ held }) => held !== null).length,
      href: '/lists',
    }),
    words: [
      'update of a list lost many entries and waits for you',
      'updates of lists lost many entries and wait for you',
    ],
  },
];

/** Those whose approval or agreement somebody could give now. */
function unblocksFor({ newestUnblocks, clock }: WaitingRooms, { personId, may }: Asker) {
  const act = { by: personId, at: clock() };
  return newestUnblocks.filter((one) => {
    if (stateAt(one, act.at) !== 'requested') return false;
    return (
      (may('unblock.decide') && mayMove(one, 'approve', act)) || (may('unblock.agree') && mayMove(one, 'agree', act))
    );
  });
}

function those<T>(found: readonly T[], all: string, pathOf: (one: T) => string): Found {
  return { count: found.length, href: found.length === 1 ? pathOf(found[0]!) : all };
}

/** A line of the home page. */
export interface WaitingLine {
  readonly count: number;
  readonly text: string;
  readonly href: string;
  readonly isUrgent: boolean;
}

/** What waits for whoever asks, as far as their roles let them do something about it. */
export function waitingFor(rooms: WaitingRooms, who: Asker): readonly WaitingLine[] {
  return WAITING.filter(({ needs }) => who.may(needs)).flatMap(({ find, words, isUrgent = false }) => {
    const { count, href } = find(rooms, who);
    return count === 0 ? [] : [{ count, text: words[count === 1 ? 0 : 1], href, isUrgent }];
  });
}
