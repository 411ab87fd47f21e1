import type { IllegalIndex } from '../categories/illegal-match.ts';
import type { CategoryIndex } from '../categories/match.ts';
import type { DirectorySnapshot } from '../identity/directory-snapshot.ts';
import { type Identify, prepareIdentity } from '../identity/identify.ts';
import { SignedInDevices } from '../identity/signed-in-devices.ts';
import { addressRanges, type AddressRanges } from '../kernel/ip.ts';
import { type PreparedLive, type PreparedPolicy, prepareLive, preparePolicy } from '../policy/prepare.ts';
import type { LiveSnapshot, PolicySnapshot } from '../policy/snapshot.ts';
import { type Destinations, destinations } from './destinations.ts';

/** Everything a decision is made from. Immutable: a change is a new object, and a request reads the reference once. */
export interface Snapshots {
  readonly policy: PreparedPolicy;
  readonly live: PreparedLive;
  readonly index: CategoryIndex;
  /** Null when no list of illegal material is loaded. */
  readonly illegal: IllegalIndex | null;
  /** What the target of a hit is sealed to; null: only its mark is kept. */
  readonly evidenceKey: string | null;
  readonly identify: Identify;
  /** Canonical names of accounts that a class shares. */
  readonly classAccounts: ReadonlySet<string>;
  /** Who is signed in at which address. */
  readonly devices: SignedInDevices;
  /** Until when (the console's clock) what was proved of an account is void, by canonical user name. */
  readonly renewals: ReadonlyMap<string, number>;
  /** Content hash and serial of the policy, for records. */
  readonly hash: string;
  readonly serial: number;
  readonly facts: PolicySnapshot;
  readonly clients: AddressRanges;
  /** Where nobody can be signed in by address. */
  readonly sharedAddresses: AddressRanges;
  readonly destinations: Destinations;
  /** Ports CONNECT may name, and whether TLS must follow. */
  readonly connectPorts: ReadonlyMap<number, boolean>;
  readonly httpPorts: ReadonlySet<number>;
}

/** Does the thinking once, so that requests only look up. `ownPorts`: ports of our own listeners on this machine. */
export function prepareSnapshots(
  policy: { readonly body: PolicySnapshot; readonly serial: number },
  people: DirectorySnapshot,
  live: LiveSnapshot,
  index: CategoryIndex,
  illegal: IllegalIndex | null,
  ownPorts: ReadonlySet<number>,
): Snapshots {
  const { network, identity, hash } = policy.body;
  return {
    policy: preparePolicy(policy.body),
    ...preparedLive(live),
    index,
    illegal,
    identify: prepareIdentity(policy.body, people),
    classAccounts: new Set(people.people.filter(({ kind }) => kind === 'class').map(({ name }) => name)),
    hash,
    serial: policy.serial,
    facts: policy.body,
    clients: addressRanges(network.clients),
    sharedAddresses: addressRanges(identity.shared ?? []),
    destinations: destinations(addressRanges(network.allowDestinations), ownPorts),
    connectPorts: new Map(network.connectPorts.map((one) => [one.port, one.tls])),
    httpPorts: new Set(network.httpPorts),
  };
}

/** The same policy with another live snapshot: a sign-in must not cost the thinking through of a policy. */
export function withLive(snapshots: Snapshots, live: LiveSnapshot): Snapshots {
  return { ...snapshots, ...preparedLive(live) };
}

function preparedLive(live: LiveSnapshot): Pick<Snapshots, 'live' | 'devices' | 'renewals' | 'evidenceKey'> {
  const evidenceKey = live.evidenceKey ?? null;
  const renewals = new Map((live.renewals ?? []).map(({ user, at }) => [user, at]));
  return { live: prepareLive(live), devices: new SignedInDevices(live.sessions ?? []), renewals, evidenceKey };
}
