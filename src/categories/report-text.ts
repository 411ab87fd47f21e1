import type { UpdateReport } from './service.ts';

/** What an update came to, a sentence a line. */
export function formatReport({ fetched, changes, alarms }: UpdateReport): string[] {
  const unchanged = fetched.filter(({ result }) => result === 'unchanged').length;
  const problems = fetched.flatMap(({ problem }) => problem ?? []);
  const lines = changes.map(({ id, before, after }) => {
    if (after === null) return `${id}: no longer in force.`;
    const was = before === null ? 'new' : `before: ${count(before.entries)}`;
    return `${id}: ${count(after.entries)} entries in force (${was}).`;
  });
  if (unchanged > 0) lines.push(`${unchanged} ${unchanged === 1 ? 'list has' : 'lists have'} not changed.`);
  if (fetched.length === 0 && changes.length === 0 && alarms.length === 0) lines.push('Nothing was due.');
  return [...lines, ...problems, ...alarms];
}

function count(value: number): string {
  return value.toLocaleString('en-GB');
}
