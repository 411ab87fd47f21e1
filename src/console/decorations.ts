import type { Actor } from '../audit/entry.ts';
import type { Role, SignedIn } from '../identity/accounts.ts';

/** Who may use a route. Every route says so in its `config`; one that does not stops the console at its start. */
export type Access = 'public' | readonly Role[];

/** What a page is given besides its own data. */
export interface PageData {
  readonly [name: string]: unknown;
}

// What the console adds to Fastify, so that a room's routes need nothing from the console itself.
declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** Null on public routes for whoever is not signed in; never null elsewhere. */
    signedIn: SignedIn | null;
    /** Who acts, for use cases. Throws on a route where nobody need be signed in and nobody is. */
    actor(): Actor;
    /** IP address, or `local` for the machine's own socket. */
    address(): string;
  }
  interface FastifyReply {
    /** Sends `views/<view>.njk`. */
    page(view: string, data?: PageData): FastifyReply;
    /** Hands over a new session, or takes the cookie away (null). */
    sessionCookie(token: string | null): FastifyReply;
  }
}
