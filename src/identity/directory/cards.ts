import { randomInt } from 'node:crypto';

/** What a printed card tells its owner. The password is shown once and kept nowhere but on it. */
export interface LogInCard {
  readonly fullName: string;
  readonly userName: string;
  readonly password: string;
}

// Letters and digits that no child takes for each other, and no vowels: no words come about.
const LETTERS = 'bcdfghjkmnpqrstvwxz';
const DIGITS = '23456789';

/** A temporary password such as `bkt-294-mwf-738`: 43 bits, easy to type. */
export function cardPassword(): string {
  const part = (alphabet: string): string =>
    Array.from({ length: 3 }, () => alphabet[randomInt(alphabet.length)]!).join('');
  return [LETTERS, DIGITS, LETTERS, DIGITS].map(part).join('-');
}
