// front desk ── lesson ──► supervisor ── lesson ──► console ── what became of it ──► back the same way
import type { DeviceSessions } from '../identity/device-service.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { type DeskLessonAnswer, type LessonAsk, readAsk } from '../lessons/ask.ts';
import type { Lessons } from '../lessons/service.ts';
import type { Logger } from '../telemetry/log.ts';
import { FRONT_DESK_MS, NO_ANSWER } from './front-desk-devices.ts';
import type { ProcessLink } from './process-link.ts';

/** Answers what somebody at a device asks, as JSON, of lesson lists. Never rejects. */
export type AnswerLessons = (address: string, ask: string) => Promise<DeskLessonAnswer>;

/** The console's end: whoever is signed in at the address is who asks. */
export function frontDeskLessons(lessons: Lessons, devices: DeviceSessions, log: Logger): AnswerLessons {
  return async (address, json) => {
    try {
      const ask = readAsk(json);
      const person = devices.personAt(address);
      if (ask === null) return { state: 'refused', reason: 'The front desk could not read this request.' };
      if (person === null) return { state: 'nobody' };
      return await lessons.answer({ personId: person.id, userName: person.userName, address }, ask);
    } catch (error) {
      if (error instanceof SchoolgateError && error.fault === 'client') {
        return { state: 'refused', reason: error.publicText };
      }
      log.error({ err: error }, 'what was asked of lesson lists could not be looked at');
      return NO_ANSWER;
    }
  };
}

/** The front desk's end. */
export function lessonsOver(link: ProcessLink): (address: string, ask: LessonAsk) => Promise<DeskLessonAnswer> {
  return (address, ask) =>
    link.ask({ type: 'lesson', address, ask: JSON.stringify(ask) }, FRONT_DESK_MS).then(
      (answer) => answer as DeskLessonAnswer,
      () => NO_ANSWER,
    );
}
