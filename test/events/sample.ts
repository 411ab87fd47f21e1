import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDataFolders, type DataLayout, dataLayout } from '../../src/config/data-layout.ts';
import type { AccessRecord } from '../../src/events/access-record.ts';
import type { EventEnvelope } from '../../src/events/catalogue.ts';
import { isoTime, systemClock } from '../../src/kernel/clock.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';

export const ids = createIdMaker(systemClock);

/** A data folder of its own, removed after the test. */
export function dataFolder(t: { teardown(work: () => void): void }): DataLayout {
  const root = mkdtempSync(join(tmpdir(), 'schoolgate-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const layout = dataLayout(root);
  createDataFolders(layout);
  return layout;
}

export function sampleRecord(changes: Partial<AccessRecord> = {}): AccessRecord {
  return {
    id: ids(),
    at: isoTime(systemClock()),
    gateway: 'gw',
    worker: 1,
    client: '10.1.2.3',
    user: null,
    identified: 'none',
    level: 'ks2',
    method: 'CONNECT',
    target: 'games.example:443',
    host: 'games.example',
    verdict: 'block',
    action: 'block',
    reason: 'category',
    step: 'level',
    category: 'games',
    categories: ['games'],
    lists: ['starter-games'],
    flagged: true,
    locked: false,
    rule: 'levels/ks2.yaml#categories.games',
    policy: 'a'.repeat(64),
    serial: 3,
    status: 403,
    up: 0,
    down: 812,
    ms: 1,
    ...changes,
  };
}

export function blocked(changes: Partial<AccessRecord> = {}): EventEnvelope<'access.blocked'> {
  const data = sampleRecord(changes);
  return { id: data.id, type: 'access.blocked', v: 1, at: data.at, data };
}
