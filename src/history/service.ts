import { createHash } from 'node:crypto';
import type { Actor } from '../audit/entry.ts';
import type { Purpose } from '../audit/purpose.ts';
import type { Audit } from '../audit/service.ts';
import { csvText } from '../kernel/csv.ts';
import { SchoolgateError } from '../kernel/errors.ts';
import { knownByText } from '../kernel/identified.ts';
import { localText } from '../kernel/local-time.ts';
import type { ReadTx, RecordDatabase, Tx } from '../store/database.ts';
import { findLines, type Timeline, type TimelineLine } from './find-lines.ts';
import type { Question } from './question.ts';
import type { UnreadableSegment } from './read-segments.ts';

export interface InvestigationsOptions {
  readonly record: RecordDatabase;
  readonly audit: Audit;
  /** The history folder. */
  readonly folder: string;
  /** Canonical form of a user name; null where it has none. */
  readonly canonicalUser: (name: string) => string | null;
  readonly findPerson: (tx: ReadTx, user: string) => { readonly id: string } | null;
  /** Categories of what pages bring along by themselves. */
  readonly background: () => readonly string[];
}

/** A page of an answer, and what of the time could not be read. */
export interface Investigated extends Timeline {
  readonly unreadable: readonly UnreadableSegment[];
}

/** A file of an answer. */
export interface Exported {
  readonly csv: string;
  readonly lines: number;
  /** Hex, of the file's bytes (UTF-8). */
  readonly sha256: string;
}

/** Looking at what people did. Every look and every export is on record, with its purpose, before anything is shown. */
export interface Investigations {
  canonicalUser(name: string): string | null;
  /** Whose data a question is about, as the record calls it: `person:ID`, `user:NAME` of nobody on record, `device:ADDRESS`, `history:SITE`. */
  subjectOf(question: Question): string;
  /** Lines of one page, from 1. Rejects with `investigate_self` for whoever asks about themselves. */
  look(actor: Actor, purpose: Purpose, question: Question, page: number): Promise<Investigated>;
  /** All lines as CSV; rejects with `export_too_large` above MOST_EXPORTED. Times in `zone`. */
  export(actor: Actor, purpose: Purpose, question: Question, zone: string): Promise<Exported>;
}

export const PAGE_LINES = 100;
export const MOST_EXPORTED = 50_000;

export function createInvestigations(options: InvestigationsOptions): Investigations {
  const { record, audit, folder, canonicalUser } = options;
  const find = async (actor: Actor, question: Question, skip: number, take: number): Promise<Investigated> => {
    const unreadable: UnreadableSegment[] = [];
    const self = canonicalUser(actor.userName) ?? actor.userName;
    const background = options.background();
    const onUnreadable = (problem: UnreadableSegment): void => void unreadable.push(problem);
    return { ...(await findLines(question, { folder, self, background, skip, take, onUnreadable })), unreadable };
  };
  const subjectOf = (tx: ReadTx, question: Question): string =>
    subjectText(question, (user) => options.findPerson(tx, user));
  return {
    canonicalUser,
    subjectOf: (question) => record.read((tx) => subjectOf(tx, question)),
    async look(actor, purpose, question, page) {
      refuseSelf(actor, question, canonicalUser);
      const found = await find(actor, question, (page - 1) * PAGE_LINES, PAGE_LINES);
      record.write((tx) => {
        const seen = { ...seenText(question), page, found: found.found };
        audit.look(tx, actor, { action: 'history.investigated', subject: subjectOf(tx, question), purpose, seen });
        noteOthers(tx, found.lines, question, (subject) =>
          audit.look(tx, actor, { action: 'history.person-shown', subject, purpose, seen: seenText(question) }),
        );
      });
      return found;
    },
    async export(actor, purpose, question, zone) {
      refuseSelf(actor, question, canonicalUser);
      const { lines, found } = await find(actor, question, 0, MOST_EXPORTED);
      if (found > MOST_EXPORTED) throw tooLarge(found);
      const csv = csvText([CSV_HEAD, ...lines.map((line) => csvLine(line, zone))]);
      const sha256 = createHash('sha256').update(csv).digest('hex');
      record.write((tx) => {
        const seen = { ...seenText(question), lines: lines.length, sha256 };
        audit.look(tx, actor, { action: 'history.exported', subject: subjectOf(tx, question), purpose, seen });
        noteOthers(tx, lines, question, (subject) =>
          audit.look(tx, actor, {
            action: 'history.person-shown',
            subject,
            purpose,
            seen: { ...seenText(question), sha256 },
          }),
        );
      });
      return { csv, lines: lines.length, sha256 };
    },
  };

  /** Whoever asks about a device or a site sees people: each of them can later be told of it. */
  function noteOthers(
    tx: Tx,
    lines: readonly TimelineLine[],
    question: Question,
    note: (subject: string) => void,
  ): void {
    const users = new Set(lines.map(({ user }) => user).filter((user) => user !== null && user !== question.user));
    for (const user of users as Set<string>) {
      const person = options.findPerson(tx, user);
      if (person !== null) note(`person:${person.id}`);
    }
  }
}

