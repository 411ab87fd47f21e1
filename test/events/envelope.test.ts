import t from 'tap';
import * as fc from 'fast-check';
import { parseEnvelope, UnreadableEventError } from '../../src/events/envelope.ts';
import { blocked, ids, sampleRecord } from './sample.ts';

const AT = '2026-11-23T10:00:00.000Z';

/** What reading a value gives: `ok`, or the error's code. */
function read(value: unknown): string {
  try {
    parseEnvelope(typeof value === 'string' ? value : JSON.stringify(value));
    return 'ok';
  } catch (error) {
    if (error instanceof UnreadableEventError) return error.code;
    throw error;
  }
}

void t.test('every event of the catalogue is read as it was written', async (t) => {
  const head = { id: ids(), v: 1, at: AT };
  const gap = { gateway: 'gw', worker: 1, from: AT, until: AT };
  const events = [
    blocked({ sni: 'games.example', ech: true, error: 'client_aborted', ms: 0.5 }),
    { ...head, type: 'access.flagged', data: sampleRecord({ verdict: 'allow', action: 'monitor' }) },
    { ...head, type: 'illegal.hit', data: sampleRecord({ target: null, host: null, locked: true }) },
    { ...head, type: 'fault', data: { gateway: 'gw', worker: 1, what: 'it broke', record: sampleRecord() } },
    { ...head, type: 'alarm', data: { gateway: 'gw', code: 'console-down', text: 'The console is down.' } },
    { ...head, type: 'history.gap', data: gap },
    { ...head, type: 'gateway.state', data: { gateway: 'gw', workers: 2, up: 1, serial: 42 } },
    { ...head, type: 'devices.active', data: { gateway: 'gw', addresses: ['10.0.0.1', '2001:db8::1'] } },
  ];
  for (const event of events) t.same(parseEnvelope(JSON.stringify(event)), event, event.type);
});

void t.test('what is not understood says why, so that it can be parked', async (t) => {
  const good = blocked();
  const table: [string, unknown, string][] = [
    ['a newer version', { ...good, v: 2, data: { another: 'shape' } }, 'event_newer'],
    ['a type of a later release', { ...good, type: 'search.flagged' }, 'event_unknown'],
    ['a type that objects have by nature', { ...good, type: 'constructor' }, 'event_unknown'],
    ['version 0', { ...good, v: 0 }, 'event_malformed'],
    ['no JSON', '{"id":', 'event_malformed'],
    ['no object', [good], 'event_malformed'],
    ['null', null, 'event_malformed'],
    ['an id that is no ULID', { ...good, id: 'x' }, 'event_malformed'],
    ['a time without zone', { ...good, at: '2026-11-23T10:00:00' }, 'event_malformed'],
    ['a field too many', { ...good, extra: 1 }, 'event_malformed'],
    ['no data', { ...good, data: undefined }, 'event_malformed'],
    ['a record without level', { ...good, data: { ...good.data, level: undefined } }, 'event_malformed'],
    ['a record with a field too many', { ...good, data: { ...good.data, password: 'x' } }, 'event_malformed'],
    ['a reason that is not in the list', { ...good, data: { ...good.data, reason: 'whim' } }, 'event_malformed'],
    ['a negative count', { ...good, data: { ...good.data, down: -1 } }, 'event_malformed'],
  ];
  for (const [what, event, code] of table) t.equal(read(event), code, what);
});

void t.test('whatever arrives is read or refused, and nothing else is thrown', async (t) => {
  const good = blocked();
  const fields = Object.keys(good.data);
  const codes = new Set(['ok', 'event_malformed', 'event_unknown', 'event_newer']);
  fc.assert(fc.property(fc.string(), (text) => codes.has(read(text))));
  fc.assert(fc.property(fc.json(), (json) => read(json) !== 'ok'));
  fc.assert(
    fc.property(fc.constantFrom(...fields), fc.jsonValue(), (field, value) =>
      codes.has(read({ ...good, data: { ...good.data, [field]: value } })),
    ),
  );
  t.equal(read(good), 'ok', 'while a good one is read');
});
