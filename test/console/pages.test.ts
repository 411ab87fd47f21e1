import { join } from 'node:path';
import t from 'tap';
import { buildIndex } from '../../src/categories/build-index.ts';
import type { OfferedList } from '../../src/categories/catalogue.ts';
import type { ListStatus } from '../../src/categories/list-status.ts';
import type { Lists, UpdateReport } from '../../src/categories/service.ts';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import { keyOn, shownByApp } from '../helpers/authenticator.ts';
import { START, testPolicy } from '../helpers/control-plane.ts';
import { lookAtPages } from '../helpers/look-at-pages.ts';
import { rosterFiles } from '../helpers/rosters.ts';
import { PROJECT } from '../helpers/stack.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { NO_LISTS, PASSWORD, addPerson, testConsole } from '../helpers/test-console.ts';

const FETCHED = { fetchedAt: '2026-11-23T03:17:00.000Z', triedAt: '2026-11-23T03:17:00.000Z', setAside: null };
const LIST = { category: 'gambling', licence: 'CC-BY-SA-4.0', loadedAt: '2026-11-23T03:17:00.000Z', held: null };
const NEXT = '2026-11-24T03:17:00.000Z';
const SOURCE = 'https://lists.example/blacklists/download/gambling.tar.gz';

/** One list of each state. */
const LISTS: readonly ListStatus[] = [
  { ...LIST, id: 'starter-gambling', source: './a.txt', health: 'in-force', entries: 1_234, fetch: null },
  {
    ...LIST,
    id: 'ut1-gambling',
    source: SOURCE,
    health: 'last-good',
    entries: 100_000,
    fetch: { ...FETCHED, error: null, next: NEXT },
    held: {
      id: 'ut1-gambling',
      entries: 12,
      before: 100_000,
      sha256: 'ab'.repeat(32),
      path: `/srv/data/${'0f'.repeat(32)}`,
    },
  },
  {
    ...LIST,
    id: 'late',
    source: SOURCE,
    health: 'not-loaded',
    entries: 0,
    loadedAt: null,
    fetch: { ...FETCHED, fetchedAt: null, error: `${SOURCE} answered with status 404`, next: NEXT },
  },
];

const OFFERED: readonly OfferedList[] = [
  {
    id: 'ut1-games',
    category: 'games',
    source: SOURCE,
    licence: 'CC-BY-SA-4.0',
    homepage: 'https://lists.example/',
    line: 1,
    position: 0,
  },
  { id: 'no-licence', category: 'games', source: SOURCE, licence: null, homepage: null, line: 9, position: 1 },
];

const PEOPLE = `username,id,given name,family name,role,year,classes
ann,p1,Ann,Ames,pupil,5,5A
bob,p2,Bob,Bell,pupil,5,5B
`;

