import type { FastifyRequest } from 'fastify';
import type { Accounts } from '../identity/service.ts';
import { formatProblem } from '../kernel/errors.ts';
import { dateAfter, localInput } from '../kernel/local-time.ts';
import type { Permission } from '../identity/permissions.ts';
import { lastTermEnd } from '../policy/schedule.ts';
import type { PolicyStatus, VersionLine } from '../policy/service.ts';
import type { Alarm } from '../safeguarding/model.ts';
import { type Unblock, stateAt } from '../unblock/model.ts';
import type { ListsStatus, OverviewOptions } from './overview.ts';
import { setupLeft } from './setup.ts';
import { waitingFor } from './waiting.ts';
import { WEEK_MS } from '../kernel/clock.ts';

/** Newest unblocks that are looked through, and lines that are shown of what happened lately. */
const RECENT = 200;
const SHOWN = 6;

/** What most people come for, for those who may. */
const SHORTCUTS: readonly { readonly text: string; readonly href: string; readonly needs: Permission }[] = [
  { text: 'Check a site', href: '/check', needs: 'site.check' },
  { text: 'Ask for an unblock', href: '/unblocks/new', needs: 'unblock.request' },
  { text: 'Give a lesson list', href: '/lessons/new', needs: 'lessons.give' },
  { text: 'Find a person', href: '/people', needs: 'people.see' },
  { text: 'Make a guest’s voucher', href: '/guests', needs: 'guests.manage' },
];

/** The home page of whoever asks: what waits for them, what is wrong, how things stand. */
export function homePage(options: OverviewOptions, request: FastifyRequest) {
  const { personId } = request.actor();
  const { accounts, announcements, policy, unblocks, safeguarding, clock } = options;
  const may = (permission: Permission): boolean => request.may(permission);
  const now = clock();
  const newest = unblocks.list(RECENT);
  const state = policy.status();
  const lists = options.lists();
  const nameOf = namesOf(accounts);
  return {
    title: 'Home',
    waiting: waitingFor({ ...options, policyStatus: state, newestUnblocks: newest }, { personId, may }),
    setup: setupLeft(options, may),
    announcements: announcements.shownTo(personId),
    notices: noticesOf(options, state, lists, { may, nameOf, now }),
    problems: state.problems.map(formatProblem),
    shortcuts: SHORTCUTS.filter(({ needs }) => may(needs)),
    alarms: groupAlarms(safeguarding.alarms(now - WEEK_MS, now + 1)),
    policy: state.published,
    lists,
    active: newest.filter((one) => stateAt(one, now) === 'active').length,
    today: flaggedToday(options),
    lately: lately(policy.versions(), newest, nameOf),
    parked: safeguarding.parked(),
  };
}

function namesOf(accounts: Accounts): (id: string | null) => string {
  const names = new Map(accounts.people().map(({ id, fullName }) => [id, fullName]));
  return (id) => (id === null ? 'Schoolgate' : (names.get(id) ?? id));
}

/** A thing that is wrong for everybody. */
interface Notice {
  readonly text: string;
  readonly detail?: string;
  readonly href?: string;
  readonly linkText?: string;
}

interface Reader {
  readonly may: (permission: Permission) => boolean;
  readonly nameOf: (id: string | null) => string;
  readonly now: number;
}

function noticesOf(
  { publishing }: OverviewOptions,
  policy: PolicyStatus,
  { illegalListLoaded, problem }: ListsStatus,
  reader: Reader,
): readonly Notice[] {
  const terms = termsNotice(policy, reader);
  return [
    ...policy.toReview.map((change) => emergencyNotice(change, reader)),
    ...(policy.disk === 'invalid'
      ? [{ text: 'The policy files cannot be used. What was published last stays in force.' }]
      : []),
    ...(policy.disk === 'different'
      ? [
          {
            text: 'The policy files differ from what is published.',
            href: '/policy',
            linkText: 'See what would change',
          },
        ]
      : []),
    ...(problem === null ? [] : [{ text: `The lists cannot be read: ${problem}` }]),
    ...(illegalListLoaded
      ? []
      : [{ text: 'No illegal-content list is loaded. Schools in the UK are expected to have one.' }]),
    ...(publishing.isWaiting()
      ? [{ text: 'Gateways have not been sent the last change yet. It is tried again every second.' }]
      : []),
    ...(terms === null ? [] : [terms]),
  ];
}

