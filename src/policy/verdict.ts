/**
 * What is done with a request that reached a category or rule. `warn` refuses with a page that a person can pass after reading;
 * passed, its verdict is `allow` and it is flagged.
 */
export type Action = 'allow' | 'monitor' | 'warn' | 'block';

/** Why, in closed words (the contract's list). */
export const REASONS = [
  'malformed',
  'protocol',
  'port',
  'destination',
  'illegal',
  'never',
  'person',
  'unblock',
  'group',
  'allow-list',
  'block-list',
  'category',
  'uncategorised',
  'schedule',
  'lesson',
  'agreement',
  'identity',
  'limit',
  'default',
  'fault',
] as const;
export type Reason = (typeof REASONS)[number];

/** Who speaks, in order: the first that does wins. */
export const STEPS = [
  'target', // malformed, protocol, port, destination: what cannot be judged or reached is not worth judging further
  'illegal', // before anything a school or a person may say
  'never', // the school's own never-list: no unblock may pass it
  'person-block', // a person's own block or suspension stands above what their class was opened
  'lesson', // "only these sites, this hour" binds the class, whatever else was opened
  'unblock', // a grant in force for this person and time
  'person-allow',
  'group',
  'level',
  'default',
] as const;
export type Step = (typeof STEPS)[number];

/** The answer to one request, without the words: small enough to keep for every open tunnel. */
export interface Decision {
  readonly verdict: 'allow' | 'block';
  readonly action: Action;
  readonly reason: Reason;
  readonly step: Step;
  /** The category that decided, or null. */
  readonly category: string | null;
  /** Where the deciding rule stands, such as `levels/ks2.yaml#categories.gambling`; null where no document decided. */
  readonly rule: string | null;
  readonly flagged: boolean;
  /** True for illegal material: the target is never written in clear. */
  readonly locked: boolean;
}

/** The contract's verdict, as `check` prints it. */
export interface Verdict extends Decision {
  readonly categories: readonly string[];
  readonly lists: readonly string[];
  readonly level: string;
  readonly user: string | null;
  /** Null when `locked`. */
  readonly canonical: string | null;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Content hash of the policy that decided. */
  readonly policy: string;
  readonly serial: number;
  readonly explain: { readonly user: string; readonly staff: string };
}
