import { type AlertAbout, idOf } from '../alerts/model.ts';
import type { Subjects } from '../identity/conflict-of-interest.ts';
import { incidentSubjects } from '../incidents/service.ts';
import { findConcern } from '../safeguarding/concerns/service.ts';
import type { ReadTx } from '../store/database.ts';
import { subjectsAt } from './concern-alerts.ts';

/** Whom what alerts tell of is about, as is known at an instant; null: it is on record no more. */
export function subjectsNow(tx: ReadTx, now: number): (about: AlertAbout) => Subjects | null {
  let ofConcern: ReturnType<typeof subjectsAt> | null = null;
  return (about) => {
    const concernId = idOf(about, 'concern');
    if (concernId === null) return incidentSubjects(tx, idOf(about, 'incident')!);
    const concern = findConcern(tx, concernId);
    return concern === null ? null : (ofConcern ??= subjectsAt(tx, now))(concern);
  };
}