void t.test(
  'every page can be read and used by everybody, on a desk and on a phone',
  { timeout: 240_000 },
  async (t) => {
    let isBuilt: (report: UpdateReport) => void = () => {};
    const listUpdates: Lists = {
      ...NO_LISTS,
      status: () => LISTS,
      offered: () => OFFERED,
      update: (_actor, _which, onStep) => {
        onStep!({ doing: 'building' });
        return new Promise((resolve) => (isBuilt = resolve));
      },
    };
    const dataDir = tempFolder(t);
    createDataFolders(dataLayout(dataDir));
    await buildIndex({ listsDir: join(PROJECT, 'blocklists'), layout: dataLayout(dataDir), clock: () => START });
    const plane = await testConsole({ listUpdates, dataDir });
    t.teardown(() => plane.close());
    await plane.directory.import(null, rosterFiles({ 'people.csv': PEOPLE }), false);
    await addPerson(plane, 'h.teacher', ['headteacher']);
    const { origin, complaints, open, signIn, press, look } = await lookAtPages(t, plane);

    const manager = await open();
    const { token } = plane.accounts.makeFirstLinks().find(({ role }) => role === 'network-manager')!;
    await manager.goto(`${origin}/join/${token}`);
    await look(manager, 'join');
    await press(manager, 'Make my account');
    await look(manager, 'join-errors');
    await manager.getByLabel('Your name').fill('Nadia Manager');
    await manager.getByLabel('User name').fill('n.manager');
    await manager.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await manager.getByLabel('Password again').fill(PASSWORD);
    await press(manager, 'Make my account');
    await look(manager, 'sign-in');
    await signIn(manager, 'nobody');
    await look(manager, 'sign-in-errors');
    await manager.goto(`${origin}/join/${token}`);
    await look(manager, 'join-used');

    await manager.goto(origin);
    await signIn(manager, 'n.manager');
    await look(manager, 'second-factor');
    await press(manager, 'Set it up');
    await look(manager, 'second-factor-errors');
    await manager
      .getByRole('textbox', { name: 'Code' })
      .fill(shownByApp(keyOn(await manager.content()), plane.clock()));
    await press(manager, 'Set it up');
    await look(manager, 'recovery-codes');
    await manager.getByRole('link', { name: 'Nadia Manager' }).click();
    await look(manager, 'account');
    await manager.getByRole('link', { name: 'Home' }).click();
    await look(manager, 'home-quiet');
    await manager.getByRole('link', { name: 'Requests' }).click();
    await look(manager, 'unblocks-none');
    await manager.getByRole('button', { name: 'Ask for an unblock' }).click();
    await look(manager, 'unblock-request');
    await manager.getByLabel('Sites').fill('not a host!\ncom');
    await press(manager, 'Ask for it');
    await look(manager, 'unblock-request-errors');
    await manager.getByLabel('Topic').fill('Tudor England');
    await manager.getByLabel('Why it is needed').fill('Year 5 history: maps and portraits');
    await manager.getByLabel('Sites').fill('www.history.example\nportraits.museum.example');
    await manager.getByText('Open whole categories').click();
    await manager.getByLabel('Games').check();
    await manager.getByText('Whole levels, or a room').click();
    await manager.getByLabel('Key stage 2').check();
    await manager.getByLabel('Until').fill('2026-11-23T12:00');
    await press(manager, 'Ask for it');
    await look(manager, 'unblock-own');
    await manager.getByRole('link', { name: 'All unblocks' }).click();
    await look(manager, 'unblocks-waiting');
    await manager.getByRole('link', { name: 'This site should be blocked' }).click();
    await press(manager, 'Send it');
    await look(manager, 'block-request-errors');
    await manager.getByLabel('Sites').fill('a-rather-long-name-of-a-site.bullies.example');
    await manager.getByLabel('Why it should be blocked').fill('Pupils are bullied there by name.');
    await press(manager, 'Send it');
    await press(manager, /^Refuse/);
    await look(manager, 'wishes-errors');
    await press(manager, /^Block it/);
    await look(manager, 'block-take-up');
    await manager.goto(`${origin}/unblocks/asked`);
    await manager.getByLabel('A word to whoever asked').fill('It is blocked already.');
    await press(manager, /^Refuse/);
    await look(manager, 'wishes-answered');

    await manager.getByRole('link', { name: 'Filter' }).click();
    await manager.getByRole('link', { name: 'Lists' }).click();
    await look(manager, 'lists');
    await press(manager, 'Switch on ut1-games');
    await look(manager, 'lists-errors');
    await manager.getByLabel('I have read the licence of ut1-games').check();
    await press(manager, 'Switch on ut1-games');
    await look(manager, 'lists-done');
    await press(manager, 'Fetch all now');
    await look(manager, 'lists-work');
    isBuilt({ fetched: [], changes: [], alarms: [] });
    await manager.getByRole('link', { name: 'Look again now' }).click();
    t.match(
      await manager
        .getByRole('alert')
        .or(manager.getByRole('region', { name: 'Done' }))
        .innerText(),
      /Nothing was due/,
    );
    await manager.getByRole('link', { name: 'Settings' }).click();
    await manager.getByRole('link', { name: 'Who may do what' }).click();
    await look(manager, 'permissions');

    await manager.getByRole('link', { name: 'Requests' }).click();
    await manager.getByRole('link', { name: 'Lessons' }).click();
    await look(manager, 'lessons-none');
    await manager.getByRole('button', { name: 'Give a lesson list' }).click();
    await press(manager, 'Give the list');
    await look(manager, 'lesson-new-errors');
    await manager.getByLabel('Name of the list').fill('Volcanoes');
    await manager
      .getByLabel('Sites')
      .fill('volcano.example\nnever.example\na-rather-long-name-of-a-site.school.example');
    await manager.getByLabel('5A').check();
    await manager.getByLabel('Single pupils').fill('bob bell');
    await press(manager, 'Only check the sites');
    await look(manager, 'lesson-new-checked');
    await press(manager, 'Give the list');
    await look(manager, 'lessons-in-force');
    await press(manager, 'Add the site to Volcanoes');
    await look(manager, 'lessons-errors');
    await manager.getByLabel('Another site').fill('maps.example');
    await press(manager, 'Add the site to Volcanoes');
    await press(manager, 'Make it longer for Volcanoes');
    t.match(await manager.getByRole('main').textContent(), /maps\.example/);
    await manager.getByRole('link', { name: 'Would my class see this?' }).click();
    await manager.getByLabel('Class').selectOption('5B');
    await manager.getByLabel('Sites').fill('never.example\nvolcano.example/etna');
    await press(manager, 'Look up');
    await look(manager, 'lesson-look-up');
    await manager.getByRole('link', { name: 'All lesson lists' }).click();
    await press(manager, 'End it now for Volcanoes');
    await look(manager, 'lessons-ended');
    await manager.getByRole('link', { name: 'Use this list again' }).click();
    t.match(await manager.getByLabel('Sites').inputValue(), /^volcano\.example\nnever/);

    plane.disk = { snapshot: testPolicy({ hash: 'b'.repeat(64), school: 'Test Academy', timeZone: 'Europe/Dublin' }) };
    plane.policy.look();
    plane.safeguarding.raise(
      'policy-invalid',
      'The policy files cannot be used: levels/ks2.yaml:14: "gamse" is not a category',
    );
    plane.safeguarding.raise(
      'policy-invalid',
      'The policy files cannot be used: levels/ks2.yaml:14: "gamse" is not a category',
    );
    plane.record.write((tx) =>
      tx.run(
        `INSERT INTO flagged_counts VALUES ('2026-11-23', 'ks2', 'gambling', 'block', 1234), ('2026-11-23', 'ks1', '', 'block', 2)`,
      ),
    );
    await manager.getByRole('link', { name: 'Filter' }).click();
    await manager.getByRole('link', { name: 'Policy' }).click();
    await look(manager, 'policy-different');
    await manager.getByRole('link', { name: 'Propose this change' }).click();
    await look(manager, 'policy-draft-of-files');
    await press(manager, 'Propose this change');
    await look(manager, 'policy-errors');
    await manager.getByLabel('Why this change is made').fill('The school has a new name from January');
    await press(manager, 'Propose this change');
    await look(manager, 'policy-own-proposal');

    const head = await open();
    await head.goto(`${origin}/unblocks`);
    await signIn(head, 'h.teacher');
    await look(head, 'unblocks-to-decide');
    await head.getByRole('link', { name: 'Home' }).click();
    await look(head, 'home-busy');
    await head.getByRole('link', { name: /policy change waits for your approval/ }).click();
    await look(head, 'policy-to-approve');
    await press(head, 'Approve and publish');
    await look(head, 'policy-published');
    await head.getByRole('link', { name: 'Requests' }).click();
    await head.getByRole('link', { name: 'Tudor England' }).click();
    await look(head, 'unblock-to-decide');
    await press(head, /^Approve/);
    await look(head, 'unblock-active');
    plane.disk = {
      problems: [{ file: 'levels/ks2.yaml', line: 14, reason: '"gamse" is not a category; did you mean games?' }],
    };
    plane.policy.look();
    await head.goto(`${origin}/policy`);
    await look(head, 'policy-invalid');
    await head.goto(`${origin}/`);
    await look(head, 'home-invalid');
    await head.getByRole('link', { name: 'Settings' }).click();
    await look(head, 'accounts');
    await head.getByRole('button', { name: 'Invite somebody' }).click();
    await look(head, 'invite');
    await press(head, 'Make the link');
    await look(head, 'invite-errors');
    await head.getByLabel('Their name').fill('Dana Safe');
    await head.getByLabel('Designated safeguarding lead').check();
    await head.getByLabel('Last day').fill('2027-07-31');
    await press(head, 'Make the link');
    await look(head, 'invitation');
    const invitation = (await head.locator('code').textContent())!;
    await head.getByRole('link', { name: 'Back to all accounts' }).click();
    await look(head, 'accounts-waiting');
    await head.getByRole('link', { name: 'Change the roles of Nadia Manager' }).click();
    await look(head, 'account-roles');
    await press(head, 'Reset the app');
    await look(head, 'app-reset');
    await head.goto(`${origin}/accounts/sessions`);
    await look(head, 'open-sessions');
    await head.getByRole('link', { name: 'Back to all accounts' }).click();
    await head.getByRole('link', { name: 'The sealed credential for the safe' }).click();
    await look(head, 'sealed-credential');
    await press(head, 'Make it');
    await look(head, 'sealed-code');
    await head.goto(`${origin}/`);
    await look(head, 'home-announced');
    await head.goto(`${origin}/account/password`);
    await look(head, 'own-password');
    await press(head, 'Change my password');
    await look(head, 'own-password-errors');
    const invited = await open();
    await invited.goto(invitation);
    await look(invited, 'join-invited');
    await invited.goto(`${origin}/sealed-credential`);
    await look(invited, 'sealed-use');
    await press(invited, 'Use it');
    await look(invited, 'sealed-use-errors');
    plane.clock.set(START + 4 * 3_600_000);
    plane.unblocks.noteExpired();
    await head.goto(`${origin}/unblocks`);
    await signIn(head, 'h.teacher');
    await look(head, 'unblocks-ended');
    await head.goto(`${origin}/nothing/here`);
    await look(head, 'not-found');

    const expected = /status of (?:401|404|409|410|422)/;
    t.strictSame(
      complaints.filter((complaint) => !expected.test(complaint)),
      [],
      'the browser had nothing to complain of',
    );
  },
);
