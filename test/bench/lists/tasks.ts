/** Compiles a folder of lists. */
export interface BuildTask {
  readonly kind: 'build';
  /** Holds the catalogue; the index comes into `data` below it. */
  readonly folder: string;
}

/** Loads what was built and looks hosts up, `count` times one that is there and as often one that is not. */
export interface LookUpTask {
  readonly kind: 'look-up';
  readonly folder: string;
  readonly listed: readonly string[];
  readonly unlisted: readonly string[];
  readonly count: number;
}

export type ListTask = BuildTask | LookUpTask;

export interface BuildResult {
  readonly cpuSeconds: number;
  readonly bytes: number;
  readonly names: number;
}

export interface LookUpResult {
  readonly loadSeconds: number;
  /** Resident memory that the index took. */
  readonly memoryBytes: number;
  /** CPU of one look-up, µs. */
  readonly hitMicros: number;
  readonly missMicros: number;
}

export interface ListResults {
  readonly build: BuildResult;
  readonly 'look-up': LookUpResult;
}
