import type { DeviceSessions } from '../identity/device-service.ts';
import { type DeskLessonAnswer, type LessonAsk, readAsk } from '../lessons/ask.ts';
import type { Lessons } from '../lessons/service.ts';
import type { Logger } from '../telemetry/log.ts';
import { answerSignedIn, askOver } from './front-desk-asks.ts';
import type { ProcessLink } from './process-link.ts';

/** Answers what somebody at a device asks, as JSON, of lesson lists. Never rejects. */
export type AnswerLessons = (address: string, ask: string) => Promise<DeskLessonAnswer>;

/** The console's end. */
export function frontDeskLessons(lessons: Lessons, devices: DeviceSessions, log: Logger): AnswerLessons {
  return answerSignedIn({
    devices,
    log,
    what: 'what was asked of lesson lists',
    read: readAsk,
    answer: ({ id: personId, userName }, address, ask) => lessons.answer({ personId, userName, address }, ask),
  });
}

/** The front desk's end. */
export function lessonsOver(link: ProcessLink): (address: string, ask: LessonAsk) => Promise<DeskLessonAnswer> {
  return askOver(link, 'lesson');
}
