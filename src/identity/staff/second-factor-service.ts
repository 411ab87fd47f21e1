import { randomBytes } from 'node:crypto';
import type { Actor } from '../../audit/entry.ts';
import type { Audit } from '../../audit/service.ts';
import type { Clock } from '../../kernel/clock.ts';
import { SchoolgateError, wrongField } from '../../kernel/errors.ts';
import type { ReadTx, RecordDatabase, Tx } from '../../store/database.ts';
import { deleteSessionsOf, findById } from '../repository.ts';
import { tokenHash } from '../token.ts';
import { appointable } from '../permissions.ts';
import { CODE_LETTERS, readTypedCode, typedCode } from '../typed-code.ts';
import type { Announcements } from './announcement-service.ts';
import {
  countRecoveryCodes,
  deleteFactor,
  findFactor,
  hasRecoveryCode,
  storeFactor,
  storeRecoveryCodes,
  takeRecoveryCode,
  takeStep,
} from './repository.ts';
import type { SecretBox } from './secret-box.ts';
import { SECRET_BYTES, acceptedStep } from './totp.ts';

/** Codes of an authenticator app, and those for whoever has lost it. */
export interface SecondFactors {
  /** The secret for the app of somebody who has none set up yet; the same until it is confirmed. Throws an InvalidFieldsError. */
  begin(actor: Actor): Buffer;
  /** With a code of the app: from now on it is asked for. Gives recovery codes, shown once. Throws an InvalidFieldsError. */
  confirm(actor: Actor, code: string): readonly string[];
  /** New recovery codes in the place of the old ones, shown once. Throws `app_not_set_up`. */
  renewRecoveryCodes(actor: Actor): readonly string[];
  /**
   * For somebody who has lost their app and their recovery codes: both are good no more, what they have open ends, and they and the
   * headteacher are told. Gives the code, shown once and handed over, with which they sign in to set up another app. Throws
   * `account_unknown`, `account_own`, `app_not_set_up`, or an InvalidFieldsError where the actor gives none of their roles.
   */
  reset(actor: Actor, personId: string): string;
  /** `recoveryCodes` without an app: the one that was handed over when it was reset. */
  state(personId: string): { readonly isSetUp: boolean; readonly recoveryCodes: number };
}

export interface SecondFactorOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly secrets: SecretBox;
  readonly announcements: Announcements;
}

const RECOVERY_CODES = 10;

export function createSecondFactors(options: SecondFactorOptions): SecondFactors {
  const { record, audit } = options;
  return {
    begin: ({ personId }) => record.write((tx) => begin(options, tx, personId)),
    confirm: (actor, code) => record.write((tx) => confirm(options, tx, actor, code)),
    renewRecoveryCodes: (actor) =>
      record.write((tx) => {
        if (!isSetUp(tx, actor.personId)) throw notSetUp('Set up an authenticator app first.');
        audit.append(tx, actOf(actor, 'second-factor.codes-made'));
        return makeRecoveryCodes(tx, actor.personId);
      }),
    reset: (actor, personId) => record.write((tx) => reset(options, tx, actor, personId)),
    state: (personId) =>
      record.read((tx) => ({ isSetUp: isSetUp(tx, personId), recoveryCodes: countRecoveryCodes(tx, personId) })),
  };
}

/** Whether a code is asked of somebody: of their app, or the one they were handed when it was reset. */
export function asksCode(tx: ReadTx, personId: string): boolean {
  return isSetUp(tx, personId) || countRecoveryCodes(tx, personId) > 0;
}

export function isSetUp(tx: ReadTx, personId: string): boolean {
  return (findFactor(tx, personId)?.confirmedAt ?? null) !== null;
}

/**
 * Takes a code of the app, or a recovery code, and uses it up. `none`: none is asked of this person. To be called for the right
 * password alone.
 */
