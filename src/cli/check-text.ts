import { entryText } from '../categories/explain-match.ts';
import type { EntryMatch } from '../categories/match.ts';
import type { ChainLink } from '../policy/chain.ts';
import { chainRows } from '../policy/chain-text.ts';
import type { Checked } from '../policy/check-url.ts';
import type { Verdict } from '../policy/verdict.ts';

/** What `check` prints for a person at a terminal; `asked`: the address as it was typed. */
export function checkText(asked: string, checked: Checked): string {
  const { verdict, replay } = checked;
  const { explain } = verdict;
  const entries = checked.matched().map(entryLine);
  const lines = [
    `${headOf(verdict)}  ${verdict.canonical ?? asked}`,
    `  Said to the person  ${explain.user}`,
    `  For staff           ${explain.staff}`,
    `  Categories          ${verdict.categories.join(', ') || 'none'}`,
    ...entries.map((entry, i) => `  ${i === 0 ? 'On lists' : '        '}            ${entry}`),
    `  Flagged             ${verdict.flagged ? 'yes' : 'no'}`,
    `  Level               ${verdict.level}${verdict.user === null ? '' : `, for ${verdict.user}`}`,
    `  At                  ${verdict.at}`,
    `  Policy              ${policyText(verdict, replay !== null)}`,
    'What each rule said, in the order they are asked (">" decided):',
    ...chainLines(checked.chain()),
    ...(replay?.notes ?? []),
    ...remarks(checked),
  ];
  return `${lines.join('\n')}\n`;
}

function headOf({ verdict, action }: Verdict): string {
  if (verdict === 'allow') return 'ALLOWED';
  return action === 'warn' ? 'WARNED ' : 'BLOCKED';
}

function policyText({ serial }: Verdict, isPast: boolean): string {
  if (serial === 0) return 'as it stands on disk; none is published here yet';
  return isPast ? `serial ${serial}` : `serial ${serial}, in force on this machine`;
}

function remarks({ verdict, hostOnly, rangesUnasked, identified, unknownPerson }: Checked): string[] {
  const lines: string[] = [];
  if (hostOnly) lines.push('Judged by its host alone: over https a gateway sees no path, and neither does this check.');
  if (rangesUnasked)
    lines.push('Where the name leads is not looked up here, so the policy’s ranges of addresses were not asked.');
  if (unknownPerson)
    lines.push(`Neither policy nor directory knows ${verdict.user}, who therefore gets the strictest level.`);
  else if (identified === 'range') lines.push('The level is that of the address range.');
  return [...lines, 'Lists of illegal material are never consulted here.'];
}

function entryLine(entry: EntryMatch): string {
  const text = entryText(entry);
  // A screen's worth: an expression may be a page long.
  return `${entry.list}: ${text.length > 100 ? `${text.slice(0, 99)}…` : text}`;
}

function chainLines(links: readonly ChainLink[]): string[] {
  const rows = chainRows(links);
  const width = Math.max(...rows.map(({ asked }) => asked.length));
  return rows.map(({ asked, said, decided }, i) => {
    return `${decided ? '>' : ' '} ${String(i + 1).padStart(2)}  ${asked.padEnd(width)}  ${said}`;
  });
}
