/** Crockford's alphabet: no letters that are read as digits. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Letters of a voucher and of a recovery code: 60 bits, for doors that count tries. */
export const CODE_LETTERS = 12;

/** A code for typing, such as `K7MP-2QXR-9TBD`: a letter, 5 bits, from each random byte. */
export function typedCode(random: Uint8Array): string {
  const letters = Array.from(random, (byte) => LETTERS[byte & 31]!).join('');
  return letters.replace(/(.{4})(?=.)/g, '$1-');
}

/** The one spelling of a code of so many letters, however it was typed; null if it cannot be one. */
export function readTypedCode(typed: string, letters = CODE_LETTERS): string | null {
  if (typed.length > 100) return null;
  const plain = typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  return plain.length === letters && /^[0-9A-HJKMNP-TV-Z]+$/.test(plain) ? plain : null;
}
