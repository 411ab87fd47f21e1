import { type IncidentsOptions, keep } from './access-service.ts';
import { InvalidFieldsError, SchoolgateError } from '../kernel/errors.ts';
import type { Tx } from '../store/database.ts';
import type { Incident, IncidentPerson, Reporter, WholeIncident } from './model.ts';
import type { DeskReportAnswer, ReportAsk } from './report.ts';
import { findByForm, insertIncident, insertPerson, insertReporter, reportsSince } from './repository.ts';
import { readReport } from './terms.ts';
import { HOUR_MS } from '../kernel/clock.ts';

/** What pupils and teachers report at the front desk. */
export interface IncidentReports {
  /** `from`: who is signed in there. The same form reports once. Throws `report_many`. */
  take(from: Pick<Reporter, 'personId' | 'address'>, ask: ReportAsk): DeskReportAnswer;
}

export interface IncidentReportsOptions extends IncidentsOptions {
  /** Whoever is the headteacher now: a report about them is not for them to read. */
  readonly headteachers: () => readonly { readonly personId: string; readonly fullName: string }[];
  /** In the report's transaction: whoever reads it is told that there is one. */
  readonly onReport: (tx: Tx, incident: WholeIncident) => void;
}

/** Of one person, or of one device on which nobody is signed in. */
const MOST_AN_HOUR = 5;

export function createReports(options: IncidentReportsOptions): IncidentReports {
  return {
    take(from, ask) {
      try {
        take(options, { ...from, isUnnamed: ask.isUnnamed }, ask);
        return { state: 'done' };
      } catch (error) {
        if (!(error instanceof InvalidFieldsError)) throw error;
        return { state: 'wrong', fields: error.fields };
      }
    },
  };
}

function take(options: IncidentReportsOptions, reporter: Reporter, ask: ReportAsk): void {
  const { record, clock, newId, headteachers } = options;
  const { about, what, site } = readReport(ask);
  // One key for each device: nobody can keep another's form from being taken.
  const formKey = `desk:${reporter.address}:${ask.key}`;
  const people = about === 'headteacher' ? headteachers().map(asPerson) : [];
  record.write((tx) => {
    if (findByForm(tx, formKey) !== null) return;
    if (reportsSince(tx, reporter.personId, reporter.address, clock() - HOUR_MS) >= MOST_AN_HOUR) throw many();
    const incident: Incident = {
      id: newId(),
      state: 'reported',
      source: 'report',
      concernId: null,
      theme: 'other',
      what,
      happenedAt: null,
      place: '',
      site,
      illegal: 'unknown',
      isAboutStaff: about !== 'pupils',
      openedAt: clock(),
      openedBy: null,
      parents: null,
      outcome: '',
      version: 1,
    };
    const inIt = people.map((person): IncidentPerson => Object.assign(person, { id: newId() }));
    const whole: WholeIncident = { ...incident, people: inIt, actions: [], steps: {}, reporter };
    insertIncident(tx, incident, formKey);
    insertReporter(tx, incident.id, reporter);
    for (const person of inIt) insertPerson(tx, incident.id, person);
    // The record of acts names nobody: whoever reads all of it is not who the report is for.
    keep(options, tx, null, incident, { act: 'reported' });
    options.onReport(tx, whole);
  });
}

function asPerson({ personId, fullName }: { personId: string; fullName: string }): Omit<IncidentPerson, 'id'> {
  return { personId, name: fullName, kind: 'staff', part: 'involved' };
}

function many(): SchoolgateError {
  const text =
    'Several reports have come from here within the hour and are being read. If it cannot wait, tell a grown-up at school now.';
  return new SchoolgateError('report_many', 'client', text);
}
