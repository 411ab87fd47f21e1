// safe ── code, name, reason ──► used up, everybody is told ──► a link that makes a headteacher's account for a week
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Actor } from '../../audit/entry.ts';
import type { Audit } from '../../audit/service.ts';
import type { Clock } from '../../kernel/clock.ts';
import { type FieldProblem, InvalidFieldsError, SchoolgateError, wrongField } from '../../kernel/errors.ts';
import type { RecordDatabase, Tx } from '../../store/database.ts';
import { countAttempt, held, takeBackAttempt, tried } from '../attempts.ts';
import { findFullName } from '../repository.ts';
import { newToken, tokenHash } from '../token.ts';
import { readTypedCode, typedCode } from '../typed-code.ts';
import type { Announcements } from './announcement-service.ts';
import {
  deleteFirstLinksOf,
  findSealedCredential,
  insertInvitation,
  markSealedUsed,
  storeSealedCredential,
} from './repository.ts';

/** What whoever opens the safe types. */
export interface SealedUse {
  readonly code: string;
  readonly name: string;
  readonly reason: string;
  /** Client address, or `local`. */
  readonly address: string;
}

/** `none`: never made. `used`: has to be made anew. Instants are ms since the epoch. */
export type SealedState =
  | { readonly is: 'none' }
  | {
      readonly is: 'sealed' | 'used';
      readonly madeAt: number;
      readonly madeBy: string;
      readonly usedAt: number | null;
    };

/** The headteacher's credential in the safe, for when nobody can act as headteacher. */
export interface SealedCredential {
  state(): SealedState;
  /** A new one in the place of any other, to be printed: it is given once. Everybody is told. */
  make(actor: Actor): string;
  /** Uses it up and tells everybody; gives the token of a link for an account. Throws an InvalidFieldsError, or `sign_in_held`. */
  use(use: SealedUse): string;
}

export interface SealedCredentialOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly announcements: Announcements;
}

/** 120 bits: nobody guesses it, and a plain hash of it is enough. */
const LETTERS = 24;
/** The account has to be made at once, ms. */
const LINK_MS = 3_600_000;
/** How long its account is a headteacher's, ms: by then the chair of governors has appointed one. */
export const SEALED_ROLE_MS = 7 * 86_400_000;
const MAX_NAME = 100;
const MAX_REASON = 500;

export function createSealedCredential(options: SealedCredentialOptions): SealedCredential {
  const { record } = options;
  return {
    state: () =>
      record.read((tx) => {
        const found = findSealedCredential(tx);
        if (found === null) return { is: 'none' };
        const { madeAt, madeBy, usedAt } = found;
        return { is: usedAt === null ? 'sealed' : 'used', madeAt, madeBy: findFullName(tx, madeBy) ?? madeBy, usedAt };
      }),
    make: (actor) => record.write((tx) => make(options, tx, actor)),
    use: (use) => {
      const read = readUse(use);
      // A refusal is counted and put on record: nothing of it is rolled back.
      const used = record.write((tx) => open(options, tx, { ...read, address: use.address }));
      if (typeof used === 'string') return used;
      throw used;
    },
  };
}

function make({ audit, clock, announcements }: SealedCredentialOptions, tx: Tx, actor: Actor): string {
  const code = typedCode(randomBytes(LETTERS));
  const codeHash = tokenHash(readTypedCode(code, LETTERS)!);
  storeSealedCredential(tx, { codeHash, madeBy: actor.personId, madeAt: clock(), usedAt: null });
  const { userName, address } = actor;
  audit.append(tx, { actor: userName, action: 'sealed-credential.made', subject: 'sealed-credential', address });
  const who = findFullName(tx, actor.personId) ?? userName;
  const text = `${who} made a new sealed headteacher credential for the safe. Any that was there before is good no more.`;
  announcements.tell(tx, 'everybody', 'a new sealed credential', text);
  return code;
}

function readUse({ code, name, reason }: SealedUse): Omit<SealedUse, 'address'> {
  const problems: FieldProblem[] = [];
  const plain = (text: string): string => text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  const read = { code: readTypedCode(code, LETTERS) ?? '', name: plain(name), reason: plain(reason) };
  if (read.code === '')
    problems.push({ field: 'code', reason: `Type the ${LETTERS} letters and digits as they are printed.` });
  if (read.name === '' || read.name.length > MAX_NAME)
    problems.push({ field: 'name', reason: `Give your name, in at most ${MAX_NAME} characters.` });
  if (read.reason === '' || read.reason.length > MAX_REASON)
    problems.push({ field: 'reason', reason: `Say why it is used, in at most ${MAX_REASON} characters.` });
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  return read;
}

function open(options: SealedCredentialOptions, tx: Tx, use: SealedUse): string | SchoolgateError {
  const { audit, clock, announcements } = options;
  const now = clock();
  const counted = tried('console', use.address, null);
  const heldFor = countAttempt(tx, counted, now);
  if (heldFor > 0) return held(heldFor);
  const { name, reason, address } = use;
  const entry = { actor: 'console', subject: 'sealed-credential', reason, address } as const;
  const found = findSealedCredential(tx);
  if (found === null || found.usedAt !== null || !isCode(use.code, found.codeHash)) {
    audit.append(tx, { ...entry, action: 'sealed-credential.refused', after: { name } });
    return wrongField('code', 'This is not the code of a credential that is good.');
  }
  takeBackAttempt(tx, counted);
  markSealedUsed(tx, now);
  audit.append(tx, { ...entry, action: 'sealed-credential.used', after: { name } });
  const text = `The sealed headteacher credential was used by somebody who gave the name “${name}”, because: “${reason}”. Whoever used it is headteacher for seven days. If this is not right, tell the chair of governors and the network manager at once.`;
  announcements.tell(tx, 'everybody', 'the sealed credential was used', text);
  return makeLink(tx, name, now);
}

function makeLink(tx: Tx, name: string, now: number): string {
  const token = newToken();
  const role = 'headteacher';
  deleteFirstLinksOf(tx, role);
  const link = {
    roles: [role],
    rolesEndAt: now + SEALED_ROLE_MS,
    fullName: name,
    person: null,
    invitedBy: null,
  } as const;
  insertInvitation(tx, { ...link, tokenHash: tokenHash(token), expiresAt: now + LINK_MS });
  return token;
}

function isCode(plain: string, codeHash: string): boolean {
  return timingSafeEqual(Buffer.from(tokenHash(plain)), Buffer.from(codeHash));
}
