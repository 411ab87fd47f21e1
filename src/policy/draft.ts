import type { PolicyChange } from './diff.ts';
import type { ExaminedPolicy } from './load.ts';
import type { PolicySnapshot } from './snapshot.ts';
import type { MergedTexts, PolicyTexts } from './texts.ts';

/** Open: its author works at it. Proposed: it waits for a second person, and says what it says. The others are the end of it. */
export type DraftState = 'open' | 'proposed' | 'published' | 'refused' | 'withdrawn' | 'superseded';

/** A change of the policy that is not in force: all files as they would be. */
export interface PolicyDraft {
  readonly id: string;
  readonly state: DraftState;
  readonly files: PolicyTexts;
  /** The files that it began from, or was last brought up to. */
  readonly base: PolicyTexts;
  readonly reason: string;
  /** Id of who stands for it; null: the files on disk say so, and nobody does yet. */
  readonly author: string | null;
  /** Hash of the files on disk that it began from; null: it lives in the record alone. */
  readonly diskHash: string | null;
  /** Counts each change of what it says. */
  readonly revision: number;
  /** Ms since the epoch. */
  readonly begunAt: number;
  readonly changedAt: number;
  readonly proposedAt: number | null;
  readonly decidedBy: string | null;
  readonly decidedAt: number | null;
  readonly word: string | null;
}

/** A draft, and what would come of it. */
export interface DraftView {
  readonly draft: PolicyDraft;
  readonly examined: ExaminedPolicy;
  /** Of the policy as compiled; null: it is not valid. */
  readonly hash: string | null;
  /** Against what is in force. */
  readonly changes: readonly PolicyChange[];
  /** Files that differ from those it began from. */
  readonly files: readonly string[];
  /** Somebody published something else after it was begun: what both come to. Null: nobody did. */
  readonly stale: MergedTexts | null;
  readonly isEnoughAlone: boolean;
}

/**
 * How a policy came into force: its files were applied on save, another person approved it, its author alone was enough, its author
 * alone in an emergency, or a reviewer took such an emergency back.
 */
export type PolicyWay = 'files' | 'two-people' | 'alone' | 'emergency' | 'review';

/** Whether every change closes something for pupils: the only kind that one person may publish, where the school allows that. */
export function onlyTightens(changes: readonly PolicyChange[]): boolean {
  return changes.length > 0 && changes.every(({ tightens = false }) => tightens);
}

export function loosens(changes: readonly PolicyChange[]): boolean {
  return changes.some((change) => change.loosens);
}

/** Whether an author needs nobody else: files would apply on save, or the policy in force lets tighter rules through. */
export function isEnoughAlone(
  inForce: PolicySnapshot | null,
  changes: readonly PolicyChange[],
  needsSecondPerson: boolean,
): boolean {
  return !needsSecondPerson || (inForce?.changes?.tighteningAlone === true && onlyTightens(changes));
}
