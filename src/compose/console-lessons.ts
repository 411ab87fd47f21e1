import { openLiveIndex, type LiveIndex } from '../categories/live-index.ts';
import { NO_DIRECTORY } from '../identity/directory-snapshot.ts';
import { type Directory, directorySnapshot } from '../identity/directory/service.ts';
import { fullName } from '../identity/directory/model.ts';
import { prepareIdentity } from '../identity/identify.ts';
import { may } from '../identity/permissions.ts';
import type { Accounts } from '../identity/service.ts';
import { canonicalUser } from '../identity/user-name.ts';
import { isoTime } from '../kernel/clock.ts';
import type { IdMaker } from '../kernel/ids.ts';
import { addressKind, addressRanges } from '../kernel/ip.ts';
import type { Pupil, School } from '../lessons/reach.ts';
import { type CheckSite, type Lessons, createLessons } from '../lessons/service.ts';
import { type CheckSources, type CheckUrl, createCheckUrl } from '../policy/check-url.ts';
import type { PolicyService } from '../policy/service.ts';
import type { LiveSnapshot, PolicySnapshot } from '../policy/snapshot.ts';
import type { Publishing } from '../publishing/service.ts';
import type { ReadTx } from '../store/database.ts';
import type { ConsoleRecord } from './console-rooms.ts';

export interface ConsoleLessonsOptions extends ConsoleRecord {
  readonly publishing: Publishing;
  readonly accounts: Accounts;
  readonly directory: Directory;
  readonly policy: PolicyService;
  readonly newId: IdMaker;
  /** What gateways are sent. */
  readonly live: (tx: ReadTx, now: number) => LiveSnapshot;
}

/** Lesson lists, with what they must know of the school, and with the gateways' own decide for "would my class see this?". */
export function createConsoleLessons(options: ConsoleLessonsOptions): Lessons {
  const { record, audit, publishing, clock, newId, accounts, policy } = options;
  const inForce = (): PolicySnapshot | null => policy.published()?.snapshot ?? null;
  return createLessons({
    record,
    audit,
    publishing,
    clock,
    newId,
    policy: inForce,
    school: schoolOf(options, inForce),
    reachByRole: (personId) => {
      const roles = accounts.people().find(({ id }) => id === personId)?.roles ?? [];
      return may(roles, 'lessons.give-any') ? 'any' : may(roles, 'lessons.give') ? 'taught' : 'none';
    },
    nameOf: (personId) => record.read((tx) => accounts.userNameOf(tx, personId)),
    openCheck: checkOf(options, inForce),
  });
}

/** Worked out anew when a roster or the policy has changed: some thousand people are not gone through for every page. */
function schoolOf(
  { publishing, ...options }: ConsoleLessonsOptions,
  inForce: () => PolicySnapshot | null,
): () => School {
  let known: { readonly mark: string; readonly school: School } | null = null;
  return () => {
    const mark = `${publishing.serial('people')} ${publishing.serial('policy')}`;
    if (known?.mark !== mark) known = { mark, school: readSchool(options, inForce()) };
    return known.school;
  };
}

function readSchool(
  { directory, record }: Pick<ConsoleLessonsOptions, 'directory' | 'record'>,
  policy: PolicySnapshot | null,
): School {
  if (policy === null) return { pupils: [], classes: [], members: new Map() };
  const identify = prepareIdentity(policy, record.read(directorySnapshot) ?? NO_DIRECTORY);
  const pupil = (user: string, name: string): Pupil => {
    const { level, groups } = identify('', user);
    return { user, fullName: name, classes: groups, level };
  };
  const members = directory.members().map((person) => ({ person, user: canonicalUser(person.userName)! }));
  const inRoster = new Set(members.map(({ user }) => user));
  const pupils = [
    ...members
      .filter(({ person }) => person.kind === 'class' || person.roles.includes('pupil'))
      .map(({ person, user }) => pupil(user, fullName(person))),
    // A school without a roster writes its pupils into the policy.
    ...Object.entries(policy.people)
      .filter(([user, { groups }]) => groups.length > 0 && !inRoster.has(user))
      .map(([user]) => pupil(user, user)),
  ];
  const classes = new Set([
    ...pupils.flatMap((one) => one.classes),
    ...members.flatMap(({ person }) => person.teaches),
    ...Object.keys(policy.groups),
  ]);
  return {
    pupils,
    classes: [...classes].sort((a, b) => a.localeCompare(b, 'en-GB', { numeric: true })),
    members: new Map(members.map(({ person }) => [person.id, person])),
  };
}

/** Opens the index when it is first asked for, and looks each time whether there is a newer one. */
function checkOf(
  { layout, record, publishing, live, clock }: ConsoleLessonsOptions,
  inForce: () => PolicySnapshot | null,
): () => Promise<CheckSite | null> {
  let opened: LiveIndex | null = null;
  let opening = Promise.resolve();
  const renew = async (): Promise<void> => {
    if (opened === null) opened = await openLiveIndex(layout);
    else await opened.renew();
  };
  return async () => {
    const policy = inForce();
    // One after the other; without an index nothing can be told, and the next asker may have more luck.
    opening = opening.then(renew).catch(() => {});
    await opening;
    if (policy === null || opened === null) return null;
    const { index } = opened;
    const allowed = addressRanges(policy.network.allowDestinations);
    const destinations: CheckSources['destinations'] = () => ({
      mayReach: (address) => addressKind(address) === 'public' || allowed.has(address),
    });
    const serial = publishing.serial('policy');
    const now = clock();
    const { grants, lessons = [] } = record.read((tx) => live(tx, now));
    const checkIn = (rules: PolicySnapshot, state: LiveSnapshot): CheckUrl =>
      createCheckUrl({ policy: rules, serial, people: NO_DIRECTORY, live: state, index, destinations });
    const asTheyAre = checkIn(policy, { grants, lessons });
    const leftOut = checkIn({ ...policy, lessons: [] }, { grants });
    return (site, { level, classes }, at, which) => {
      const check = which === 'as they are' ? asTheyAre : leftOut;
      return check({ url: site, level, groups: classes, at: isoTime(at) }, now).verdict;
    };
  };
}
