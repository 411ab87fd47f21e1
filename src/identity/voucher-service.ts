import { randomBytes } from 'node:crypto';
import type { Actor } from '../audit/entry.ts';
import type { Audit } from '../audit/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { IdMaker } from '../kernel/ids.ts';
import type { RecordDatabase } from '../store/database.ts';
import type { DeviceSessions } from './device-service.ts';
import { findVoucher, insertPerson, insertVoucher, listVouchers, markWithdrawn } from './repository.ts';
import { tokenHash } from './token.ts';
import { CODE_LETTERS, readTypedCode, typedCode } from './typed-code.ts';
import { type Voucher, type VoucherInput, readVoucher } from './vouchers.ts';

/** For data whose time has come. */
export { eraseGuests, oldestGuest } from './repository.ts';

/** Guests, for whom a member of staff answers. Every use case is one transaction. */
export interface Vouchers {
  /** The code is given once and kept nowhere. Throws an InvalidFieldsError. */
  make(actor: Actor, input: VoucherInput): { readonly voucher: Voucher; readonly code: string };
  /** Ends it at once, with every device the guest is signed in on. Throws a SchoolgateError (`voucher_unknown`). */
  withdraw(actor: Actor, guestId: string): Voucher;
  /** Newest first. */
  list(limit: number): Voucher[];
}

export interface VoucherOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly newId: IdMaker;
  readonly devices: DeviceSessions;
}

export function createVouchers(options: VoucherOptions): Vouchers {
  const { record } = options;
  return {
    make: (actor, input) => make(options, actor, input),
    withdraw: (actor, guestId) => withdraw(options, actor, guestId),
    list: (limit) => record.read((tx) => listVouchers(tx, limit)),
  };
}

function make(
  { record, audit, clock, newId }: VoucherOptions,
  actor: Actor,
  input: VoucherInput,
): { voucher: Voucher; code: string } {
  const now = clock();
  const { name, purpose, from, until } = readVoucher(input, now);
  const code = typedCode(randomBytes(CODE_LETTERS));
  const id = newId();
  const userName = `guest:${id.slice(-8).toLowerCase()}`;
  const voucher: Voucher = {
    guest: { id, userName, fullName: name },
    purpose,
    sponsorId: actor.personId,
    from,
    until,
    withdrawnAt: null,
  };
  record.write((tx) => {
    insertPerson(tx, voucher.guest, userName, now);
    insertVoucher(tx, voucher, tokenHash(readTypedCode(code)!));
    audit.append(tx, {
      actor: actor.userName,
      action: 'voucher.made',
      subject: `person:${id}`,
      after: { guest: userName, name, purpose, from, until },
      address: actor.address,
    });
  });
  return { voucher, code };
}

function withdraw({ record, audit, clock, devices }: VoucherOptions, actor: Actor, guestId: string): Voucher {
  const withdrawn = record.write((tx) => {
    const found = findVoucher(tx, guestId);
    if (found === null) throw new SchoolgateError('voucher_unknown', 'client', 'There is no such voucher.');
    if (found.withdrawnAt !== null) return found;
    const after = { ...found, withdrawnAt: clock() };
    markWithdrawn(tx, guestId, after.withdrawnAt);
    audit.append(tx, {
      actor: actor.userName,
      action: 'voucher.withdrawn',
      subject: `person:${guestId}`,
      address: actor.address,
    });
    return after;
  });
  devices.endOf(guestId, 'voucher withdrawn');
  return withdrawn;
}