export function takeCode(
  { secrets, clock }: Pick<SecondFactorOptions, 'secrets' | 'clock'>,
  tx: Tx,
  personId: string,
  code: string,
): 'app' | 'recovery' | 'wrong' | 'none' {
  const factor = findFactor(tx, personId);
  const recovery = readTypedCode(code);
  if (factor === null || factor.confirmedAt === null) {
    if (!asksCode(tx, personId)) return 'none';
    // What was handed over stays good until another app is set up: whoever is interrupted must not be left with the password alone.
    return recovery !== null && hasRecoveryCode(tx, personId, tokenHash(recovery)) ? 'recovery' : 'wrong';
  }
  const step = acceptedStep(secrets.open(factor.sealedSecret, personId), code, clock(), factor.lastStep);
  if (step !== null && takeStep(tx, personId, step)) return 'app';
  return recovery !== null && takeRecoveryCode(tx, personId, tokenHash(recovery)) ? 'recovery' : 'wrong';
}

function begin({ secrets }: SecondFactorOptions, tx: Tx, personId: string): Buffer {
  const there = findFactor(tx, personId);
  if (there !== null && there.confirmedAt === null) return secrets.open(there.sealedSecret, personId);
  if (there !== null) throw wrongField('code', 'An app is set up already.');
  const secret = randomBytes(SECRET_BYTES);
  storeFactor(tx, personId, { sealedSecret: secrets.seal(secret, personId), confirmedAt: null, lastStep: 0 });
  return secret;
}

function confirm({ audit, clock, secrets }: SecondFactorOptions, tx: Tx, actor: Actor, code: string): string[] {
  const { personId } = actor;
  const factor = findFactor(tx, personId);
  const isOpen = factor !== null && factor.confirmedAt === null;
  const step = isOpen ? acceptedStep(secrets.open(factor.sealedSecret, personId), code, clock(), 0) : null;
  if (!isOpen || step === null) {
    const reason = 'This is not the code that the app shows now. Look whether the clock of your device is right.';
    throw wrongField('code', reason);
  }
  storeFactor(tx, personId, { ...factor, confirmedAt: clock(), lastStep: step });
  audit.append(tx, actOf(actor, 'second-factor.set-up'));
  return makeRecoveryCodes(tx, personId);
}

function reset({ audit, clock, announcements }: SecondFactorOptions, tx: Tx, actor: Actor, personId: string): string {
  const [person, by] = [personId, actor.personId].map((id) => findById(tx, id, clock())?.person);
  if (person === undefined) throw new SchoolgateError('account_unknown', 'client', 'There is no such account.');
  if (personId === actor.personId) {
    throw new SchoolgateError('account_own', 'client', 'Nobody resets their own app: sign in with a recovery code.');
  }
  const given = appointable(by?.roles ?? []);
  if (!person.roles.some((role) => given.includes(role))) {
    throw wrongField('roles', 'Your role gives none of theirs, so it does not reset their app.');
  }
  if (!asksCode(tx, personId)) throw notSetUp('They have no app that is set up.');
  deleteFactor(tx, personId);
  const code = typedCode(randomBytes(CODE_LETTERS));
  storeRecoveryCodes(tx, personId, [tokenHash(readTypedCode(code)!)]);
  deleteSessionsOf(tx, personId);
  audit.append(tx, {
    actor: actor.userName,
    action: 'second-factor.reset',
    subject: `person:${personId}`,
    address: actor.address,
  });
  const text = `${by!.fullName} reset the authenticator app of ${person.fullName}, who signs in with a code they were given and sets up another one. If ${person.fullName} did not ask for this, tell the headteacher or the chair of governors at once.`;
  announcements.tell(tx, { personId, and: 'headteacher' }, 'an authenticator app was reset', text);
  return code;
}

function notSetUp(text: string): SchoolgateError {
  return new SchoolgateError('app_not_set_up', 'client', text);
}

function makeRecoveryCodes(tx: Tx, personId: string): string[] {
  const codes = Array.from({ length: RECOVERY_CODES }, () => typedCode(randomBytes(CODE_LETTERS)));
  storeRecoveryCodes(
    tx,
    personId,
    codes.map((code) => tokenHash(readTypedCode(code)!)),
  );
  return codes;
}

function actOf<A extends 'second-factor.set-up' | 'second-factor.codes-made'>(
  { personId, userName, address }: Actor,
  action: A,
): { actor: string; action: A; subject: string; address: string } {
  return { actor: userName, action, subject: `person:${personId}`, address };
}
