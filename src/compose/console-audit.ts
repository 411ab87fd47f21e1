import { alertsOf } from '../alerts/service.ts';
import { type AuditPages, createAuditPages } from '../audit/pages-service.ts';
import { hiddenConcerns, hiddenHits } from './concern-alerts.ts';
import { incidentReaders } from './console-incidents.ts';
import { hiddenIncidents } from '../incidents/service.ts';
import type { ConsoleRecord } from './console-record.ts';

/** The record of acts for people to read; every room that keeps something from its subject has a line here. */
export function createConsoleAudit({
  record,
  audit,
  clock,
}: Pick<ConsoleRecord, 'record' | 'audit' | 'clock'>): AuditPages {
  return createAuditPages({
    record,
    audit,
    hiddenFrom: (tx, personId) => {
      const incidents = hiddenIncidents(tx, personId, (at) => incidentReaders(at, clock()));
      return [
        ...hiddenConcerns(tx, personId, clock()),
        ...hiddenHits(tx, personId, clock()),
        ...incidents,
        ...alertsOf(tx, incidents),
      ];
    },
  });
}
