import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';

void t.test('every piece of state has a place of its own under the root', async (t) => {
  const { root, ...places } = dataLayout('/srv/schoolgate');
  t.equal(root, '/srv/schoolgate');
  const paths = Object.values(places);
  t.equal(new Set(paths).size, paths.length);
  for (const path of paths) t.ok(path.startsWith('/srv/schoolgate/'), path);
});

void t.test('its folders are nobody else’s to read, and are made once', async (t) => {
  const layout = dataLayout(join(t.testdir({}), 'data'));
  createDataFolders(layout);
  createDataFolders(layout);
  const parents = Object.values(layout).map((path) => (path === layout.root ? path : dirname(path)));
  for (const folder of new Set(parents)) {
    t.equal(statSync(folder).mode & 0o777, 0o700, folder);
  }
});

void t.test('what is there already and open to others is closed to them', async (t) => {
  const layout = dataLayout(join(t.testdir({}), 'data'));
  createDataFolders(layout);
  chmodSync(layout.root, 0o755);
  chmodSync(layout.history, 0o750);
  createDataFolders(layout);
  for (const folder of [layout.root, layout.history]) t.equal(statSync(folder).mode & 0o777, 0o700, folder);
});

void t.test('a file in their place is told, not passed over', async (t) => {
  const folder = t.testdir({ data: 'a file' });
  t.throws(() => createDataFolders(dataLayout(join(folder, 'data'))), {
    code: 'data_folder',
    publicText: /SCHOOLGATE_DATA_DIR/,
  });
  mkdirSync(join(folder, 'elsewhere'));
  t.doesNotThrow(() => createDataFolders(dataLayout(join(folder, 'elsewhere'))));
});
