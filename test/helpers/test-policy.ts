import type { PolicySnapshot } from '../../src/policy/snapshot.ts';

/** A small policy: two levels, an open and a locked category. `hash` tells one from another. */
export function testPolicy(change: Partial<PolicySnapshot> = {}): PolicySnapshot {
  const rule = 'levels/ks2.yaml#categories.games';
  const level = (name: string, title: string): PolicySnapshot['levels'][string] => ({
    name,
    title,
    voice: 'child',
    categories: { games: { action: 'block', rule } },
    uncategorised: { action: 'allow', rule },
    entries: { allow: [], block: [] },
    downloads: null,
    hours: null,
  });
  return {
    hash: 'a'.repeat(64),
    school: 'Test Primary School',
    timeZone: 'Europe/London',
    levels: { ks1: level('ks1', 'Key stage 1'), ks2: level('ks2', 'Key stage 2') },
    strictestLevel: 'ks1',
    categories: {
      games: { title: 'Games', locked: false, flag: true },
      csam: { title: 'Child sexual abuse', locked: true, flag: true },
    },
    never: [{ host: 'never.example', path: null, rule: 'school.yaml#never' }],
    people: {},
    groups: {},
    lessons: [],
    identity: { mode: 'open', ranges: [] },
    network: {
      clients: ['127.0.0.0/8'],
      allowDestinations: [],
      connectPorts: [{ port: 443, tls: true }],
      httpPorts: [80],
      connectionsPerClient: 100,
      connections: 1000,
    },
    contacts: { pupils: 'Tell your teacher.', staff: 'it@school.example' },
    ...change,
  };
}

/** One by which pupils of year 9 agree for themselves, and a parent for those of years 1 and 7. */
export function agreementPolicy(): PolicySnapshot {
  const agreement = { title: 'Our rules', text: ['Filtered, monitored, traceable.'] };
  return testPolicy({
    hash: 'b'.repeat(64),
    identity: { mode: 'open', ranges: [], levels: { years: { 1: 'ks1', 7: 'ks1', 9: 'ks2' }, roles: {} } },
    agreements: {
      yearBegins: '09-01',
      levels: {
        ks1: { ...agreement, version: 'k1', band: 'ks1', by: 'parent' },
        ks2: { ...agreement, version: 'v1', band: 'ks2', by: 'person' },
      },
    },
  });
}
