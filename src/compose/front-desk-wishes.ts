// front desk ── wish ──► supervisor ── wish ──► console ── what became of it ──► back the same way
import type { DeviceSessions } from '../identity/device-service.ts';
import type { Directory } from '../identity/directory/service.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { type DeskWishAnswer, type WishAsk, readWishAsk } from '../unblock/wish.ts';
import type { Wishes } from '../unblock/wish-service.ts';
import { FRONT_DESK_MS, NO_ANSWER } from './front-desk-devices.ts';
import type { ProcessLink } from './process-link.ts';

/** Answers what somebody at a device asks, as JSON, to have opened or closed. Never rejects. */
export type AnswerWishes = (address: string, ask: string) => Promise<DeskWishAnswer>;

export interface FrontDeskWishesOptions {
  readonly wishes: Wishes;
  readonly devices: DeviceSessions;
  readonly directory: Directory;
}

/** The console's end: whoever is signed in at the address is who asks. */
export function frontDeskWishes({ wishes, devices, directory }: FrontDeskWishesOptions, log: Logger): AnswerWishes {
  return async (address, json) => {
    try {
      const ask = readWishAsk(json);
      const person = devices.personAt(address);
      if (ask === null) return { state: 'refused', reason: 'The front desk could not read this request.' };
      if (person === null) return { state: 'nobody' };
      const { id: personId, userName, fullName } = person;
      const isNobody =
        userName.startsWith('guest:') || directory.members().find(({ id }) => id === personId)?.kind === 'class';
      // A guest goes home, and an account that a class shares names nobody who could be answered.
      if (isNobody)
        return { state: 'refused', reason: 'This account is nobody’s own. Ask a member of staff in person.' };
      return wishes.desk({ personId, userName, fullName, address }, ask);
    } catch (error) {
      if (error instanceof SchoolgateError && error.fault === 'client') {
        return { state: 'refused', reason: error.publicText };
      }
      log.error({ err: error }, 'what somebody asks for could not be looked at');
      return NO_ANSWER;
    }
  };
}

/** The front desk's end. */
export function wishesOver(link: ProcessLink): (address: string, ask: WishAsk) => Promise<DeskWishAnswer> {
  return (address, ask) =>
    link.ask({ type: 'wish', address, ask: JSON.stringify(ask) }, FRONT_DESK_MS).then(
      (answer) => answer as DeskWishAnswer,
      () => NO_ANSWER,
    );
}
