import { type CategoryMatch, NO_MATCH } from '../../src/categories/match.ts';
import type { Who } from '../../src/identity/who.ts';
import { formatProblem } from '../../src/kernel/errors.ts';
import { type KnownCategory, compilePolicy } from '../../src/policy/compile.ts';
import type { DecisionRequest } from '../../src/policy/decide.ts';
import { readPolicy } from '../../src/policy/read.ts';
import type { Grant, PolicySnapshot } from '../../src/policy/snapshot.ts';
import { examineTexts } from '../../src/policy/load.ts';
import type { PolicyTexts } from '../../src/policy/texts.ts';
import { NO_DIRECTORY } from '../../src/identity/directory-snapshot.ts';
import type { PolicyFiles } from '../helpers/control-plane.ts';

/** A school small enough to see at a glance, for tests of the policy room. */

export const CATEGORIES: readonly KnownCategory[] = [
  { id: 'csam', title: 'Child abuse', locked: true, flag: true },
  { id: 'known-good', title: 'Known good', locked: false, flag: false },
  { id: 'malware', title: 'Malware', locked: false, flag: true },
  { id: 'phishing', title: 'Phishing', locked: false, flag: true },
  { id: 'adult', title: 'Adult', locked: false, flag: true },
  { id: 'games', title: 'Games', locked: false, flag: false },
  { id: 'gambling', title: 'Gambling', locked: false, flag: true },
  { id: 'adverts', title: 'Adverts', locked: false, flag: false },
  { id: 'news', title: 'News', locked: false, flag: false },
  { id: 'chat', title: 'Chat', locked: false, flag: true },
  { id: 'self-harm', title: 'Self-harm', locked: false, flag: true },
  { id: 'unheard-of', title: 'Unheard of', locked: false, flag: true },
];

export const SCHOOL = `
name: Test School
timeZone: Europe/London
contacts: { pupils: Ms Okoro, staff: the IT office }
never: [never.example, notnow.example/page]
identity:
  mode: open
  strictestLevel: junior
  ranges:
    - { cidr: 10.1.0.0/16, level: senior, name: Upper school }
`;

export const JUNIOR = `
title: Junior
voice: child
categories:
  known-good: allow
  malware: block
  phishing: block
  adult: block
  self-harm: block
  games: block
  gambling: block
  adverts: block
  news: monitor
  chat: warn
uncategorised: allow
allow: [helpline.example, mixed.example/ok]
block: [closed.example, mixed.example, half.example/bad]
downloads: { block: [.exe, .tar.gz] }
`;

export const SENIOR = `
title: Senior
voice: teen
extends: junior
categories: { games: allow }
allow: [closed.example]
`;

export const EVENING = `
title: Evening
extends: junior
allow: [always.example]
hours:
  - { days: [mon, tue, wed, thu, fri], from: "08:00", to: "16:00" }
`;

export const RULES = `
groups:
  - name: 9x
    categories: { gambling: allow, games: block }
    allow: [class.example, level-blocks.closed.example]
    block: [noclass.example]
  - name: 9y
    categories: { gambling: monitor }
  - name: idle
    block: [idle.invalid]
people:
  - { name: Ann, level: junior, groups: [9x], allow: [own.example, noclass.example], block: [private.example, class.example] }
  - { name: Bob, level: junior, suspended: always, allow: [own.example] }
  - { name: Cy, level: junior, suspended: "2026-11-24T00:00:00Z" }
lessons:
  - { group: 9x, from: "2026-11-23T11:00:00Z", until: "2026-11-23T12:00:00Z", sites: [lesson.example] }
`;

export const FILES: Readonly<Record<string, string>> = {
  'school.yaml': SCHOOL,
  'levels/junior.yaml': JUNIOR,
  'levels/senior.yaml': SENIOR,
  'levels/evening.yaml': EVENING,
  'rules.yaml': RULES,
};

/** The school's files with some of them replaced (null: taken away). */
export function files(changes: Readonly<Record<string, string | null>> = {}): Map<string, string> {
  const all = Object.entries({ ...FILES, ...changes });
  return new Map(all.filter((pair): pair is [string, string] => pair[1] !== null));
}

/** Every problem of the files, as `file:line: reason`; empty if they compile. */
export function problemsOf(
  changes: Readonly<Record<string, string | null>>,
  categories: readonly KnownCategory[] = CATEGORIES,
): string[] {
  const read = readPolicy(files(changes));
  const result = 'documents' in read ? compilePolicy(read.documents, categories) : read;
  return 'problems' in result ? result.problems.map(formatProblem) : [];
}

/** Compiles the files; throws their problems. */
export function snapshotOf(changes: Readonly<Record<string, string | null>> = {}): PolicySnapshot {
  const read = readPolicy(files(changes));
  if ('problems' in read) throw new Error(read.problems.map(formatProblem).join('\n'));
  const compiled = compilePolicy(read.documents, CATEGORIES);
  if ('problems' in compiled) throw new Error(compiled.problems.map(formatProblem).join('\n'));
  return compiled.snapshot;
}

/** A policy folder in memory. */
export function policyFiles(first: PolicyTexts = FILES): PolicyFiles & { texts: PolicyTexts } {
  const known = CATEGORIES.map(({ id, title, locked, flag }) => ({
    id,
    title,
    locked,
    flag,
    description: '',
    uksic: '',
  }));
  const catalogue = { categories: known, lists: [], offered: [] };
  return {
    texts: first,
    read() {
      return { files: this.texts };
    },
    examine: (texts) => examineTexts(texts, catalogue, { people: NO_DIRECTORY, now: at('2026-11-23T09:00:00Z') }),
    write(_before, after) {
      this.texts = after;
      return null;
    },
  };
}

export function who(changes: Partial<Who> = {}): Who {
  return {
    user: null,
    identified: 'none',
    level: 'junior',
    groups: [],
    client: '10.9.0.1',
    needs: 'nothing',
    ...changes,
  };
}

export function match(...categories: string[]): CategoryMatch {
  return categories.length === 0 ? NO_MATCH : { categories: categories.sort(), lists: ['a-list'] };
}

export function request(host: string | null, changes: Partial<DecisionRequest> = {}): DecisionRequest {
  return { host, path: null, who: who(), match: NO_MATCH, violation: null, ...changes };
}

export function grant(changes: Partial<Grant> = {}): Grant {
  return {
    id: 'g1',
    topic: 'Odds in mathematics',
    hosts: [],
    categories: [],
    levels: [],
    people: [],
    ranges: [],
    from: at('2026-11-23T09:00:00Z'),
    until: at('2026-11-23T10:00:00Z'),
    passesPersonBlock: false,
    ...changes,
  };
}

export function at(iso: string): number {
  return Date.parse(iso);
}
