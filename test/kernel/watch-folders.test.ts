import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { watchBusyFolders, watchFolders } from '../../src/kernel/watch-folders.ts';
import { until } from '../helpers/until.ts';

void t.test('a change is heard before the next regular look', async (t) => {
  for (const watchThem of [watchFolders, watchBusyFolders]) {
    const folder = t.testdir();
    const calls: number[] = [];
    const stop = watchThem([folder, join(folder, 'not there')], () => calls.push(performance.now()), 50);
    const begun = performance.now();
    writeFileSync(join(folder, 'a'), 'x');
    await until('it was heard', () => calls.length > 0);
    t.ok(calls[0]! - begun < 450, `${watchThem.name}: by a notification`);
    stop();
  }
});

void t.test('a file that grows all the time is looked at now and then, and its last line is seen', async (t) => {
  const file = join(t.testdir({ file: '' }), 'file');
  const seen: number[] = [];
  const stop = watchBusyFolders([join(file, '..')], () => seen.push(readFileSync(file).length), 60);
  t.teardown(stop);
  const begun = performance.now();
  for (let i = 0; i < 200; i++) {
    appendFileSync(file, 'x');
    await pause(1);
  }
  const calls = seen.length;
  const most = 2 + (performance.now() - begun) / 60 + (performance.now() - begun) / 500;
  t.ok(calls > 1 && calls <= most, `${calls} looks at 200 writes`);
  const last = performance.now();
  await until('the last was seen', () => seen.at(-1) === 200);
  t.ok(performance.now() - last < 450, 'without waiting for the regular look');

  stop();
  const ended = seen.length;
  appendFileSync(file, 'x');
  const other: number[] = [];
  t.teardown(watchFolders([join(file, '..')], () => other.push(1)));
  await until('another has looked twice', () => other.length >= 2);
  t.equal(seen.length, ended, 'nothing is called after the end');
});
