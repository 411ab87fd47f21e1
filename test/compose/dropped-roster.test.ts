import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { importDroppedRoster } from '../../src/compose/dropped-roster.ts';
import { controlPlane, twoPeople } from '../helpers/control-plane.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

void t.test('the drop folder: empty, good, the same again, wrong, and unreadable', async (t) => {
  const plane = controlPlane();
  t.teardown(() => plane.close());
  const { head } = twoPeople(plane);
  const folder = tempFolder(t);
  const alarms: string[] = [];
  const run = async (text?: string | Buffer) => {
    if (text !== undefined) writeFileSync(join(folder, 'people.csv'), text);
    await importDroppedRoster({
      folder,
      directory: plane.directory,
      raise: (code, text) => void alarms.push(`${code} ${text}`),
    });
    return plane.directory.list(head, {}).filter(({ status }) => status === 'active').length;
  };
  const imports = () => plane.acts().filter((act) => act.startsWith('people.imported'));
  t.equal(await run(), 0);
  t.equal(await run('username,role\nann,pupil\nbob,pupil\n'), 2);
  t.equal(await run(), 2);
  t.strictSame([imports(), alarms], [['people.imported file'], []]);
  t.equal(await run('username,role\nann,pupil\n'), 2);
  t.equal(await run('username,role\nann,pupil\nbob,boss\n'), 2);
  t.equal(await run('name\nann\n'), 2);
  t.equal(await run(Buffer.from([0xff, 0xfe, 0x41])), 2);
  t.match(alarms, [
    /^roster-refused .* would disable 1 of 2 people/,
    /has 2 problems\. The first: people\.csv:3: /,
    /This is no roster/,
    /is not UTF-8 text/,
  ]);
  t.equal(imports().length, 1);
});
