import t from 'tap';
import { DeviceActivity } from '../../src/compose/device-activity.ts';

void t.test('what workers heard is told once, and only where one of them knows of a sign-in', async (t) => {
  const activity = new DeviceActivity();
  t.same(activity.take(), []);
  activity.add([]);
  t.same(activity.take(), [[]], 'that nobody is active is news');
  t.same(activity.take(), []);
  activity.add(['10.0.0.2']);
  activity.add(['10.0.0.1', '10.0.0.2']);
  t.same(activity.take(), [['10.0.0.1', '10.0.0.2']]);
  activity.add(Array.from({ length: 4001 }, (_, i) => `10.0.${i >> 8}.${i & 255}`));
  t.same(
    activity.take().map((event) => event.length),
    [2000, 2000, 1],
  );
});
