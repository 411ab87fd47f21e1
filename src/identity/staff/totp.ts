import { createHmac, timingSafeEqual } from 'node:crypto';

/** Seconds a code lasts (RFC 6238 §4.1's default, the only one that every authenticator app knows). */
const STEP_S = 30;
const DIGITS = 6;
/** Bytes of a secret: as many as SHA-1 gives (RFC 4226 §4, R6). */
export const SECRET_BYTES = 20;
/** A telephone's clock may be off by a step to either side (RFC 6238 §5.2). */
const SKEW_STEPS = 1;

/** The step that an instant (ms since the epoch) lies in. */
export function stepAt(now: number): number {
  return Math.floor(now / 1000 / STEP_S);
}

/** The code of a step (RFC 6238 §4.2 over RFC 4226 §5.3, HMAC-SHA-1). */
export function codeOf(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const offset = mac[mac.length - 1]! & 0xf;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** DIGITS).padStart(DIGITS, '0');
}

/**
 * The step that a code belongs to, of the one `now` lies in and its neighbours, if it is later than `lastStep`: a code that was
 * accepted once, and every one before it, never is again (RFC 6238 §5.2). Null: the code is wrong.
 */
export function acceptedStep(secret: Buffer, code: string, now: number, lastStep: number): number | null {
  const given = Buffer.from(code.replace(/\s/g, ''));
  if (given.length !== DIGITS) return null;
  const current = stepAt(now);
  let found: number | null = null;
  for (let step = current - SKEW_STEPS; step <= current + SKEW_STEPS; step++) {
    if (timingSafeEqual(given, Buffer.from(codeOf(secret, step))) && step > lastStep) found ??= step;
  }
  return found;
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648 §6 without padding: how a secret is typed into an app. */
export function base32(bytes: Buffer): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  return (bits.match(/.{1,5}/g) ?? []).map((five) => BASE32[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
}

/** What the QR code holds (Google Authenticator's key URI format, which all apps read). */
export function keyUri(secret: Buffer, userName: string, school: string | null): string {
  const issuer = school === null ? 'Schoolgate' : `Schoolgate, ${school}`;
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(userName)}`;
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}`;
}
