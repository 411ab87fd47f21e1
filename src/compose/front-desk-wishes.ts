import type { DeviceSessions } from '../identity/device-service.ts';
import type { Directory } from '../identity/directory/service.ts';
import type { Logger } from '../telemetry/log.ts';
import { type DeskWishAnswer, type WishAsk, readWishAsk } from '../unblock/wish.ts';
import type { Wishes } from '../unblock/wish-service.ts';
import { answerSignedIn, askOver } from './front-desk-asks.ts';
import type { ProcessLink } from './process-link.ts';

/** Answers what somebody at a device asks, as JSON, to have opened or closed. Never rejects. */
export type AnswerWishes = (address: string, ask: string) => Promise<DeskWishAnswer>;

export interface FrontDeskWishesOptions {
  readonly wishes: Wishes;
  readonly devices: DeviceSessions;
  readonly directory: Directory;
}

/** The console's end. */
export function frontDeskWishes({ wishes, devices, directory }: FrontDeskWishesOptions, log: Logger): AnswerWishes {
  return answerSignedIn<WishAsk, DeskWishAnswer>({
    devices,
    log,
    what: 'what somebody asks for',
    read: readWishAsk,
    answer: ({ id: personId, userName, fullName }, address, ask) => {
      // A guest goes home, and an account that a class shares names nobody who could be answered.
      const isNobody =
        userName.startsWith('guest:') || directory.members().find(({ id }) => id === personId)?.kind === 'class';
      return isNobody
        ? { state: 'refused', reason: 'This account is nobody’s own. Ask a member of staff in person.' }
        : wishes.desk({ personId, userName, fullName, address }, ask);
    },
  });
}

/** The front desk's end. */
export function wishesOver(link: ProcessLink): (address: string, ask: WishAsk) => Promise<DeskWishAnswer> {
  return askOver(link, 'wish');
}
