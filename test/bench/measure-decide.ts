import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCatalogue } from '../../src/categories/catalogue.ts';
import type { DirectorySnapshot } from '../../src/identity/directory-snapshot.ts';
import { prepareIdentity } from '../../src/identity/identify.ts';
import { YEARS } from '../../src/identity/school-years.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { decide } from '../../src/policy/decide.ts';
import { prepareLive, preparePolicy } from '../../src/policy/prepare.ts';
import { readPolicy } from '../../src/policy/read.ts';
import type { Figures } from './figures.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PEOPLE = 5000;
const CLASSES = 300;
/** A hundred of classes and a hundred of people. */
const RULES = 200;
const MONDAY = Date.UTC(2026, 10, 23, 10);
const ROUNDS = 5;

/** What the policy of a large school costs: to read and compile, and for each request who asks and what is decided. */
export function measureDecide(figures: Figures, decisions: number): void {
  const files = schoolFiles();
  const { categories } = loadCatalogue(join(ROOT, 'blocklists'));
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now();
    const read = readPolicy(files);
    const compiled = 'documents' in read ? compilePolicy(read.documents, categories) : read;
    if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
    figures.add('decide.compile', 'schoolgate', performance.now() - begun);
    const policy = preparePolicy(compiled.snapshot);
    const identify = prepareIdentity(compiled.snapshot, everybody());
    const live = prepareLive({ grants: [] });
    const matches = [[], ['games'], ['gambling'], ['social'], ['known-good']].map((ids) => ({
      categories: ids,
      lists: ids,
    }));
    const micros = new Float64Array(decisions);
    // Once unmeasured, so that the code is compiled.
    for (let i = -decisions; i < decisions; i++) {
      const host = i % 10 === 0 ? `www.site${Math.abs(i) % 100}.example` : `www.h${i % 20_000}.example.org`;
      const match = matches[Math.abs(i) % matches.length]!;
      const at = performance.now();
      const who = identify('10.0.0.9', null, `p${Math.abs(i * 7919) % PEOPLE}`);
      decide(policy, live, { host, path: null, who, match, violation: null }, MONDAY);
      if (i >= 0) micros[i] = (performance.now() - at) * 1000;
    }
    figures.add('decide.added', 'schoolgate', micros.sort()[decisions >> 1]!);
  }
}

function schoolFiles(): Map<string, string> {
  const folder = join(ROOT, 'policies');
  const levels = readdirSync(join(folder, 'levels')).map((name) => `levels/${name}`);
  const files = new Map(['school.yaml', ...levels].map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  const lines = ['groups:'];
  for (let i = 0; i < CLASSES; i++) {
    lines.push(`  - name: c${i}`);
    if (i < RULES / 2) lines.push('    categories: { games: allow }', `    allow: [site${i}.example]`);
  }
  lines.push('people:');
  for (let i = 0; i < RULES / 2; i++) {
    lines.push(`  - { name: p${i}, level: ks3, allow: [own${i}.example], block: [bad${i}.example] }`);
  }
  return files.set('rules.yaml', `${lines.join('\n')}\n`);
}

function everybody(): DirectorySnapshot {
  const people = Array.from({ length: PEOPLE }, (_, i) => ({
    name: `p${i}`,
    kind: 'person' as const,
    roles: ['pupil' as const],
    year: YEARS[i % YEARS.length]!,
    groups: Array.from({ length: 9 }, (_unused, k) => `c${(i * 9 + k) % CLASSES}`),
  }));
  return { people };
}
