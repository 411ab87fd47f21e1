import { addressRanges } from '../kernel/ip.ts';
import { type AgreementRules, agreementFor } from './agreements/agreement.ts';
import type { Proof } from './credentials.ts';
import {
  type DirectoryPerson,
  type DirectorySnapshot,
  NO_DIRECTORY,
  type RosterLevels,
  rosterLevel,
} from './directory-snapshot.ts';
import { canonicalUser } from './user-name.ts';
import type { Who } from './who.ts';

/** What identify needs of the policy. */
export interface IdentityRules {
  /** For whoever is not identified. */
  readonly strictestLevel: string;
  /** By name. */
  readonly levels: Readonly<Record<string, unknown>>;
  /** By canonical user name. */
  readonly people: Readonly<Record<string, { readonly level: string; readonly groups: readonly string[] }>>;
  readonly identity: {
    readonly mode: 'open' | 'challenge';
    readonly ranges: readonly { readonly cidr: string; readonly level: string }[];
    /** Of people whom only a roster names; left out: they get the strictest level. */
    readonly levels?: RosterLevels;
    /** Levels whose log-in cards stay with the teacher. */
    readonly keepCards?: readonly string[];
  };
  /** Left out: nobody is asked for one. */
  readonly agreements?: AgreementRules;
}

/** What is known of an account beside whose it is; left out, nothing is asked of its owner. */
export type Standing = Pick<Proof, 'mustChange' | 'agreed'>;

/**
 * Says who asks, from a canonical client address, the user name that was verified with this request (null: none was) and the
 * name of whoever is signed in at the address (null: nobody).
 */
export type Identify = (client: string, user: string | null, signedIn?: string | null, standing?: Standing) => Who;

/** Level of whoever signed in with a voucher, and how their names begin. No account's name can hold a colon. */
export const GUEST = 'guest';

export function isGuest(userName: string): boolean {
  return userName.startsWith(`${GUEST}:`);
}

export function guestLevel({ levels, strictestLevel }: Pick<IdentityRules, 'levels' | 'strictestLevel'>): string {
  return Object.hasOwn(levels, GUEST) ? GUEST : strictestLevel;
}

/**
 * How the console's own tests of a level are called (`self-test:ks2`), each with a credential that it makes for one run and alone knows.
 * No account's name can hold a colon.
 */
const SELF_TEST = 'self-test:';

export function selfTestUser(level: string): string {
  return SELF_TEST + level;
}

export function isSelfTest(userName: string | null): boolean {
  return userName?.startsWith(SELF_TEST) ?? false;
}

/** Levels whose log-in cards stay with the teacher, where a school says nothing: young children cannot choose a password yet. */
export const CARDS_KEPT: readonly string[] = ['ks1'];

/** Addresses remembered with their level; a school has some thousands, an attacker with IPv6 has more. */
const REMEMBERED = 10_000;

/**
 * Prepares identification: a verified person's own level and groups; else those of whoever is signed in at the address; else
 * the level of the longest range that holds the address; else the strictest level. A verified person whom the policy does not know gets the strictest level under their
 * own name: that somebody signed in says who they are, not what they may do.
 */
export function prepareIdentity(rules: IdentityRules, directory: DirectorySnapshot = NO_DIRECTORY): Identify {
  const people = everybody(rules, directory);
  const unknownNeeds = rules.identity.mode === 'challenge' ? 'sign-in' : 'nothing';
  const levelOfRange = rangeLookup(rules.identity.ranges);
  const others: Known = { level: rules.strictestLevel, groups: [] };
  const guests: Known = { level: guestLevel(rules), groups: [] };
  const person = (client: string, name: string, identified: Who['identified'], standing?: Standing): Who => {
    const known = people.get(name) ?? (isGuest(name) ? guests : testedLevel(rules, name));
    const { level, groups, account } = known ?? others;
    const needs = standing === undefined || isSelfTest(name) ? 'nothing' : stillNeeds(standing, known);
    return { user: name, identified, ...(account !== undefined && { account }), level, groups, client, needs };
  };
  // Whose level nobody has said has no age band either, and the strictest rules without being asked.
  const stillNeeds = ({ mustChange, agreed }: Standing, known: Known | null): Who['needs'] => {
    if (mustChange) return 'password';
    const isAsked = known !== null && known.account !== 'class';
    const agreement = isAsked ? agreementFor(rules.agreements, known.level) : null;
    return agreement === null || agreement.version === agreed ? 'nothing' : 'agreement';
  };
  return (client, user, signedIn = null, standing) => {
    if (user !== null) return person(client, canonicalUser(user) ?? user, 'proxy-auth', standing);
    if (signedIn !== null) return person(client, signedIn, 'session', standing);
    const level = levelOfRange(client);
    if (level !== null) return { user: null, identified: 'range', level, groups: [], client, needs: 'nothing' };
    return { user: null, identified: 'none', level: rules.strictestLevel, groups: [], client, needs: unknownNeeds };
  };
}

/** A level, and what gives it: what the policy says of the person, the roster, or that nothing says one. */
export interface GivenLevel {
  readonly level: string;
  readonly by: 'policy' | 'roster' | 'nothing';
}

/** The level of somebody whom a roster names. What the policy says of a person stands before what the roster says. */
export function givenLevel(
  rules: Pick<IdentityRules, 'strictestLevel' | 'people' | 'identity'>,
  person: RosterFacts,
): GivenLevel {
  const { people, identity, strictestLevel } = rules;
  if (Object.hasOwn(people, person.name)) return { level: people[person.name]!.level, by: 'policy' };
  const level = rosterLevel(person, identity.levels ?? { years: {}, roles: {} });
  return level === null ? { level: strictestLevel, by: 'nothing' } : { level, by: 'roster' };
}

type RosterFacts = Omit<DirectoryPerson, 'groups'>;

function testedLevel({ levels }: IdentityRules, name: string): Known | null {
  const level = isSelfTest(name) ? name.slice(SELF_TEST.length) : null;
  return level !== null && Object.hasOwn(levels, level) ? { level, groups: [] } : null;
}

type Known = Pick<Who, 'level' | 'groups' | 'account'>;

/** Each person's level; they are in the groups of policy and roster both. */
function everybody(rules: IdentityRules, directory: DirectorySnapshot): Map<string, Known> {
  const people = new Map<string, Known>(Object.entries(rules.people));
  for (const person of directory.people) {
    const written = people.get(person.name);
    const { level } = givenLevel(rules, person);
    const groups = written === undefined ? person.groups : [...new Set([...written.groups, ...person.groups])];
    people.set(person.name, { level, groups, ...(person.kind === 'class' && { account: 'class' }) });
  }
  return people;
}

/** The level of the longest range that holds a canonical address; null: none does. */
export function rangeLookup(ranges: IdentityRules['identity']['ranges']): (client: string) => string | null {
  if (ranges.length === 0) return () => null;
  const longestFirst = ranges
    .map(({ cidr, level }) => ({ level, bits: prefixBits(cidr), range: addressRanges([cidr]) }))
    .sort((a, b) => b.bits - a.bits);
  const remembered = new Map<string, string | null>();
  return (client) => {
    const known = remembered.get(client);
    if (known !== undefined) return known;
    const level = longestFirst.find(({ range }) => range.has(client))?.level ?? null;
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(client, level);
    return level;
  };
}

// IPv4 and IPv6 lengths are never compared with effect: an address lies in ranges of its own kind only.
function prefixBits(cidr: string): number {
  const slash = cidr.indexOf('/');
  return slash < 0 ? 128 : Number(cidr.slice(slash + 1));
}
