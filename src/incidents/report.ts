import type { FieldProblem } from '../kernel/errors.ts';
import { parseObject } from '../kernel/json.ts';
import type { TypedReport } from './terms.ts';

/** What somebody at a device reports. Plain data, as it travels. `key`: of the form, so that it is sent once. */
export interface ReportAsk extends TypedReport {
  readonly key: string;
}

export type DeskReportAnswer =
  | { readonly state: 'done' }
  | { readonly state: 'wrong'; readonly fields: readonly FieldProblem[] }
  | { readonly state: 'refused'; readonly reason: string }
  | { readonly state: 'no-answer' };

const MOST = 10_000;

/** Null: it is none. Anybody who reaches the bus can put a question. */
export function readReportAsk(json: string): ReportAsk | null {
  const ask = parseObject(json);
  if (ask === null) return null;
  const { site, what, about, isUnnamed, key } = ask;
  const isText = [site, what, about].every((one) => typeof one === 'string' && one.length <= MOST);
  if (!isText || typeof isUnnamed !== 'boolean' || typeof key !== 'string' || !/^[\w-]{1,40}$/.test(key)) return null;
  return { site: site as string, what: what as string, about: about as string, isUnnamed, key };
}