function subjectText(
  { user, address, site, category }: Question,
  find: (user: string) => { readonly id: string } | null,
): string {
  if (user !== null) {
    const person = find(user);
    return person === null ? `user:${encodeURIComponent(user)}` : `person:${person.id}`;
  }
  if (address !== null) return `device:${address}`;
  return `history:${encodeURIComponent(site ?? category ?? 'all')}`;
}

function refuseSelf(actor: Actor, { user }: Question, canonicalUser: (name: string) => string | null): void {
  if (user === null || user !== canonicalUser(actor.userName)) return;
  const text = 'Nobody looks into what they did themselves: ask somebody else who may.';
  throw new SchoolgateError('investigate_self', 'client', text);
}

/** What was asked, as it stands on the record. */
function seenText({ from, until, ...rest }: Question): Record<string, unknown> {
  const asked = Object.entries(rest).filter(([, value]) => value !== null && value !== false);
  return { ...Object.fromEntries(asked), from: new Date(from).toISOString(), until: new Date(until).toISOString() };
}

const CSV_HEAD = [
  'From',
  'To',
  'User',
  'Known by',
  'Device',
  'Level',
  'Site',
  'Page',
  'Answer',
  'Reason',
  'Category',
  'Requests',
  'Bytes',
  'Flagged',
  'Context only',
];

function csvLine(line: TimelineLine, zone: string): (string | number)[] {
  const { at, last, user, client, level, page, verdict, reason, category, requests, bytes, flagged, asked } = line;
  const words = [
    user,
    knownText(line),
    client,
    level,
    siteText(line),
    page,
    verdict === 'allow' ? 'allowed' : 'refused',
    reason,
    category,
  ];
  return [
    localText(at, zone),
    localText(last, zone),
    ...words.map((word) => word ?? ''),
    requests,
    bytes,
    flagged ? 'yes' : '',
    asked ? '' : 'yes',
  ];
}

/** How it is known whose line it is, and how sure that is. */
export function knownText({ identified, account }: Pick<TimelineLine, 'identified' | 'account'>): string {
  const text = knownByText(identified);
  return account === 'class' ? `class account, ${text}` : text;
}

/** What is shown of a site; of one that is listed as illegal nothing. */
export function siteText({ host, locked }: Pick<TimelineLine, 'host' | 'locked'>): string {
  return locked ? 'listed as illegal: not shown' : (host ?? 'no valid address');
}

function tooLarge(found: number): SchoolgateError {
  const text = `This is ${found.toLocaleString('en-GB')} lines; a file may have ${MOST_EXPORTED.toLocaleString('en-GB')}. Choose a shorter time, or filter.`;
  return new SchoolgateError('export_too_large', 'client', text);
}
