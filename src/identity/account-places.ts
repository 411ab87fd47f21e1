/** How long two places must be in use together to count, and how long one that fell quiet is still one, ms. */
export const TOGETHER_MS = 2 * 60_000;
export const QUIET_MS = 3 * 60_000;
/** A school has some thousands of accounts; news from gateways can be made up. */
const MOST_ACCOUNTS = 20_000;

interface Stay {
  readonly since: number;
  readonly last: number;
}

/** Where accounts are in use, as gateways tell it by the minute. Whoever walks from one device to another is never at both for long. */
export class AccountPlaces {
  readonly #stays = new Map<string, Map<string, Stay>>();

  /** An account is in use at a canonical address; gives the two addresses if it is at another one as well, null otherwise. */
  note(user: string, address: string, at: number): readonly [string, string] | null {
    const stays = this.#of(user);
    for (const [place, { last }] of stays) if (at - last > QUIET_MS) stays.delete(place);
    const own = { since: stays.get(address)?.since ?? at, last: at };
    stays.set(address, own);
    const other = [...stays].find(([place, stay]) => !isSamePlace(place, address) && overlap(stay, own) >= TOGETHER_MS);
    return other === undefined ? null : ([address, other[0]].sort() as [string, string]);
  }

  #of(user: string): Map<string, Stay> {
    const found = this.#stays.get(user);
    if (found !== undefined) return found;
    if (this.#stays.size >= MOST_ACCOUNTS) this.#stays.clear();
    const made = new Map<string, Stay>();
    this.#stays.set(user, made);
    return made;
  }
}

function overlap(a: Stay, b: Stay): number {
  return Math.min(a.last, b.last) - Math.max(a.since, b.since);
}

/** One device has an IPv4 address and several of IPv6, and uses either: only two of IPv4, or of two IPv6 networks, are two places. */
function isSamePlace(a: string, b: string): boolean {
  if (a.includes(':') !== b.includes(':')) return true;
  return a.includes(':') ? network(a) === network(b) : a === b;
}

/** The first 64 bits of a canonical IPv6 address. */
function network(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const rest = tail === undefined ? [] : tail.split(':').filter((group) => group !== '');
  const whole = [...groups, ...Array.from({ length: 8 - groups.length - rest.length }, () => '0'), ...rest];
  return whole.slice(0, 4).join(':');
}
