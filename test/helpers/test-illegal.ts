import { randomBytes } from 'node:crypto';
import { illegalReader } from '../../src/categories/illegal-content.ts';
import { canaryEntry } from '../../src/categories/illegal-entry.ts';
import { encodeIllegal } from '../../src/categories/illegal-file.ts';
import { openIllegal } from '../../src/categories/illegal-index.ts';
import { canaryName, deriveIllegalKeys } from '../../src/categories/illegal-keys.ts';
import type { IllegalIndex } from '../../src/categories/illegal-match.ts';

export interface TestIllegal {
  readonly index: IllegalIndex;
  /** Of the list `test-<category>`. */
  readonly canary: (category: string) => string;
}

/** Loaded lists of illegal material over a few lines of `illegal-urls`, under a key of their own: category → lines. */
export function createTestIllegal(lines: Readonly<Record<string, readonly string[]>>): TestIllegal {
  const keys = deriveIllegalKeys(randomBytes(32));
  const canary = (category: string): string => canaryName(keys, `test-${category}`);
  const lists = Object.entries(lines).map(([category, texts]) => {
    const reader = illegalReader(keys, 'illegal-urls', 0);
    for (const [i, text] of texts.entries()) reader.line(text, i + 1);
    const entries = [...reader.end().entries, canaryEntry(keys, canary(category))];
    return { id: `test-${category}`, category, entries };
  });
  return { index: openIllegal(encodeIllegal(keys, lists), keys), canary };
}
