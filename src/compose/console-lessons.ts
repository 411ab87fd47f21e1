import { may } from '../identity/permissions.ts';
import type { Accounts } from '../identity/service.ts';
import { isoTime } from '../kernel/clock.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { School } from '../lessons/reach.ts';
import { type CheckSite, type Lessons, createLessons } from '../lessons/service.ts';
import type { PolicyService } from '../policy/service.ts';
import type { LiveSnapshot, PolicySnapshot } from '../policy/snapshot.ts';
import type { Publishing } from '../publishing/service.ts';
import type { ReadTx } from '../store/database.ts';
import { checkFrom } from './console-check.ts';
import type { ConsoleRecord } from './console-record.ts';
import type { OpenIndex } from './listed-sites.ts';

export interface ConsoleLessonsOptions extends ConsoleRecord {
  readonly publishing: Publishing;
  readonly accounts: Accounts;
  readonly policy: PolicyService;
  readonly school: () => School;
  readonly openIndex: OpenIndex;
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
    school: options.school,
    reachByRole: (personId) => {
      const roles = accounts.people().find(({ id }) => id === personId)?.roles ?? [];
      return may(roles, 'lessons.give-any') ? 'any' : may(roles, 'lessons.give') ? 'taught' : 'none';
    },
    nameOf: (personId) => record.read((tx) => accounts.userNameOf(tx, personId)),
    openCheck: checkOf(options, inForce),
  });
}

/** The gateways' own decide, from what is in force now. */
function checkOf(
  { record, publishing, live, clock, openIndex }: ConsoleLessonsOptions,
  inForce: () => PolicySnapshot | null,
): () => Promise<CheckSite | null> {
  return async () => {
    const policy = inForce();
    const index = await openIndex();
    if (policy === null || index === null) return null;
    const now = clock();
    const { grants, lessons = [] } = record.read((tx) => live(tx, now));
    const common = { serial: publishing.serial('policy'), index };
    const asTheyAre = checkFrom({ ...common, policy, live: { grants, lessons } });
    const leftOut = checkFrom({ ...common, policy: { ...policy, lessons: [] }, live: { grants } });
    return (site, { level, classes }, at, which) => {
      const check = which === 'as they are' ? asTheyAre : leftOut;
      return check({ url: site, level, groups: classes, at: isoTime(at) }, now).verdict;
    };
  };
}
