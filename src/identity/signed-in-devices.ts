import type { Agreement } from './agreements/agreement.ts';
import type { FieldProblem } from '../kernel/errors.ts';
import { dateAfter, instantOf, localInput } from '../kernel/local-time.ts';

/** Who is signed in at an address, and until when in any case. */
export interface DeviceSession {
  /** Canonical. */
  readonly address: string;
  /** Canonical user name. */
  readonly user: string;
  /** Ms since the epoch, exclusive. */
  readonly until: number;
  /** Version of the agreement that they accepted last, as far as it counts; left out: none. */
  readonly agreed?: string;
}

/** What the front desk is told of an address. */
export type DeviceState =
  | {
      readonly state: 'signed-in';
      readonly userName: string;
      readonly fullName: string;
      readonly until: number;
      /** Left out: a pupil, a guest or a class, who are not told of what teachers can do. */
      readonly isStaff?: true;
    }
  | { readonly state: 'nobody' }
  /** Several people use the address at once, so nobody can be signed in by it. */
  | { readonly state: 'shared' };

/** What became of an attempt to sign in at the front desk. */
export type DeviceAnswer =
  | DeviceState
  /** Never tells which part. */
  | { readonly state: 'wrong' }
  | { readonly state: 'held'; readonly forMs: number }
  | { readonly state: 'suspended' }
  /** The password is right, and must be changed before anything else; `fault`: why the one that was typed will not do. */
  | {
      readonly state: 'password';
      readonly userName: string;
      readonly fullName: string;
      readonly ticket: string;
      readonly fault: FieldProblem | null;
    }
  /** They have yet to accept this. `until`: of their session; null: the address is shared, so there is none. */
  | {
      readonly state: 'agreement';
      readonly userName: string;
      readonly fullName: string;
      readonly until: number | null;
      readonly agreement: Pick<Agreement, 'version' | 'title' | 'text'>;
      readonly ticket: string;
    }
  /** A parent has yet to agree, which staff record. */
  | { readonly state: 'consent'; readonly userName: string; readonly fullName: string; readonly until: number | null }
  /** Of an account whose password its owner does not change on this page. */
  | { readonly state: 'password-stays' }
  /** What was proved was too long ago, or is not so any more: to be done again from the start. */
  | { readonly state: 'stale' }
  /** The console could not be asked, or knows no policy yet. */
  | { readonly state: 'no-answer' };

/** When sign-ins by address end where the school does not say, minutes after local midnight. */
export const DAY_ENDS = 18 * 60;

/** The sessions of one live snapshot, ready to be asked. Each ends by the asker's own clock. */
export class SignedInDevices {
  readonly #byAddress: ReadonlyMap<string, DeviceSession>;

  constructor(sessions: readonly DeviceSession[]) {
    this.#byAddress = new Map(sessions.map((session) => [session.address, session]));
  }

  get size(): number {
    return this.#byAddress.size;
  }

  /** The canonical name of whoever is signed in at a canonical address; null: nobody. */
  userAt(address: string, now: number): string | null {
    return this.at(address, now)?.user ?? null;
  }

  /** The session that stands at a canonical address; null: nobody is signed in. */
  at(address: string, now: number): DeviceSession | null {
    const session = this.#byAddress.get(address);
    return session !== undefined && now < session.until ? session : null;
  }

  /** Addresses whose session has come to its end after `from` and by `now`. */
  endedBetween(from: number, now: number): ReadonlySet<string> {
    const ended = new Set<string>();
    for (const { address, until } of this.#byAddress.values()) if (from < until && until <= now) ended.add(address);
    return ended;
  }
}

/** The next time after `now` at which the school's clock shows `minutes` after midnight, ms since the epoch. */
export function nextDayEnd(now: number, minutes: number, zone: string): number {
  const [today, clock] = [localInput(now, zone).slice(0, 10), timeOfDay(minutes)];
  const end = instantOf(`${today}T${clock}`, zone)!;
  if (end > now) return end;
  return instantOf(`${dateAfter(today, 1)}T${clock}`, zone)!;
}

/** `18:00`. */
export function timeOfDay(minutes: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
