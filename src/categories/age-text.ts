/** Whole days, or hours on the first day: `3 days`, `1 hour`, `less than an hour`. */
export function ageText(ms: number): string {
  const hours = Math.max(0, Math.floor(ms / 3_600_000));
  if (hours === 0) return 'less than an hour';
  const [count, unit] = hours < 24 ? [hours, 'hour'] : [Math.floor(hours / 24), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
