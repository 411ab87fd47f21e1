import { readFileSync } from 'node:fs';
import type { DataLayout } from '../config/data-layout.ts';
import { replaceFile } from '../kernel/durable-file.ts';

/** What this gateway found when it last asked for the canary of each illegal list, by list id. */
export type CanaryFindings = Readonly<Record<string, { readonly checkedAt: string; readonly refused: boolean }>>;

export function writeFindings({ canaries }: DataLayout, findings: CanaryFindings): void {
  replaceFile(canaries, `${JSON.stringify(findings, null, 2)}\n`);
}

/** Empty when no gateway has looked here yet. */
export function readFindings({ canaries }: DataLayout): CanaryFindings {
  try {
    return JSON.parse(readFileSync(canaries, 'utf8')) as CanaryFindings;
  } catch {
    return {};
  }
}
