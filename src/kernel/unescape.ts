const PERCENT = 37;
const LOWER_U = 117;

/**
 * The bytes (UTF-8) of a text with its percent-escapes undone, and what that makes undone again, until none is left. Also read as
 * the character they stand for: `%uXXXX`, which Windows servers understand, and ASCII written in more UTF-8 bytes than it needs.
 *
 * One pass: a byte is added, then whatever now stands at the end is undone for as long as it can be. No escape holds a part of
 * another, so the order makes no difference to what is left, and each step but the first shortens it.
 */
export function unescapeFully(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    bytes[length++] = bytes[i]!;
    for (let shorter = undoLast(bytes, length); shorter < length; shorter = undoLast(bytes, length)) length = shorter;
  }
  return bytes.subarray(0, length);
}

/** Undoes the escape that ends at `length`, if one does, and gives the length that is left. */
function undoLast(bytes: Buffer, length: number): number {
  const last = bytes[length - 1]!;
  if (last >= 0x80) return undoOverlong(bytes, length, last);
  if (length < 3 || hexValue(last) < 0) return length;
  if (bytes[length - 3] === PERCENT) {
    const high = hexValue(bytes[length - 2]!);
    if (high < 0) return length;
    bytes[length - 3] = high * 16 + hexValue(last);
    return length - 2;
  }
  const isWide = length >= 6 && bytes[length - 6] === PERCENT && (bytes[length - 5]! | 32) === LOWER_U;
  return isWide ? undoWide(bytes, length) : length;
}

/** `%uXXXX`: one UTF-16 code unit. Halves of a pair stay halves. */
function undoWide(bytes: Buffer, length: number): number {
  let value = 0;
  for (let i = length - 4; i < length; i++) {
    const digit = hexValue(bytes[i]!);
    if (digit < 0) return length;
    value = value * 16 + digit;
  }
  let at = length - 6;
  if (value < 0x80) {
    bytes[at++] = value;
  } else {
    if (value < 0x800) {
      bytes[at++] = 0xc0 | (value >> 6);
    } else {
      bytes[at++] = 0xe0 | (value >> 12);
      bytes[at++] = 0x80 | ((value >> 6) & 63);
    }
    bytes[at++] = 0x80 | (value & 63);
  }
  return at;
}

/** ASCII in two, three or four bytes (RFC 3629 §3 forbids it, and some servers read it all the same). */
function undoOverlong(bytes: Buffer, length: number, last: number): number {
  if (last > 0xbf || length < 2) return length;
  const before = bytes[length - 2]!;
  let lead = -1;
  if ((before & 0xfe) === 0xc0) lead = length - 2;
  else if ((before & 0xfe) === 0x80 && bytes[length - 3] === 0xe0) lead = length - 3;
  else if ((before & 0xfe) === 0x80 && bytes[length - 3] === 0x80 && bytes[length - 4] === 0xf0) lead = length - 4;
  if (lead < 0) return length;
  bytes[lead] = ((before & 1) << 6) | (last & 63);
  return lead + 1;
}

function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
