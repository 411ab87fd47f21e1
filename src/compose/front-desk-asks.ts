// front desk ── what ──► supervisor ── what ──► console ── what became of it ──► back the same way
import type { DeviceSessions } from '../identity/device-service.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { FRONT_DESK_MS, NO_ANSWER } from './front-desk-devices.ts';
import type { ProcessLink } from './process-link.ts';

/** Why somebody at a device is not answered. */
type Unanswered =
  | { readonly state: 'nobody' | 'no-answer' }
  /** In words: why it was not done. */
  | { readonly state: 'refused'; readonly reason: string };

export interface SignedInAsks<Ask, Answer> {
  readonly devices: DeviceSessions;
  readonly log: Logger;
  /** Completes “… could not be looked at”. */
  readonly what: string;
  /** Null: it is no ask. It came over a wire. */
  readonly read: (json: string) => Ask | null;
  readonly answer: (
    person: NonNullable<ReturnType<DeviceSessions['personAt']>>,
    address: string,
    ask: Ask,
  ) => Answer | Promise<Answer>;
}

/** The console's end of what whoever is signed in at an address asks, as JSON. Never rejects. */
export function answerSignedIn<Ask, Answer>({
  devices,
  log,
  what,
  read,
  answer,
}: SignedInAsks<Ask, Answer>): (address: string, json: string) => Promise<Answer | Unanswered> {
  return async (address, json) => {
    try {
      const ask = read(json);
      const person = devices.personAt(address);
      if (ask === null) return { state: 'refused', reason: 'The front desk could not read this request.' };
      if (person === null) return { state: 'nobody' };
      return await answer(person, address, ask);
    } catch (error) {
      if (error instanceof SchoolgateError && error.fault === 'client') {
        return { state: 'refused', reason: error.publicText };
      }
      log.error({ err: error }, `${what} could not be looked at`);
      return NO_ANSWER;
    }
  };
}

/** The front desk's end, by messages of a type. */
export function askOver<Answer>(
  link: ProcessLink,
  type: string,
): (address: string, ask: unknown) => Promise<Answer | typeof NO_ANSWER> {
  return (address, ask) =>
    link.ask({ type, address, ask: JSON.stringify(ask) }, FRONT_DESK_MS).then(
      (answer) => answer as Answer,
      () => NO_ANSWER,
    );
}
