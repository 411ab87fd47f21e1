import { storeFactor } from '../../src/identity/staff/repository.ts';
import { createSecretBox } from '../../src/identity/staff/secret-box.ts';
import { codeOf, stepAt } from '../../src/identity/staff/totp.ts';
import type { ControlPlane } from './control-plane.ts';

export const APP_SECRETS = createSecretBox(Buffer.alloc(32, 9));
const APP_SECRET = Buffer.alloc(20, 5);

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** What an authenticator app shows at an instant (ms since the epoch) for a key as the console's page has it. */
export function shownByApp(key: string, now: number): string {
  const bits = Array.from(key.replaceAll(' ', ''), (letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0'));
  const bytes = bits.join('').match(/.{8}/g) ?? [];
  return codeOf(Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2))), stepAt(now));
}

/** The key on the page that sets up an app. */
export function keyOn(page: string): string {
  return /<strong class="console-breakable">([A-Z2-7 ]+)<\/strong>/.exec(page)![1]!;
}

/** The recovery codes on the page that shows them. */
export function recoveryCodesOn(page: string): string[] {
  return Array.from(page.matchAll(/<code>([^<]+)<\/code>/g), ([, code]) => code!);
}

/** Gives somebody an authenticator app. */
export function addApp({ record, clock }: Pick<ControlPlane, 'record' | 'clock'>, personId: string): void {
  const sealedSecret = APP_SECRETS.seal(APP_SECRET, personId);
  record.write((tx) => storeFactor(tx, personId, { sealedSecret, confirmedAt: clock(), lastStep: 0 }));
}

/** What the apps of `addApp` show, good again however often it was used: the clock stands. */
export function appCode({ record, clock }: Pick<ControlPlane, 'record' | 'clock'>): string {
  record.write((tx) => tx.run('UPDATE second_factors SET last_step = 0'));
  return codeOf(APP_SECRET, stepAt(clock()));
}
