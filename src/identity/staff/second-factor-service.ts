import { randomBytes } from 'node:crypto';
import type { Actor } from '../../audit/entry.ts';
import type { Audit } from '../../audit/service.ts';
import type { Clock } from '../../kernel/clock.ts';
import { InvalidFieldsError } from '../../kernel/errors.ts';
import type { ReadTx, RecordDatabase, Tx } from '../../store/database.ts';
import { tokenHash } from '../token.ts';
import { readCode, voucherCode } from '../vouchers.ts';
import {
  countRecoveryCodes,
  findFactor,
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
  /** New recovery codes in the place of the old ones, shown once. */
  renewRecoveryCodes(actor: Actor): readonly string[];
  state(personId: string): { readonly isSetUp: boolean; readonly recoveryCodes: number };
}

export interface SecondFactorOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly secrets: SecretBox;
}

const RECOVERY_CODES = 10;

export function createSecondFactors(options: SecondFactorOptions): SecondFactors {
  const { record, audit } = options;
  return {
    begin: ({ personId }) => record.write((tx) => begin(options, tx, personId)),
    confirm: (actor, code) => record.write((tx) => confirm(options, tx, actor, code)),
    renewRecoveryCodes: (actor) =>
      record.write((tx) => {
        audit.append(tx, actOf(actor, 'second-factor.codes-made'));
        return makeRecoveryCodes(tx, actor.personId);
      }),
    state: (personId) =>
      record.read((tx) => ({ isSetUp: isSetUp(tx, personId), recoveryCodes: countRecoveryCodes(tx, personId) })),
  };
}

/** Whether a code is asked of somebody. */
export function isSetUp(tx: ReadTx, personId: string): boolean {
  return (findFactor(tx, personId)?.confirmedAt ?? null) !== null;
}

/**
 * Takes a code of the app, or a recovery code, and uses it up. `none`: this person has no app set up. To be called for the right
 * password alone.
 */
export function takeCode(
  { secrets, clock }: Pick<SecondFactorOptions, 'secrets' | 'clock'>,
  tx: Tx,
  personId: string,
  code: string,
): 'app' | 'recovery' | 'wrong' | 'none' {
  const factor = findFactor(tx, personId);
  if (factor === null || factor.confirmedAt === null) return 'none';
  const step = acceptedStep(secrets.open(factor.sealedSecret, personId), code, clock(), factor.lastStep);
  if (step !== null && takeStep(tx, personId, step)) return 'app';
  const recovery = readCode(code);
  return recovery !== null && takeRecoveryCode(tx, personId, tokenHash(recovery)) ? 'recovery' : 'wrong';
}

function begin({ secrets }: SecondFactorOptions, tx: Tx, personId: string): Buffer {
  const there = findFactor(tx, personId);
  if (there !== null && there.confirmedAt === null) return secrets.open(there.sealedSecret, personId);
  if (there !== null) throw new InvalidFieldsError([{ field: 'code', reason: 'An app is set up already.' }]);
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
    throw new InvalidFieldsError([{ field: 'code', reason }]);
  }
  storeFactor(tx, personId, { ...factor, confirmedAt: clock(), lastStep: step });
  audit.append(tx, actOf(actor, 'second-factor.set-up'));
  return makeRecoveryCodes(tx, personId);
}

function makeRecoveryCodes(tx: Tx, personId: string): string[] {
  const codes = Array.from({ length: RECOVERY_CODES }, () => voucherCode(randomBytes(12)));
  storeRecoveryCodes(
    tx,
    personId,
    codes.map((code) => tokenHash(readCode(code)!)),
  );
  return codes;
}

function actOf<A extends 'second-factor.set-up' | 'second-factor.codes-made'>(
  { personId, userName, address }: Actor,
  action: A,
): { actor: string; action: A; subject: string; address: string } {
  return { actor: userName, action, subject: `person:${personId}`, address };
}
