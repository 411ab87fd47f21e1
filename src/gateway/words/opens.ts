import { localInput, localText } from '../../kernel/local-time.ts';

/** When the web opens again, as a sentence; with the day where it is another one than `now` lies in. Both ms. */
export function opensText(opens: number, now: number, zone: string): string {
  const [day, today] = [opens, now].map((at) => localInput(at, zone).slice(0, 10));
  const time = localInput(opens, zone).slice(11);
  return day === today ? `It opens again at ${time}.` : `It opens again on ${localText(opens, zone)}.`;
}
