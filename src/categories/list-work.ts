import { randomUUID } from 'node:crypto';
import { formatReport } from './report-text.ts';
import type { OnStep, Step, UpdateReport } from './service.ts';

/** What became of an act: its report, a line each, or why it could not be done. */
export type Outcome = { readonly report: readonly string[] } | { readonly error: unknown };

/** An act on the lists that somebody began at the console. Fetching and building can take minutes. */
export interface ListWork {
  readonly id: string;
  /** What is being done, as a heading: `Fetching all lists`. */
  readonly title: string;
  step(): Step;
  /** Null while it goes on. */
  outcome(): Outcome | null;
}

/** The acts that pages show. */
export interface ListWorks {
  /** Begins an act; resolves when it is done, or is not done soon. */
  begin(title: string, act: (onStep: OnStep) => Promise<UpdateReport>): Promise<ListWork>;
  /** Null: there was none, or it was long ago, or in a console before this one. */
  find(id: string): ListWork | null;
}

/** Longer than this nobody is left waiting without a sign. */
const SOON_MS = 1_500;
/** Acts that can still be looked at; two people may be at it at a time. */
const MOST_KEPT = 20;

export function createListWorks(soonMs = SOON_MS): ListWorks {
  const kept = new Map<string, ListWork>();
  return {
    find: (id) => kept.get(id) ?? null,
    async begin(title, act) {
      let step: Step = { doing: 'waiting' };
      let outcome: Outcome | null = null;
      const work: ListWork = { id: randomUUID(), title, step: () => step, outcome: () => outcome };
      kept.set(work.id, work);
      for (const id of kept.keys()) if (kept.size > MOST_KEPT) kept.delete(id);
      const done = act((next) => (step = next)).then(
        (report) => (outcome = { report: formatReport(report) }),
        (error: unknown) => (outcome = { error }),
      );
      let timer: NodeJS.Timeout;
      const soon = new Promise<void>((resolve) => (timer = setTimeout(resolve, soonMs)));
      await Promise.race([done, soon]).finally(() => clearTimeout(timer));
      return work;
    },
  };
}
