import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import {
  MOVES,
  type RecordedState,
  type Unblock,
  type UnblockMove,
  applyMove,
  mayMove,
  stateAt,
  toGrant,
} from '../../src/unblock/model.ts';

const ASKED: Unblock = {
  id: '01J00000000000000000000000',
  topic: 'Tudors',
  subject: 'History',
  reason: 'Year 5 history',
  hosts: ['history.example'],
  categories: [],
  classes: [],
  pupils: [],
  levels: ['ks2'],
  ranges: [],
  during: [],
  passesPersonBlock: false,
  risks: [],
  from: 100,
  until: 200,
  state: 'requested',
  requested: { by: 'teacher', at: 50 },
  decided: null,
  agreed: null,
  ended: null,
  outcome: null,
  remark: '',
};
const APPROVED = applyMove(ASKED, 'approve', { by: 'head', at: 60 });

void t.test('where an unblock stands is decided by its acts and the clock', async (t) => {
  const table: [what: string, unblock: Unblock, now: number, state: string][] = [
    ['asked for', ASKED, 60, 'requested'],
    ['asked for, not decided before its end', ASKED, 200, 'expired'],
    ['approved, before its start', APPROVED, 99, 'approved'],
    ['approved, at its start', APPROVED, 100, 'active'],
    ['approved, just before its end', APPROVED, 199, 'active'],
    ['approved, at its end', APPROVED, 200, 'expired'],
    ['refused', applyMove(ASKED, 'refuse', { by: 'head', at: 60 }), 150, 'refused'],
    ['withdrawn', applyMove(ASKED, 'withdraw', { by: 'teacher', at: 60 }), 150, 'withdrawn'],
    ['revoked', applyMove(APPROVED, 'revoke', { by: 'teacher', at: 120 }), 150, 'revoked'],
    ['refused, after its end', applyMove(ASKED, 'refuse', { by: 'head', at: 60 }), 250, 'refused'],
  ];
  for (const [what, unblock, now, state] of table) t.equal(stateAt(unblock, now), state, what);
});

void t.test('every move is legal from its own states and for its own people only', async (t) => {
  const revoked = applyMove(APPROVED, 'revoke', { by: 'head', at: 70 });
  const table: [move: UnblockMove, unblock: Unblock, by: string | null, at: number, legal: boolean][] = [
    ['approve', ASKED, 'head', 60, true],
    ['approve', ASKED, 'teacher', 60, false],
    ['approve', ASKED, null, 60, false],
    ['approve', ASKED, 'head', 200, false],
    ['approve', APPROVED, 'other', 70, false],
    ['approve', revoked, 'other', 80, false],
    ['refuse', ASKED, 'head', 60, true],
    ['refuse', ASKED, 'teacher', 60, false],
    ['refuse', APPROVED, 'head', 70, false],
    ['withdraw', ASKED, 'teacher', 60, true],
    ['withdraw', ASKED, 'head', 60, false],
    ['withdraw', APPROVED, 'teacher', 70, false],
    ['revoke', APPROVED, 'teacher', 70, true],
    ['revoke', APPROVED, 'head', 150, true],
    ['revoke', APPROVED, null, 150, false],
    ['revoke', APPROVED, 'head', 200, false],
    ['revoke', ASKED, 'head', 60, false],
    ['expire', APPROVED, null, 200, true],
    ['expire', ASKED, null, 200, true],
    ['expire', APPROVED, null, 199, false],
    ['expire', APPROVED, 'head', 200, false],
    ['expire', revoked, null, 200, false],
    ['expire', applyMove(APPROVED, 'expire', { by: null, at: 200 }), null, 201, false],
  ];
  for (const [move, unblock, by, at, legal] of table) {
    const what = `${move} of ${stateAt(unblock, at)} by ${by}`;
    t.equal(mayMove(unblock, move, { by, at }), legal, what);
    if (legal) t.equal(applyMove(unblock, move, { by, at }).state, MOVES[move].to, what);
    else t.throws(() => applyMove(unblock, move, { by, at }), { name: 'SchoolgateError' }, what);
  }
});

const RISKY: Unblock = { ...ASKED, risks: ['adult'] };
/** Where each state may lead; written down once more, so that a slip in the table of moves shows. */
const NEXT: Readonly<Record<RecordedState, readonly RecordedState[]>> = {
  requested: ['requested', 'approved', 'refused', 'withdrawn', 'expired'],
  approved: ['revoked', 'expired'],
  refused: [],
  withdrawn: [],
  revoked: [],
  expired: [],
};

void t.test('whatever people try, in any order and at any time', async () => {
  const attempt = fc.record({
    move: fc.constantFrom(...(Object.keys(MOVES) as UnblockMove[])),
    by: fc.constantFrom('teacher', 'head', 'lead', null),
    wait: fc.integer({ min: 0, max: 60 }),
  });
  fc.assert(
    fc.property(fc.constantFrom(ASKED, RISKY), fc.array(attempt, { maxLength: 12 }), (asked, attempts) => {
      let unblock = asked;
      let now = 50;
      for (const { move, by, wait } of attempts) {
        now += wait;
        const act = { by, at: now };
        const before = unblock;
        if (!mayMove(before, move, act)) {
          // What is not legal is refused in words, and changes nothing.
          assert.throws(() => applyMove(before, move, act), { name: 'SchoolgateError' });
          continue;
        }
        unblock = applyMove(before, move, act);
        if (!NEXT[before.state].includes(unblock.state)) return false;
        // Only the clock ends by time, and people decide nothing that is over.
        if ((unblock.state === 'expired') !== (by === null) || (by !== null && now >= asked.until)) return false;
      }
      return isSound(asked, unblock, now);
    }),
    { numRuns: 5000 },
  );
});

/** Nobody opens anything alone, nothing is open outside its time, and what was agreed to stays as it was asked for. */
function isSound(asked: Unblock, unblock: Unblock, now: number): boolean {
  const { state, decided, agreed, requested, from, until } = unblock;
  const wasOpened = state === 'approved' || state === 'revoked';
  const voices = [requested.by, decided?.by, ...(asked === RISKY ? [agreed?.by] : [])];
  const arePeople = voices.every((by) => typeof by === 'string') && new Set(voices).size === voices.length;
  const isOpen = stateAt(unblock, now) === 'active';
  const { passesPersonBlock: _, ...terms } = toGrant(asked);
  const { passesPersonBlock: __, ...granted } = toGrant(unblock);
  return (
    (!wasOpened || arePeople) &&
    (!isOpen || (state === 'approved' && now >= from && now < until)) &&
    JSON.stringify(granted) === JSON.stringify(terms)
  );
}
