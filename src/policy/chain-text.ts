import type { ChainLink } from './chain.ts';

/** One rule of the precedence as a line for people. */
export interface ChainRow {
  readonly asked: string;
  readonly said: string;
  readonly decided: boolean;
}

const DOES = { allow: 'allows', monitor: 'allows, and an adult is told', warn: 'warns', block: 'refuses' } as const;
const WOULD = {
  allow: 'would allow',
  monitor: 'would allow, and an adult be told',
  warn: 'would warn',
  block: 'would refuse',
} as const;

/** What each rule said, in the order they are asked. */
export function chainRows(links: readonly ChainLink[]): ChainRow[] {
  const decider = links.findIndex(({ decided }) => decided);
  return links.map((link, i) => ({ asked: link.asked, said: saidText(link, i > decider), decided: link.decided }));
}

function saidText({ said, action, reason, category, rule }: ChainLink, isLater: boolean): string {
  if (said === 'never-asked') return 'never asked here';
  if (said === 'nothing') return 'nothing';
  if (said === 'not-in-force') return `nothing: ${rule} is not in force now, or not for them`;
  const why = category === null ? `${reason}` : `${reason} ${category}`;
  const what = (isLater ? WOULD : DOES)[action!];
  return `${what}: ${why}${rule === null ? '' : ` (${rule})`}`;
}
