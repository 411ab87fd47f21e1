import type { Actor } from '../audit/entry.ts';
import type { Role, SignedIn } from '../identity/accounts.ts';
import type { FieldProblem } from '../kernel/errors.ts';

/** Who may use a route. Every route says so in its `config`; one that does not stops the console at its start. */
export type Access = 'public' | readonly Role[];

/** What a page is given besides its own data. */
export interface PageData {
  readonly title: string;
  /** Shown in a summary and beside each field. */
  readonly errors?: readonly FieldProblem[];
  readonly [name: string]: unknown;
}

/** One route and who may use it. */
export interface RouteAccess {
  readonly method: string;
  readonly url: string;
  readonly access: Access;
}

// What the console adds to Fastify, so that a room's routes need nothing from the console itself.
declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyInstance {
    /** Every route, for whoever must see who may do what. */
    readonly routeAccess: readonly RouteAccess[];
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
    page(view: string, data: PageData): FastifyReply;
    /** Hands over a new session, or takes the cookie away (null). */
    sessionCookie(token: string | null): FastifyReply;
  }
}
