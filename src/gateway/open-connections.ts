import { lessonsChange } from '../policy/lesson-lists.ts';
import { type Admission, admitAgain, noteActive } from './admit.ts';
import type { GatewayContext } from './context.ts';
import type { GatewayLimits } from './limits.ts';
import type { RelayEnd } from './relay.ts';

/** What lives on after its request was admitted: a tunnel, an upgraded connection, or an answer that is long in coming. */
export interface OpenConnection {
  readonly kind: 'tunnel' | 'answer';
  readonly admission: Admission;
  /** How long it may be silent in its present state, ms. */
  patience(limits: GatewayLimits): number;
  cut(why: Exclude<RelayEnd, null>): void;
  /** Called with the ms since the last sweep; gives how long nothing has moved, ms. */
  quietFor(ms: number): number;
}

const SWEEP_MS = 1_000;

/** Everything of this worker that is open: what is no longer allowed is cut, and what has gone quiet. */
export class OpenConnections {
  readonly #open = new Set<OpenConnection>();
  #judgedMinute = 0;
  #sweptAt = 0;
  /** When all that was open was last judged or swept. */
  #lookedAt = 0;

  add(context: GatewayContext, connection: OpenConnection): void {
    this.#open.add(connection);
    // What was decided on before the last look was still being connected then, and nobody asked again.
    if (connection.admission.startedAt > this.#lookedAt) return;
    setImmediate(() => this.#open.has(connection) && judge(context, connection));
  }

  delete(connection: OpenConnection): void {
    this.#open.delete(connection);
  }

  get size(): number {
    return this.#open.size;
  }

  /** Tunnels and upgraded connections. */
  get tunnels(): number {
    let count = 0;
    for (const { kind } of this.#open) if (kind === 'tunnel') count++;
    return count;
  }

  /** Judges every open connection again: called when a snapshot was replaced. */
  judgeAll(context: GatewayContext): void {
    this.#lookedAt = context.clock();
    for (const connection of this.#open) judge(context, connection);
  }

  /** Every second: the ends of grants, passes and sign-ins, lesson lists that begin or end, the minute marks of timetables, and idle connections. Needs no message from anywhere. */
  startSweeping(context: GatewayContext): () => void {
    const timer = setInterval(() => this.#sweep(context), SWEEP_MS);
    return () => clearInterval(timer);
  }

  cutAll(why: Exclude<RelayEnd, null>): number {
    const count = this.#open.size;
    for (const connection of this.#open) connection.cut(why);
    return count;
  }

  #sweep(context: GatewayContext): void {
    const now = context.clock();
    const minute = Math.floor(now / 60_000);
    const signedOut = context.snapshots.devices.endedBetween(this.#sweptAt, now);
    const haveLessonsChanged = lessonsChange(context.snapshots.live, this.#sweptAt, now);
    this.#sweptAt = now;
    this.#lookedAt = now;
    const isTimeToJudge = minute !== this.#judgedMinute || haveLessonsChanged;
    this.#judgedMinute = minute;
    for (const connection of this.#open) {
      const { decision, ask, who } = connection.admission;
      const quiet = connection.quietFor(SWEEP_MS);
      // A film of two hours is one request.
      if (quiet === 0) noteActive(context, who);
      if (quiet >= connection.patience(context.limits)) connection.cut('idle_timeout');
      else if (isTimeToJudge || endsByItself(decision) || signedOut.has(ask.client)) judge(context, connection);
    }
  }
}

/** What lets it through has an end of its own: an unblock, or a warning that was passed. */
function endsByItself({ reason, action }: Admission['decision']): boolean {
  return reason === 'unblock' || action === 'warn';
}

function judge(context: GatewayContext, connection: OpenConnection): void {
  const { admission } = connection;
  const decision = admitAgain(context, admission);
  if (decision.verdict !== 'block') return;
  // What has become listed as illegal meanwhile is not written down at the tunnel's end either.
  if (decision.locked) admission.decision = decision;
  connection.cut('cut');
}
