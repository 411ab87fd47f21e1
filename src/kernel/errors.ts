/** Whose fault an error is; it decides who is told what, and the status. */
export type Fault = 'client' | 'upstream' | 'us';

/** An error with a code for machines, whose fault it is, and a sentence that may be shown to the person concerned. */
export class SchoolgateError extends Error {
  readonly code: string;
  readonly fault: Fault;
  readonly publicText: string;

  constructor(code: string, fault: Fault, publicText: string, options?: { cause?: unknown }) {
    super(publicText, options);
    this.name = 'SchoolgateError';
    this.code = code;
    this.fault = fault;
    this.publicText = publicText;
  }
}

/** One thing that is wrong with an input file or variable. `line` and `column` count from 1. */
export interface Problem {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly reason: string;
}

/** `file:line: reason`, as compilers print it. */
export function formatProblem(problem: Problem): string {
  const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}`;
  return `${place}: ${problem.reason}`;
}

/** Every problem of an input at once; nothing of that input may be used. */
export class InvalidInputError extends SchoolgateError {
  readonly problems: readonly Problem[];

  constructor(what: string, problems: readonly Problem[]) {
    super('invalid_input', 'client', `${what}:\n${problems.map((p) => `  ${formatProblem(p)}`).join('\n')}`);
    this.name = 'InvalidInputError';
    this.problems = problems;
  }
}

/** One field of a form, request or command that is wrong, in a sentence that says what to give instead. */
export interface FieldProblem {
  readonly field: string;
  readonly reason: string;
}

/** Every field that is wrong at once; nothing was done. */
export class InvalidFieldsError extends SchoolgateError {
  readonly fields: readonly FieldProblem[];

  constructor(fields: readonly FieldProblem[]) {
    super('invalid_fields', 'client', fields.map((field) => field.reason).join('\n'));
    this.name = 'InvalidFieldsError';
    this.fields = fields;
  }
}

/** One field alone is wrong. */
export function wrongField(field: string, reason: string): InvalidFieldsError {
  return new InvalidFieldsError([{ field, reason }]);
}
