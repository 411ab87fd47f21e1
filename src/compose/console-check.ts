import type { ExplainedIndex } from '../categories/match.ts';
import { type DirectorySnapshot, NO_DIRECTORY } from '../identity/directory-snapshot.ts';
import type { Clock } from '../kernel/clock.ts';
import { addressKind, addressRanges } from '../kernel/ip.ts';
import {
  type CheckQuery,
  type CheckSources,
  type CheckUrl,
  type Checked,
  createCheckUrl,
} from '../policy/check-url.ts';
import type { LiveSnapshot, PolicySnapshot } from '../policy/snapshot.ts';
import type { Publishing } from '../publishing/service.ts';
import type { ReadTx, RecordDatabase } from '../store/database.ts';
import type { KnownDirectory } from './known-directory.ts';
import type { OpenIndex } from './listed-sites.ts';

/** What a check in the console is made from; nothing is asked of a name server. */
export interface CheckParts {
  readonly policy: PolicySnapshot;
  readonly serial: number;
  readonly live: LiveSnapshot;
  readonly index: ExplainedIndex;
  readonly people?: DirectorySnapshot;
}

export function checkFrom({ people = NO_DIRECTORY, ...parts }: CheckParts): CheckUrl {
  return createCheckUrl({ ...parts, people, destinations });
}

const destinations: CheckSources['destinations'] = ({ network }) => {
  const allowed = addressRanges(network.allowDestinations);
  return { mayReach: (address) => addressKind(address) === 'public' || allowed.has(address) };
};

export interface SiteCheckOptions {
  readonly record: RecordDatabase;
  readonly publishing: Publishing;
  readonly policy: () => PolicySnapshot | null;
  readonly people: KnownDirectory;
  readonly openIndex: OpenIndex;
  readonly live: (tx: ReadTx, now: number) => LiveSnapshot;
  readonly clock: Clock;
}

/** What a gateway would answer now, or at a time to come. Null before policy and index are there. */
export type SiteCheck = (query: CheckQuery) => Promise<Checked | null>;

export function createSiteCheck(options: SiteCheckOptions): SiteCheck {
  return async (query) => {
    const check = await prepareSiteCheck(options);
    return check === null ? null : check(query, options.clock());
  };
}

/** The same for many questions at once, as things stand now. */
export async function prepareSiteCheck(options: SiteCheckOptions): Promise<CheckUrl | null> {
  const { record, publishing, policy, people, openIndex, live, clock } = options;
  const [rules, index, now] = [policy(), await openIndex(), clock()];
  if (rules === null || index === null) return null;
  const serial = publishing.serial('policy');
  const state = record.read((tx) => live(tx, now));
  return checkFrom({ policy: rules, serial, live: state, index, people: people() });
}
