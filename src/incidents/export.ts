import { createHash } from 'node:crypto';
import { isoTime } from '../kernel/clock.ts';
import { csvText } from '../kernel/csv.ts';
import { INCIDENT_THEMES, PARTS, PERSON_KINDS, STATES, type WholeIncident } from './model.ts';
import { withoutAddresses } from './withhold.ts';

export type ExportFormat = 'csv' | 'json';

/** A file of incidents. */
export interface ExportedIncidents {
  readonly format: ExportFormat;
  readonly text: string;
  readonly incidents: number;
  /** Hex, of the file's bytes (UTF-8). */
  readonly sha256: string;
}

type Value = string | number | boolean | null | readonly Readonly<Record<string, string | number | boolean | null>>[];

/** One column of the CSV file and one property of each object of the JSON file, and what it means. */
interface ExportField {
  readonly name: string;
  readonly means: string;
  readonly of: (incident: WholeIncident, nameOf: (personId: string) => string) => Value;
}

/** A text of the incident. One that is called illegal is written without any address. */
const say = ({ illegal }: WholeIncident, text: string): string => (illegal === 'yes' ? withoutAddresses(text) : text);

/** Every field of an export, in the order of its columns. Instants are ISO 8601 UTC, days ISO 8601. New ones are added at the end. */
export const EXPORT_FIELDS: readonly ExportField[] = [
  { name: 'id', means: 'What the incident is called for good', of: ({ id }) => id },
  { name: 'state', means: Object.values(STATES).join(', '), of: ({ state }) => STATES[state] },
  { name: 'theme', means: 'What it is about', of: ({ theme }) => INCIDENT_THEMES[theme] },
  { name: 'illegal', means: 'yes, no or unknown', of: ({ illegal }) => illegal },
  { name: 'source', means: 'concern, hand or report (of the front desk)', of: ({ source }) => source },
  { name: 'concern', means: 'The concern it was made from', of: ({ concernId }) => concernId },
  { name: 'recordedAt', means: 'When it was recorded', of: ({ openedAt }) => isoTime(openedAt) },
  {
    name: 'recordedBy',
    means: 'Who recorded it; empty: it was reported at the front desk. Who reported is in no export',
    of: ({ openedBy }, nameOf) => (openedBy === null ? null : nameOf(openedBy)),
  },
  {
    name: 'happenedAt',
    means: 'When it happened; empty: not known',
    of: ({ happenedAt }) => (happenedAt === null ? null : isoTime(happenedAt)),
  },
  { name: 'place', means: 'Where it happened', of: (one) => say(one, one.place) },
  { name: 'what', means: 'What happened. Illegal: without addresses', of: (one) => say(one, one.what) },
  {
    name: 'page',
    means: 'Address of the page. Illegal: withheld',
    of: ({ site, illegal }) => (illegal === 'yes' && site !== null ? 'withheld' : site),
  },
  {
    name: 'people',
    means: 'Everybody whom it is about: name, kind (pupil, staff, parent, other), part (victim, instigator, involved)',
    of: ({ people }) => people.map(({ name, kind, part }) => ({ name, kind: PERSON_KINDS[kind], part: PARTS[part] })),
  },
  {
    name: 'actions',
    means: 'What is to be done: what, owner, due, done (when; empty: not yet)',
    of: (one) =>
      one.actions.map(({ what, owner, dueOn, doneAt }) => ({
        what: say(one, what),
        owner,
        due: dueOn,
        done: doneAt === null ? null : isoTime(doneAt),
      })),
  },
  {
    name: 'steps',
    means: 'Illegal: the steps that are done, or do not apply',
    of: ({ steps }) => Object.entries(steps).map(([step, state]) => ({ step, state })),
  },
  {
    name: 'parentsInformed',
    means: 'yes or no; empty: not said yet',
    of: ({ parents }) => (parents === null ? null : parents.informed ? 'yes' : 'no'),
  },
  { name: 'parentsOn', means: 'The day they were told', of: ({ parents }) => parents?.on ?? null },
  {
    name: 'parentsNote',
    means: 'How, or why not',
    of: (one) => (one.parents === null ? null : say(one, one.parents.note)),
  },
  { name: 'outcome', means: 'What came of it', of: (one) => say(one, one.outcome) },
];

/** The incidents as a file. */
export function exportIncidents(
  incidents: readonly WholeIncident[],
  format: ExportFormat,
  nameOf: (personId: string) => string,
): ExportedIncidents {
  const rows = incidents.map((one) => EXPORT_FIELDS.map(({ name, of }) => [name, of(one, nameOf)] as const));
  const text =
    format === 'json' ? jsonText(rows) : csvText([EXPORT_FIELDS.map(({ name }) => name), ...rows.map(cells)]);
  return { format, text, incidents: incidents.length, sha256: createHash('sha256').update(text).digest('hex') };
}

type ExportRow = readonly (readonly [string, Value])[];

/** A format of its own number, so that whoever reads it knows when a meaning has changed. */
function jsonText(rows: readonly ExportRow[]): string {
  return `${JSON.stringify({ schema: 'schoolgate.incidents.1', incidents: rows.map((row) => Object.fromEntries(row)) }, null, 2)}\n`;
}

/** Lists are one cell: what belongs together parted by commas, one from the next by a semicolon. */
function cells(row: ExportRow): string[] {
  return row.map(([, value]) => {
    if (value === null) return '';
    if (typeof value !== 'object') return String(value);
    return value
      .map((one) =>
        Object.values(one)
          .map((part) => part ?? '')
          .join(', '),
      )
      .join('; ');
  });
}
