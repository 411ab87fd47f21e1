/**
 * The two parts of an index that a look-up reads. The filter is small enough to stay in a processor's cache and answers most questions
 * that have no answer; the slots say which set of lists an entry stands in. Fingerprints take the place of names.
 */
export interface SlotTable {
  /** Two bits of one word for each entry. */
  readonly filter: Uint32Array;
  /** Two words a slot: 32 bits of fingerprint; 16 bits of fingerprint and the set's number, 0 for an empty slot. */
  readonly slots: Uint32Array;
}

const BUCKET_WORDS = 16;
const SLOT_WORDS = 2;
/** Slots in use. A fuller table makes longer searches, and the filter spares most of them. */
const FILL = 0.95;
const FILTER_BITS = 5;

/** How many words a table for this many entries takes. At least one slot stays empty: there every search ends. */
export function tableSize(entries: number): { readonly filterWords: number; readonly slotWords: number } {
  const slots = Math.max(entries + 1, entries / FILL);
  return {
    filterWords: Math.max(1, Math.ceil((entries * FILTER_BITS) / 32)),
    slotWords: Math.ceil((slots * SLOT_WORDS) / BUCKET_WORDS) * BUCKET_WORDS,
  };
}

/** Adds an entry by its hash; `set` from 1 to 65,535. The same hash must not be added twice. */
export function addEntry({ filter, slots }: SlotTable, high: number, low: number, set: number): void {
  filter[scale(low, filter.length)]! |= filterMask(high);
  let at = firstSlot(high, slots.length);
  while (slots[at + 1] !== 0) at = at + SLOT_WORDS === slots.length ? 0 : at + SLOT_WORDS;
  slots[at] = low;
  slots[at + 1] = ((high & 0xffff) << 16) | set;
}

/** The set of the entry with this hash, or 0. */
export function findEntry({ filter, slots }: SlotTable, high: number, low: number): number {
  const mask = filterMask(high);
  if ((filter[scale(low, filter.length)]! & mask) !== mask) return 0;
  const tag = high & 0xffff;
  let at = firstSlot(high, slots.length);
  for (;;) {
    const word = slots[at + 1]!;
    if (word === 0) return 0;
    if (slots[at] === low && word >>> 16 === tag) return word & 0xffff;
    at += SLOT_WORDS;
    if (at === slots.length) at = 0;
  }
}

// The bits that choose a bit of the filter are not those that choose the bucket or stand in the slot.
function filterMask(high: number): number {
  return (1 << (high >>> 27)) | (1 << ((high >>> 16) & 31));
}

/** The first slot of a hash's bucket: a search begins on a cache line and runs on into the next bucket when this one is full. */
function firstSlot(high: number, slotWords: number): number {
  return scale(high, slotWords / BUCKET_WORDS) * BUCKET_WORDS;
}

function scale(word: number, limit: number): number {
  return Math.floor((word * limit) / 0x1_0000_0000);
}
