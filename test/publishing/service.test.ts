import t from 'tap';
import type { SignedSnapshot, SnapshotKind, SnapshotPublisher } from '../../src/events/bus.ts';
import { createPublishing, type Publishing } from '../../src/publishing/service.ts';
import { openRecord } from '../../src/store/database.ts';
import { START } from '../helpers/control-plane.ts';
import { until } from '../helpers/until.ts';

/** An outbox over a record in memory; `publish` is what the bus does. */
function outbox(publish: (snapshot: SignedSnapshot) => Promise<void>): {
  readonly publishing: Publishing;
  readonly callFor: (kind: SnapshotKind) => void;
} {
  const record = openRecord(':memory:');
  const publisher: SnapshotPublisher = { publish, close: async () => {} };
  const publishing = createPublishing({
    record,
    sources: {
      policy: () => ({}) as never,
      people: () => ({}) as never,
      live: () => ({}) as never,
      index: () => ({}) as never,
    },
    sign: (unsigned) => ({ ...unsigned, signature: 'signed' }),
    publisher,
    clock: () => START,
    onSent: () => {},
    onFailure: () => {},
    retryMs: 10,
  });
  return { publishing, callFor: (kind) => record.write((tx) => void publishing.callFor(tx, kind)) };
}

// Cause: all kinds stood in one line, so a Redis without room for an index would have kept back a suspension.
void t.test('a kind that the bus will not take holds no other back, and is not overtaken by its own', async (t) => {
  const sent: string[] = [];
  let open = (): void => {};
  const room = new Promise<void>((resolve) => (open = resolve));
  const { publishing, callFor } = outbox(async ({ kind, serial }) => {
    if (kind === 'index') await room;
    sent.push(`${kind} ${serial}`);
  });
  callFor('index');
  void publishing.send();
  callFor('live');
  void publishing.send();
  await until('the other kind is sent', () => sent.includes('live 1'));
  callFor('index');
  callFor('live');
  void publishing.send();
  await until('and sent again', () => sent.includes('live 2'));
  t.ok(publishing.isWaiting());
  open();
  await until('all is sent', () => !publishing.isWaiting());
  t.same(
    sent.filter((one) => one.startsWith('index')),
    ['index 1', 'index 2'],
  );
  await publishing.close();
});

void t.test('what could not leave is tried again with what is newest then', async (t) => {
  const sent: string[] = [];
  let isAway = true;
  const { publishing, callFor } = outbox(async ({ kind, serial }) => {
    if (isAway) throw new Error('no bus');
    sent.push(`${kind} ${serial}`);
  });
  callFor('policy');
  await publishing.send();
  callFor('policy');
  t.same(sent, []);
  isAway = false;
  await until('it is sent', () => !publishing.isWaiting());
  t.same(sent, ['policy 2']);
  await publishing.close();
});
