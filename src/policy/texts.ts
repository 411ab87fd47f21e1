import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/** The files of a policy, by path in its folder: `school.yaml`, `levels/ks2.yaml`. */
export type PolicyTexts = Readonly<Record<string, string>>;

export function sameTexts(a: PolicyTexts, b: PolicyTexts): boolean {
  return changedFiles(a, b).length === 0;
}

/** Files that one has and the other has not, or says otherwise; in order. */
export function changedFiles(a: PolicyTexts, b: PolicyTexts): string[] {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].filter((name) => a[name] !== b[name]).sort();
}

/** Hex SHA-256. */
export function textsHash(texts: PolicyTexts): string {
  return createHash('sha256').update(canonicalJson(texts)).digest('hex');
}

/** The texts with one file replaced; null: without it. */
export function withFile(texts: PolicyTexts, file: string, text: string | null): PolicyTexts {
  const { [file]: _, ...others } = texts;
  return text === null ? others : { ...others, [file]: text };
}

/** Files that there are in a policy folder, and no other: what a form or a draft names is written by these names. */
const FILE =
  /^(?:(?:school|rules|safeguarding|alerts)\.yaml|(?:levels|agreements|topics)\/[a-z0-9][a-z0-9-]{0,63}\.yaml)$/;

export function isPolicyFile(file: string): boolean {
  return FILE.test(file);
}

/** Two sets of changes to the same files, together. */
export interface MergedTexts {
  readonly texts: PolicyTexts;
  /** Files that both have changed, and not alike; `texts` has `mine` of them. */
  readonly conflicts: readonly string[];
}

/** What became of `base` in `mine` and in `theirs`, file by file. */
export function mergeTexts(base: PolicyTexts, mine: PolicyTexts, theirs: PolicyTexts): MergedTexts {
  let texts = theirs;
  const conflicts: string[] = [];
  for (const file of changedFiles(base, mine)) {
    if (theirs[file] !== base[file] && theirs[file] !== mine[file]) conflicts.push(file);
    texts = withFile(texts, file, mine[file] ?? null);
  }
  return { texts, conflicts };
}
