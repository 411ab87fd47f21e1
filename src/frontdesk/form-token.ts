import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Clock, HOUR_MS } from '../kernel/clock.ts';

/** Marks the forms of these pages, which set no cookie. */
export interface FormTokens {
  make(client: string): string;
  /** True for a token that was made for this client in this or the last hour. */
  holds(token: string, client: string): boolean;
}

/**
 * A form is good for the device it was shown to: a page of another site can make a browser send a form here, but it can read
 * no token of that device's, and one of its own device's holds there only.
 */
export function createFormTokens(key: Buffer, clock: Clock): FormTokens {
  const tokenAt = (hour: number, client: string): string =>
    createHmac('sha256', key).update(`${hour} ${client}`).digest('base64url');
  const hourNow = (): number => Math.floor(clock() / HOUR_MS);
  return {
    make: (client) => tokenAt(hourNow(), client),
    holds: (token, client) => [hourNow(), hourNow() - 1].some((hour) => isSame(token, tokenAt(hour, client))),
  };
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
