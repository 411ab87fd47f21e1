import { type FieldProblem, InvalidFieldsError } from '../kernel/errors.ts';
import type { PersonName } from './accounts.ts';
import { DAY_MS } from '../kernel/clock.ts';

/** What a member of staff asks for. Instants in ms since the epoch; null: what was typed is none. */
export interface VoucherInput {
  readonly name: string;
  readonly purpose: string;
  readonly from: number | null;
  readonly until: number | null;
}

/** A guest's way in, for a time. */
export interface Voucher {
  /** The guest; their user name begins with `guest:`, which no account's can. */
  readonly guest: PersonName;
  readonly purpose: string;
  readonly sponsorId: string;
  readonly from: number;
  readonly until: number;
  readonly withdrawnAt: number | null;
}

export type VoucherState = 'to come' | 'good' | 'ended' | 'withdrawn';

export function voucherState({ from, until, withdrawnAt }: Voucher, now: number): VoucherState {
  if (withdrawnAt !== null) return 'withdrawn';
  if (now >= until) return 'ended';
  return now < from ? 'to come' : 'good';
}

const MAX_NAME = 100;
const MAX_PURPOSE = 300;
const MAX_DAYS = 31;

/** The terms as they will be kept. Throws an InvalidFieldsError with every field that is wrong. */
export function readVoucher(
  input: VoucherInput,
  now: number,
): Pick<Voucher, 'purpose' | 'from' | 'until'> & { name: string } {
  const problems: FieldProblem[] = [];
  const plain = (text: string): string => text.replace(/\p{Cc}+/gu, ' ').trim();
  const [name, purpose] = [plain(input.name), plain(input.purpose)];
  const { from, until } = input;
  const wrong = (field: string, reason: string): void => void problems.push({ field, reason });
  if (name === '' || name.length > MAX_NAME) wrong('name', `Give the guest’s name, in at most ${MAX_NAME} characters.`);
  if (purpose === '' || purpose.length > MAX_PURPOSE) {
    wrong('purpose', `Say what the guest is here for, in at most ${MAX_PURPOSE} characters.`);
  }
  if (from === null) wrong('from', 'Give the day and time from which it is good.');
  if (until === null) wrong('until', 'Give the day and time at which it ends.');
  else if (until <= now || (from !== null && until <= from))
    wrong('until', 'The end must be later than the start, and to come.');
  else if (from !== null && until - from > MAX_DAYS * DAY_MS)
    wrong('until', `A voucher is good for ${MAX_DAYS} days at most.`);
  if (problems.length > 0) throw new InvalidFieldsError(problems);
  return { name, purpose, from: from!, until: until! };
}
