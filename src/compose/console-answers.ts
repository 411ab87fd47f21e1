// gateway here: channel ──────┬──► answerGateway ──► identity's use cases
// elsewhere: Redis, sealed ───┘
import type { Bus } from '../events/bus.ts';
import { loadOrCreateKeys } from '../events/signing.ts';
import type { Logger } from '../telemetry/log.ts';
import { answerGateway, type ConsoleAnswers } from './console-questions.ts';
import type { ConsoleRooms } from './console-rooms.ts';
import { frontDeskDevices } from './front-desk-devices.ts';
import { frontDeskLessons } from './front-desk-lessons.ts';
import { frontDeskReports } from './front-desk-reports.ts';
import { frontDeskWishes } from './front-desk-wishes.ts';

/** What gateways are answered; a fault on our side is `no-answer`. */
export function consoleAnswers({ accounts, devices, lessons, ...rooms }: ConsoleRooms, log: Logger): ConsoleAnswers {
  return {
    verify: async (credentials) => {
      try {
        return rooms.selfTestLogins.verify(credentials) ?? (await accounts.verify(credentials));
      } catch (error) {
        log.error({ err: error }, 'credentials could not be checked');
        return 'no-answer';
      }
    },
    devices: frontDeskDevices(devices, log),
    lessons: frontDeskLessons(lessons, devices, log),
    wishes: frontDeskWishes({ ...rooms, devices }, log),
    reports: frontDeskReports({ ...rooms, devices }, log),
  };
}

/** Answers gateways on other machines, until `opened` is closed. Nothing to do where there is no Redis. */
export async function startAnswering(
  bus: Bus,
  { layout, clock, safeguarding }: ConsoleRooms,
  answers: ConsoleAnswers,
  opened: AsyncDisposableStack,
): Promise<void> {
  const answerer = bus.answerer({
    signWith: loadOrCreateKeys(layout).privateKey,
    clock,
    onAlarm: (code, text) => safeguarding.raise(code, text),
  });
  if (answerer === null) return;
  opened.defer(() => answerer.close());
  await answerer.start((question) => answerGateway(answers, question));
}
