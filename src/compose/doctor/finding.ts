import { SchoolgateError } from '../../kernel/errors.ts';

/** What a check found, in one sentence that says what to do where something is to be done. */
export interface Finding {
  readonly status: 'ok' | 'warning' | 'failed';
  readonly text: string;
}

export const ok = (text: string): Finding => ({ status: 'ok', text });
export const warning = (text: string): Finding => ({ status: 'warning', text });
export const failed = (text: string): Finding => ({ status: 'failed', text });

/** One thing that is looked at. What it throws counts as a failure, with its sentence. */
export interface Check {
  readonly name: string;
  readonly look: () => Finding | Promise<Finding>;
}

/** A check's name with what it found. */
export interface NamedFinding extends Finding {
  readonly name: string;
}

export async function lookAt({ name, look }: Check): Promise<NamedFinding> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    const text = error instanceof SchoolgateError ? error.publicText : (error as Error).message;
    return { name, ...failed(text.split('\n').slice(0, 2).join(' ')) };
  }
}
