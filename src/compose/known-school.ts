import type { Directory } from '../identity/directory/service.ts';
import { fullName } from '../identity/directory/model.ts';
import { prepareIdentity } from '../identity/identify.ts';
import { canonicalUser } from '../identity/user-name.ts';
import type { Pupil, School } from '../lessons/reach.ts';
import type { PolicyService } from '../policy/service.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Publishing } from '../publishing/service.ts';
import type { KnownDirectory } from './known-directory.ts';

export interface KnownSchoolOptions {
  readonly people: KnownDirectory;
  readonly publishing: Publishing;
  readonly directory: Directory;
  readonly policy: PolicyService;
}

/**
 * The school's pupils and classes, for whatever is given to some of them. Worked out anew when a roster or the policy has changed: some
 * thousand people are not gone through for every page.
 */
export function createKnownSchool({ publishing, policy, ...options }: KnownSchoolOptions): () => School {
  let known: { readonly mark: string; readonly school: School } | null = null;
  return () => {
    const mark = `${publishing.serial('people')} ${publishing.serial('policy')}`;
    if (known?.mark !== mark) known = { mark, school: readSchool(options, policy.published()?.snapshot ?? null) };
    return known.school;
  };
}

function readSchool(
  { directory, people }: Pick<KnownSchoolOptions, 'directory' | 'people'>,
  policy: PolicySnapshot | null,
): School {
  if (policy === null) return { pupils: [], classes: [], members: new Map() };
  const identify = prepareIdentity(policy, people());
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
