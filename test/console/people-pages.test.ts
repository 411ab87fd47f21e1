// The pages about people in a real browser, with a school's worth of them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { START, agreementPolicy } from '../helpers/control-plane.ts';
import { lookAtPages } from '../helpers/look-at-pages.ts';
import { plainSchool } from '../helpers/rosters.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { addPerson, testConsole } from '../helpers/test-console.ts';

void t.test(
  'people can be found, read and acted on by everybody, on a desk and on a phone',
  { timeout: 300_000 },
  async (t) => {
    const folder = tempFolder(t);
    const dropFolder = {
      folder: '/srv/schoolgate/data/roster-drop',
      files: [{ name: 'users.csv', bytes: 123_456, changedAt: START }],
      refused: {
        at: '2026-11-23T02:30:00.000Z',
        text: 'The roster in /srv/schoolgate/data/roster-drop was not imported: The roster has 3 problems.',
      },
    };
    const plane = await testConsole({ dropFolder });
    t.teardown(() => plane.close());
    plane.disk = { snapshot: agreementPolicy() };
    plane.policy.look();
    for (const [name, role] of [
      ['n.manager', 'network-manager'],
      ['h.teacher', 'headteacher'],
    ] as const)
      await addPerson(plane, name, [role]);
    const { origin, complaints, open, signIn, press, look } = await lookAtPages(t, plane, 320);
    const page = await open();
    await page.goto(`${origin}/people`);
    await signIn(page, 'n.manager');
    await look(page, 'people-none');
    await page.getByRole('link', { name: 'Import a roster' }).click();
    await look(page, 'import');
    await press(page, 'Show what would change');
    await look(page, 'import-errors');
    writeFileSync(join(folder, 'people.csv'), plainSchool(1500));
    await page.getByLabel('Files of one export').setInputFiles(join(folder, 'people.csv'));
    await press(page, 'Show what would change');
    await look(page, 'import-preview');
    await press(page, 'Import exactly this');
    await look(page, 'import-done');
    writeFileSync(join(folder, 'people.csv'), `${plainSchool(1300)}x,x,X,Y,boss,15,,,,\r\n`);
    await page.getByLabel('Files of one export').setInputFiles(join(folder, 'people.csv'));
    await press(page, 'Show what would change');
    await look(page, 'import-preview-problems');
    await press(page, 'Import exactly this');
    await look(page, 'import-preview-errors');

    await page.getByRole('link', { name: 'People', exact: true }).first().click();
    await look(page, 'people');
    await page.getByLabel('Name or user name').fill('zoe');
    await page.getByLabel('Year').selectOption('Year 9');
    await press(page, 'Show');
    await look(page, 'people-found');
    await page.getByLabel('Name or user name').fill('nobody of this name');
    await press(page, 'Show');
    await look(page, 'people-not-found');
    await page.getByRole('link', { name: 'Clear' }).click();
    await page.getByRole('link', { name: 'User name' }).click();
    t.match(page.url(), /\/people\?sort=user$/);

    await page
      .getByRole('link', { name: /Featherstonehaugh/ })
      .first()
      .click();
    await press(page, 'Go on');
    await look(page, 'purpose');
    await page.getByLabel('A safeguarding concern').check();
    await page.getByLabel('In a few words').fill('A friend has told the form tutor');
    await press(page, 'Go on');
    await page.locator('summary').click();
    await look(page, 'person');
    await press(page, 'Suspend now');
    await look(page, 'person-errors');
    await page.getByLabel('Why').fill('Tried to get round the filter; the parents were told');
    await page.getByLabel('Until (optional)').fill('2026-12-01T08:00');
    await press(page, 'Suspend now');
    await look(page, 'person-suspended');
    await press(page, 'Lift the suspension');
    await press(page, 'Make a new card');
    await look(page, 'card');
    const [name, password] = await page.locator('code').allTextContents();
    const manager = plane.accounts.people().find(({ userName }) => userName === 'n.manager')!;
    plane.agreements.recordConsent(
      { personId: manager.id, userName: manager.userName, address: 'local' },
      { userName: name! },
    );
    t.match(await plane.devices.signIn({ name: name!, password: password!, address: '10.1.20.30' }), {
      state: 'signed-in',
    });
    await page.getByRole('link', { name: 'Back', exact: true }).click();
    await look(page, 'person-signed-in');
    await page.getByRole('link', { name: 'Signed in' }).click();
    await look(page, 'devices');
    await press(page, /^Sign out /);
    await look(page, 'devices-none');
    await page.getByRole('link', { name: 'Classes' }).click();
    await look(page, 'classes');
    await page.getByLabel('Class or teacher').fill('9A');
    await press(page, 'Show');
    await page.getByRole('link', { name: '9A', exact: true }).click();
    await page.locator('summary').click();
    await look(page, 'class');
    await press(page, 'Make new cards for the class');
    await look(page, 'cards');
    const paper = await page.pdf({ format: 'A4' });
    t.ok(paper.length > 10_000, 'and can be printed');

    t.strictSame(
      complaints.filter((complaint) => !/status of (?:401|404|409|410|422)/.test(complaint)),
      [],
      'the browser had nothing to complain of',
    );
  },
);
