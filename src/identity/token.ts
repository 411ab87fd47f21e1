import { createHash, randomBytes } from 'node:crypto';

/** A secret that only its holder knows: 256 random bits in base64url. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of a token. A plain hash is enough: 256 random bits cannot be guessed, and looking it up tells nothing by time. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
