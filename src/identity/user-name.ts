/**
 * The one spelling of a user name for comparing: names in schools' directories do not tell capitals apart, and the same
 * letters may be composed or not (Unicode NFC). Null if it is none: empty, longer than 128, or with control characters,
 * spaces at its ends, or a colon (which ends the name in Basic authentication, RFC 7617 §2).
 */
export function canonicalUser(name: string): string | null {
  if (name.length === 0 || name.length > 128 || name.trim() !== name) return null;
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f:]/.test(name)) return null;
  return name.normalize('NFC').toLowerCase();
}
