import type { Actor, AuditAction } from '../audit/entry.ts';
import type { Purpose } from '../audit/purpose.ts';
import type { ReadTx, Tx } from '../store/database.ts';
import { deviceText, type IncidentsOptions, isSeen, known, seen, today } from './access-service.ts';
import { type IncidentChanges, createChanges } from './change-service.ts';
import { type ExportedIncidents, type ExportFormat, exportIncidents } from './export.ts';
import { ACTS, type IncidentAct, type WholeIncident, missingToClose, overdue, subjectsOf } from './model.ts';
import { actsOf, findIncident, waitingIncidents } from './repository.ts';

/** For the report to governors: the reader leaves out small numbers. */
export { incidentTrends } from './repository.ts';
/** For whoever deletes what is too old. */
export { eraseIncidents, oldestIncident } from './repository.ts';
/** For whoever shows the record of acts, and whoever tells of reports. */
export { hiddenIncidents, incidentSubjects } from './access-service.ts';

/** An incident as a list shows it. */
export interface ListedIncident extends WholeIncident {
  /** Actions that are not done and whose day is over. */
  readonly overdue: number;
}

export interface IncidentDetail {
  readonly incident: ListedIncident;
  readonly acts: readonly (IncidentAct & { readonly what: string; readonly byName: string | null })[];
  /** Full name of whoever recorded it; null: it came from the front desk. */
  readonly openedByName: string | null;
  /** Of whoever reported it, or of the device where nobody was signed in; null: they would rather not be named, or it is no report. */
  readonly reporterName: string | null;
  /** What has to be done or said before it can be closed. */
  readonly missing: readonly string[];
}

/** What was recorded, and what is done about it. Whoever may not see an incident is told that there is none (`incident_unknown`). */
export interface Incidents extends IncidentChanges {
  /** Newest first, those that this person may see. The look is on record. */
  list(actor: Actor, purpose: Purpose): ListedIncident[];
  /** The look is on record, for each person whom it is about. */
  one(actor: Actor, purpose: Purpose, id: string): IncidentDetail;
  /** Whether somebody may see one; looks at nothing of it. */
  sees(personId: string, id: string): boolean;
  /** All that this person may see, or one. On record with its hash. */
  export(actor: Actor, purpose: Purpose, id: string | null, format: ExportFormat): ExportedIncidents;
  /** What waits for this person. */
  waiting(personId: string): { readonly reported: number; readonly overdue: number };
}

export function createIncidents(options: IncidentsOptions): Incidents {
  const { record, audit } = options;
  return {
    ...createChanges(options),
    list(actor, purpose) {
      const day = today(options);
      return record.write((tx) => {
        const found = seen(options, tx, actor.personId);
        const look = { action: 'incidents.listed', subject: 'incidents:all', seen: { found: found.length } } as const;
        audit.look(tx, actor, { ...look, purpose });
        return found.map((one) => Object.assign(one, { overdue: overdue(one, day) }));
      });
    },
    one(actor, purpose, id) {
      const day = today(options);
      return record.write((tx) => {
        const incident = known(options, tx, actor.personId, id);
        lookAt(options, tx, actor, purpose, [incident], { action: 'incident.looked-at', subject: `incident:${id}` });
        return detail(options, tx, { ...incident, overdue: overdue(incident, day) });
      });
    },
    sees: (personId, id) =>
      record.read((tx) => {
        const incident = findIncident(tx, id);
        return incident !== null && isSeen(options, tx, personId, incident);
      }),
    export: (actor, purpose, id, format) =>
      record.write((tx) => {
        const found = id === null ? seen(options, tx, actor.personId) : [known(options, tx, actor.personId, id)];
        const nameOf = (personId: string): string => options.fullNameOf(tx, personId) ?? personId;
        const made = exportIncidents(found, format, nameOf);
        lookAt(options, tx, actor, purpose, found, {
          action: 'incidents.exported',
          subject: id === null ? 'incidents:all' : `incident:${id}`,
          seen: { format, incidents: found.length, sha256: made.sha256 },
        });
        return made;
      }),
    waiting(personId) {
      const day = today(options);
      const all = record.read((tx) => seen(options, tx, personId, waitingIncidents(tx)));
      return {
        reported: all.filter(({ state }) => state === 'reported').length,
        overdue: all.reduce((sum, one) => sum + overdue(one, day), 0),
      };
    },
  };
}

function detail(options: IncidentsOptions, tx: ReadTx, incident: ListedIncident): IncidentDetail {
  const nameOf = (personId: string | null): string | null =>
    personId === null ? null : (options.fullNameOf(tx, personId) ?? personId);
  const { reporter } = incident;
  return {
    incident,
    acts: actsOf(tx, incident.id).map((act) => Object.assign(act, { what: ACTS[act.act], byName: nameOf(act.by) })),
    openedByName: nameOf(incident.openedBy),
    reporterName: reporter === null || reporter.isUnnamed ? null : (nameOf(reporter.personId) ?? deviceText(reporter)),
    missing: missingToClose(incident),
  };
}

/** Puts a look on record: of the incident, and of each person in it, who may ask one day who has looked. */
function lookAt(
  { audit }: IncidentsOptions,
  tx: Tx,
  actor: Actor,
  purpose: Purpose,
  incidents: readonly WholeIncident[],
  look: { readonly action: AuditAction; readonly subject: string; readonly seen?: Readonly<Record<string, unknown>> },
): void {
  audit.look(tx, actor, { ...look, purpose });
  for (const incident of incidents) {
    const { personIds, isStaff } = subjectsOf(incident);
    // One about staff is not for everybody who may ask who looked at a child's data: there the row of the incident, which is kept from
    // them, is all.
    if (isStaff) continue;
    for (const personId of personIds) {
      const subject = `person:${personId}`;
      audit.look(tx, actor, { action: 'incident.looked-at', subject, purpose, seen: { incident: incident.id } });
    }
  }
}
