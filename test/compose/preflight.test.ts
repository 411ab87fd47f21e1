import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readManifest } from '../../src/categories/current-index.ts';
import { preflight } from '../../src/compose/preflight.ts';
import { createDataFolders, type DataLayout, dataLayout } from '../../src/config/data-layout.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { loadOrCreateKeys } from '../../src/events/signing.ts';
import { putSmallInForce } from '../categories/index-in-force.ts';
import { PROJECT } from '../helpers/stack.ts';

/** A gateway's data folder with an index in force; `isConsoles`: the console keeps its record and keys there, too. */
function gateway(t: Test, isConsoles: boolean) {
  const root = t.testdir();
  const layout = dataLayout(root);
  createDataFolders(layout);
  loadOrCreateKeys(layout);
  if (!isConsoles) rmSync(layout.signingKey);
  putSmallInForce(layout, [{ id: 'l', category: 'games', entries: ['games.test'] }]);
  const env = { SCHOOLGATE_DATA_DIR: root, SCHOOLGATE_PROXY_PORT: '0', SCHOOLGATE_FRONT_PORT: '0' };
  return { layout, check: () => preflight(readEnvironment(env, PROJECT), layout, 'gateway') };
}

function damage(layout: DataLayout): void {
  writeFileSync(join(layout.index, readManifest(layout)!.file), 'no index');
}

const isInForce = (layout: DataLayout): boolean => existsSync(join(layout.index, 'current.json'));

// A gateway that shared the console's folder took its index from Redis and put an older one over what the console had just built.
void t.test('in the console’s own folder a gateway leaves the index to the console', async (t) => {
  const { layout, check } = gateway(t, true);
  t.match(await check(), [/keys\/console\.key: the index is taken as the console builds it here/, /no policy yet/]);
  damage(layout);
  await t.rejects(check(), { code: 'index_unusable', message: /run npx schoolgate lists build/ });
  t.ok(isInForce(layout), 'what the console wrote is not taken out');
});

void t.test(
  'in a folder of its own it puts an index that is damaged out of the way, and is sent another',
  async (t) => {
    const { layout, check } = gateway(t, false);
    t.match(await check(), [/no policy yet/]);
    damage(layout);
    t.match(await check(), [/no policy and no index that is whole yet/]);
    t.notOk(isInForce(layout));
  },
);
