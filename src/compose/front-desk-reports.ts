import type { DeviceSessions } from '../identity/device-service.ts';
import type { Directory } from '../identity/directory/service.ts';
import { type DeskReportAnswer, type ReportAsk, readReportAsk } from '../incidents/report.ts';
import type { IncidentReports } from '../incidents/report-service.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { askOver } from './front-desk-asks.ts';
import { NO_ANSWER } from './front-desk-devices.ts';
import type { ProcessLink } from './process-link.ts';

/** Takes what somebody at a device reports, as JSON. Never rejects. */
export type AnswerReports = (address: string, ask: string) => Promise<DeskReportAnswer>;

export interface FrontDeskReportsOptions {
  readonly incidentReports: IncidentReports;
  readonly devices: DeviceSessions;
  readonly directory: Directory;
}

/** The console's end. Nobody need be signed in: a child who is afraid must not be turned away for that. */
export function frontDeskReports(options: FrontDeskReportsOptions, log: Logger): AnswerReports {
  return async (address, json) => {
    try {
      const ask = readReportAsk(json);
      if (ask === null) return { state: 'refused', reason: 'The front desk could not read this report.' };
      return options.incidentReports.take({ personId: ownerAt(options, address), address }, ask);
    } catch (error) {
      if (error instanceof SchoolgateError && error.fault === 'client') {
        return { state: 'refused', reason: error.publicText };
      }
      log.error({ err: error }, 'a report could not be taken');
      return NO_ANSWER;
    }
  };
}

/** Whose own account is signed in there; an account that a class shares, and a guest's, are nobody's. */
function ownerAt({ devices, directory }: FrontDeskReportsOptions, address: string): string | null {
  const person = devices.personAt(address);
  if (person === null || person.userName.startsWith('guest:')) return null;
  return directory.members().find(({ id }) => id === person.id)?.kind === 'class' ? null : person.id;
}

/** The front desk's end. */
export function reportsOver(link: ProcessLink): (address: string, ask: ReportAsk) => Promise<DeskReportAnswer> {
  return askOver(link, 'report');
}
