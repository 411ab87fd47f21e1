import { existsSync } from 'node:fs';
import { loadCatalogue } from '../categories/catalogue.ts';
import { type DataLayout, dataLayout } from '../config/data-layout.ts';
import { readEnvironment } from '../config/environment.ts';
import { loadPublicKey } from '../events/signing.ts';
import { readLastGood } from '../events/snapshot-keeper.ts';
import type { DirectorySnapshot } from '../identity/directory-snapshot.ts';
import { InvalidInputError } from '../kernel/errors.ts';
import { type ExaminedPolicy, examineFolder } from '../policy/load.ts';
import type { LiveSnapshot, PolicySnapshot } from '../policy/snapshot.ts';
import type { CliContext } from './context.ts';

/** What commands read of a policy without asking any process. */
export interface PolicySources {
  readonly layout: DataLayout;
  readonly policyDir: string;
  readonly listsDir: string;
  /** The policy as it stands on disk, with what in it is pointless; or every problem. */
  examine(): ExaminedPolicy;
  /** The policy as it stands on disk. Throws an InvalidInputError with every problem. */
  onDisk(): PolicySnapshot;
  /** What this machine's gateway runs; null before the first. Throws a SchoolgateError if it cannot be trusted. */
  published(): { readonly policy: PolicySnapshot; readonly serial: number } | null;
  /** Whom rosters name, as this machine's gateway knows it. */
  people(): DirectorySnapshot;
  /** The unblocks and suspensions this machine's gateway knows. */
  live(): LiveSnapshot;
}

export function policySources(context: CliContext): PolicySources {
  const { dataDir, policyDir, listsDir } = readEnvironment(context.env, context.cwd);
  const layout = dataLayout(dataDir);
  // Without the console's key no gateway has ever accepted a snapshot here.
  const lastGood = <K extends 'policy' | 'people' | 'live'>(kind: K): ReturnType<typeof readLastGood<K>> =>
    existsSync(layout.signingPublicKey) ? readLastGood(layout, kind, loadPublicKey(layout)) : null;
  const people = (): DirectorySnapshot => lastGood('people')?.body ?? { people: [] };
  const examine = (): ExaminedPolicy =>
    examineFolder(policyDir, loadCatalogue(listsDir), { people: people(), now: context.clock() });
  return {
    layout,
    policyDir,
    listsDir,
    examine,
    onDisk: () => {
      const examined = examine();
      if ('snapshot' in examined) return examined.snapshot;
      throw new InvalidInputError(`The policy in ${policyDir} cannot be used`, examined.problems);
    },
    published: () => {
      const found = lastGood('policy');
      return found === null ? null : { policy: found.body, serial: found.serial };
    },
    people,
    live: () => lastGood('live')?.body ?? { grants: [] },
  };
}
