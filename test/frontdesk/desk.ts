import type { FastifyInstance } from 'fastify';
import type { AccessRecord } from '../../src/events/access-record.ts';
import { createFrontDesk, type FrontDeskOptions } from '../../src/frontdesk/app.ts';
import type { DeskFacts } from '../../src/frontdesk/facts.ts';
import { createFormTokens } from '../../src/frontdesk/form-token.ts';
import type { DeskDevices } from '../../src/frontdesk/sign-in-forms.ts';
import type { ToldRecord } from '../../src/gateway/told-refusal.ts';
import { createWarningTickets } from '../../src/gateway/warning-ticket.ts';
import type { DeviceAnswer } from '../../src/identity/signed-in-devices.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { sampleRecord } from '../events/sample.ts';

export const NOW = Date.parse('2026-11-23T10:00:00.000Z');

export const FACTS: DeskFacts = {
  school: 'Hill <School> & Co',
  timeZone: 'Europe/London',
  schoolDayEnds: 18 * 60,
  illegal: { csam: { heading: 'Stop', text: ['Said <by> the school.'] } },
  contacts: { pupils: 'your class teacher', staff: 'help@school.example' },
  consoleUrl: 'https://filter.school.example',
  voiceOf: (level) => (level === 'staff' ? 'adult' : level === 'ks4' ? 'teen' : 'child'),
  titleOf: (category) => (category === 'games' ? 'Games & $& fun' : category),
};

let made = 0;

/** A refusal of a games site, `secondsAgo` before NOW. */
export function refused(secondsAgo: number, change: Partial<AccessRecord> = {}): AccessRecord {
  const host = change.host === undefined ? 'games.test' : change.host;
  return sampleRecord({
    id: `01KAXG2Y6R8ZQ4T7V9${String(10_000_000 - secondsAgo * 1000 + made++).padStart(8, '0')}`,
    at: new Date(NOW - secondsAgo * 1000).toISOString(),
    gateway: 'gw-1',
    target: host === null ? null : `${host}:443`,
    host,
    flagged: false,
    ...change,
  });
}

const nobody = async (): Promise<DeviceAnswer> => ({ state: 'nobody' });
export const NOBODY: DeskDevices = {
  signIn: nobody,
  signInGuest: nobody,
  signOut: nobody,
  changePassword: nobody,
  accept: nobody,
  at: nobody,
};

/** A front desk without a listener. `records` are what the gateway answers for any client, as if it did not look. */
export function makeDesk(
  records: readonly ToldRecord[],
  change: Partial<FrontDeskOptions> = {},
): Promise<FastifyInstance> {
  return createFrontDesk({
    facts: () => FACTS,
    recentRefusals: { of: () => Promise.resolve(records) },
    devices: NOBODY,
    askLessons: async () => ({ state: 'nobody' }),
    askWishes: async () => ({ state: 'nobody' }),
    sendReport: async () => ({ state: 'done' }),
    newFormKey: () => 'a-key',
    passes: { put: async () => {} },
    warnings: createWarningTickets(Buffer.alloc(32, 9), change.clock ?? (() => NOW)),
    tokens: createFormTokens(Buffer.alloc(32, 7), change.clock ?? (() => NOW)),
    clientFrom: 'peer',
    publicUrl: null,
    proxyHost: '0.0.0.0',
    proxy: () => ({ port: 3128, isTls: false }),
    clock: () => NOW,
    log: createLogger('test', 'silent'),
    tls: null,
    ...change,
  });
}
