/** Where the origin listens on 127.0.0.1, and the PEM of the authority that vouches for it. */
export interface OriginPorts {
  readonly http: number;
  readonly tls: number;
  readonly ca: string;
}

/** The origin's name where a proxy can be told how to resolve it; the others get `localhost`. */
export const ORIGIN_NAME = 'www.origin.test';

/** A name that every proxy is told to refuse. No name server knows it. */
export const REFUSED_NAME = 'www.refused.test';

/** A name whose refusal an adult hears of; only Schoolgate knows such a thing. No name server knows it either. */
export const FLAGGED_NAME = 'www.flagged.test';

/** What a proxy is started for. */
export interface Setting {
  /** The proxy's own folder, empty, in which it may do as it likes. */
  readonly folder: string;
  readonly origin: OriginPorts;
  /** `ip:port` of a name server that knows ORIGIN_NAME and nothing else. */
  readonly nameServer: string;
  /** How many tunnels it must carry at once. */
  readonly tunnels: number;
  /** Names that Squid and e2guardian have to refuse besides, with everything under them. */
  readonly names: readonly string[];
}

export type ProxyId = 'direct' | 'schoolgate' | 'squid' | 'tinyproxy' | 'e2guardian';

/** A way to the origin: a proxy program, or none. */
export interface Way {
  readonly id: ProxyId;
  /** What is installed, or null. */
  version(): string | null;
  /** What the reader has to run where it is not installed. */
  readonly install: string;
  /** How it is set up, for the reader of the figures. */
  readonly setup: string;
  start(setting: Setting): Promise<RunningWay>;
}

export interface RunningWay extends AsyncDisposable {
  readonly id: ProxyId;
  /** Root of the process tree; null: there is none. */
  readonly pid: number | null;
  /** Where it listens on 127.0.0.1; null: go to the origin itself. */
  readonly port: number | null;
  /** The origin's name on this way. */
  readonly originHost: string;
  /** False: it closes after each plain request without saying so. */
  readonly keepAlive: boolean;
  /** How it refuses: the status of a plain request and of a CONNECT. */
  readonly refusal: Refusal;
}

export interface Refusal {
  readonly plain: number;
  readonly connect: number;
}

/** What HTTP has for it (RFC 9110 §15.5.4). */
export const FORBIDDEN: Refusal = { plain: 403, connect: 403 };
