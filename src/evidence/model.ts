/** Shortest evidence password, characters. */
export const MIN_PASSWORD = 12;

/** Somebody with an account, as far as evidence is concerned. */
export interface NamedPerson {
  readonly id: string;
  readonly userName: string;
}
