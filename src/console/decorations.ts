import type { FastifySchema } from 'fastify';
import type { Actor } from '../audit/entry.ts';
import type { Purpose } from '../audit/purpose.ts';
import type { SignedIn } from '../identity/accounts.ts';
import type { Permission } from '../identity/permissions.ts';
import type { FieldProblem } from '../kernel/errors.ts';

/**
 * Who may use a route: everybody, whoever is signed in with any role, or whoever has a permission. Every route says so in its
 * `config`; one that does not stops the console at its start.
 */
export type Access = 'public' | 'signed-in' | Permission;

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
  /** What it takes and gives, as JSON schemas. */
  readonly schema?: FastifySchema;
}

// What the console adds to Fastify, so that a room's routes need nothing from the console itself.
declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** What is typed into this form comes back where it took the password again. For forms without secrets alone. */
    keepsForm?: true;
  }
  interface FastifyInstance {
    /** Every route, for whoever must see who may do what. */
    readonly routeAccess: readonly RouteAccess[];
  }
  /** What a cell holds; null: nothing. */
  type TableValue = string | number | null;
  interface TableColumn<Row> {
    /** How the address calls it. */
    readonly id: string;
    readonly title: string;
    readonly value: (row: Row) => TableValue;
    /** Where the order is another one than that of the values. */
    readonly sortBy?: (row: Row) => TableValue;
    readonly href?: (row: Row) => string | null;
    /** The colour of a tag (`green`) around the value; null: none. */
    readonly tag?: (row: Row) => string | null;
    readonly isNumber?: boolean;
    /** The value is an instant, ms since the epoch. */
    readonly isTime?: boolean;
    /** For a spreadsheet, and too long for a page. */
    readonly isOnlyInCsv?: boolean;
  }
  interface TableFilter<Row> {
    readonly id: string;
    readonly label: string;
    /** The first is how the table opens. */
    readonly options: readonly { readonly value: string; readonly text: string }[];
    readonly accepts: (row: Row, value: string) => boolean;
  }
  /** A table that can be searched, filtered, sorted and paged by its address alone. It opens in the order of its first column. */
  interface Table<Row> {
    readonly path: string;
    readonly caption: string;
    readonly columns: readonly TableColumn<Row>[];
    readonly filters?: readonly TableFilter<Row>[];
    readonly search?: { readonly label: string; readonly of: (row: Row) => string };
    /** What else stands in the page's address and stays there. */
    readonly keep?: Readonly<Record<string, string>>;
    /** Where there is no row at all: what to do. `needs`: the link is for those alone who may. */
    readonly empty: {
      readonly text: string;
      readonly href?: string;
      readonly linkText?: string;
      readonly needs?: Permission;
    };
  }
  interface FastifyRequest {
    /** Null on public routes for whoever is not signed in; never null elsewhere. */
    signedIn: SignedIn | null;
    /** Who acts, for use cases. Throws on a route where nobody need be signed in and nobody is. */
    actor(): Actor;
    /** Whether whoever is signed in has a permission; false where nobody is. */
    may(permission: Permission): boolean;
    /** The password must be given again before this is done, and the form is still to be read. */
    lacksPassword: boolean;
    /** What was typed into the form of this page when it took the password again; null: nothing of late. Given once. */
    keptForm(): Readonly<Record<string, unknown>> | null;
    /** IP address, or `local` for the machine's own socket. */
    address(): string;
    /** Why whoever is signed in looks at the data of this subject (`person:ID`); null: not said yet, or too long ago. */
    purposeOf(subject: string): Purpose | null;
  }
  interface FastifyReply {
    /** Sends `views/<view>.njk`. */
    page(view: string, data: PageData): FastifyReply;
    /** The same with `table`, for the macro of views/table.njk; or, where the address says `format=csv`, its rows as a file. */
    tablePage<Row>(view: string, data: PageData, table: Table<Row>, rows: readonly Row[]): FastifyReply;
    /** Asks why whoever is signed in wants to see this subject's data; then goes to `back`, a path of ours. */
    askPurpose(subject: string, back: string): FastifyReply;
    /** Hands over a new session, or takes the cookie away (null). */
    sessionCookie(token: string | null): FastifyReply;
  }
}
