import t from 'tap';
import { controlPlane } from '../helpers/control-plane.ts';

void t.test(
  'what changes at the same time leaves in one snapshot, and the last change is never left behind',
  async (t) => {
    const plane = controlPlane();
    t.teardown(() => plane.close());
    const change = (): Promise<void> => {
      plane.record.write((tx) => plane.publishing.callFor(tx, 'live'));
      return plane.publishing.send();
    };
    await Promise.all(Array.from({ length: 500 }, change));
    const serials = plane.bus.sent.filter(({ kind }) => kind === 'live').map(({ serial }) => serial);
    t.ok(serials.length <= 2, `500 changes in ${serials.length} snapshots`);
    t.equal(serials.at(-1), 500);
    t.notOk(plane.publishing.isWaiting());
  },
);