function emergencyNotice(change: VersionLine, { nameOf }: Reader): Notice {
  return {
    text: `${nameOf(change.author)} alone changed the policy in an emergency. It is in force.`,
    detail: change.reason ?? '',
    href: pathOf(change.serial),
    linkText: 'See what was changed',
  };
}

/** How long before the last term's end somebody is told to write down the next ones, days. */
const TERMS_DAYS = 42;

function termsNotice({ published }: PolicyStatus, { may, now }: Reader): Notice | null {
  const last = lastTermEnd(published?.snapshot.calendar);
  if (last === null || !may('policy.propose')) return null;
  const today = localInput(now, published!.snapshot.timeZone).slice(0, 10);
  if (last > dateAfter(today, TERMS_DAYS)) return null;
  const [day, month, year] = [last.slice(8), last.slice(5, 7), last.slice(0, 4)];
  return {
    text: `The last term in school.yaml ${last < today ? 'ended' : 'ends'} on ${day}/${month}/${year}. After it, nothing counts as term time.`,
    href: '/policy',
    linkText: 'Write down the next terms',
  };
}

/** Counts with the names that people know. */
function flaggedToday({ safeguarding, policy }: OverviewOptions) {
  const known = policy.published()?.snapshot;
  return safeguarding.today().map(({ level, category, verdict, navigations }) => ({
    level: known?.levels[level]?.title ?? level,
    category: known?.categories[category]?.title ?? category,
    verdict,
    navigations,
  }));
}

type NameOf = Reader['nameOf'];

/** What people decided, newest first. */
function lately(versions: readonly VersionLine[], unblocks: readonly Unblock[], nameOf: NameOf): readonly Decision[] {
  return [
    ...versions.slice(0, SHOWN).map((version) => publication(version, nameOf)),
    ...unblocks.flatMap((unblock) => decisionsOn(unblock, nameOf)),
  ]
    .toSorted((a, b) => b.at - a.at)
    .slice(0, SHOWN);
}

interface Decision {
  /** Ms since the epoch. */
  readonly at: number;
  readonly text: string;
  readonly what: string;
  readonly href: string;
}

function publication({ serial, publishedAt, way, author, approver }: VersionLine, nameOf: NameOf): Decision {
  const who = way === 'files' ? 'The files on disk' : nameOf(approver ?? author);
  return { at: publishedAt, text: `${who} changed the policy`, what: `Version ${serial}`, href: pathOf(serial) };
}

function decisionsOn({ id, topic, state, decided, ended }: Unblock, nameOf: NameOf): readonly Decision[] {
  const on = { what: topic, href: `/unblocks/${id}` };
  const did = state === 'refused' ? 'refused' : 'approved';
  return [
    // Half approved is not decided yet.
    ...(decided === null || state === 'requested'
      ? []
      : [{ at: decided.at, text: `${nameOf(decided.by)} ${did} an unblock`, ...on }]),
    ...(ended === null || state !== 'revoked'
      ? []
      : [{ at: ended.at, text: `${nameOf(ended.by)} ended an unblock early`, ...on }]),
  ];
}

function pathOf(serial: number): string {
  return `/policy/versions/${serial}`;
}

/** The same alarm again and again is one line: how often, and when last. */
function groupAlarms(alarms: readonly Alarm[]): { readonly last: Alarm; readonly times: number }[] {
  const groups = Map.groupBy(alarms, ({ gateway, code, text }) => `${gateway}\n${code}\n${text}`);
  return [...groups.values()].map((same) => ({ last: same[0]!, times: same.length }));
}
