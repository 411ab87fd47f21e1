// workers ── addresses in use, every 15 s ──► supervisor ── one event a minute ──► spool ──► console

/** Addresses in one event: some 80 KB at most, far below what a carrier reads at a time. */
const MOST_AT_ONCE = 2_000;

/** Which signed-in devices the workers of this gateway heard from, gathered until it is told. */
export class DeviceActivity {
  #seen: Set<string> | null = null;
  readonly #accounts = new Set<string>();

  /** What one worker heard; nothing at all is news too. */
  add(addresses: readonly string[]): void {
    this.#seen ??= new Set();
    for (const address of addresses) this.#seen.add(address);
  }

  /** The addresses for each event that is to be sent, and forgets them; no event where no worker knows of a sign-in. */
  take(): string[][] {
    if (this.#seen === null) return [];
    const all = [...this.#seen].sort();
    this.#seen = null;
    const events: string[][] = [all.slice(0, MOST_AT_ONCE)];
    for (let from = MOST_AT_ONCE; from < all.length; from += MOST_AT_ONCE) {
      events.push(all.slice(from, from + MOST_AT_ONCE));
    }
    return events;
  }

  /** Accounts whose credentials one worker was sent, each as `address user`. */
  addAccounts(uses: readonly string[]): void {
    for (const use of uses) this.#accounts.add(use);
  }

  /** The accounts for each event that is to be sent, and forgets them; no event where there was none. */
  takeAccounts(): { user: string; address: string }[][] {
    const all = [...this.#accounts].sort().map((use) => {
      const space = use.indexOf(' ');
      return { address: use.slice(0, space), user: use.slice(space + 1) };
    });
    this.#accounts.clear();
    return Array.from({ length: Math.ceil(all.length / MOST_AT_ONCE) }, (_, i) =>
      all.slice(i * MOST_AT_ONCE, (i + 1) * MOST_AT_ONCE),
    );
  }
}
