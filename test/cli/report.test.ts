import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { zstdCompressSync } from 'node:zlib';
import { Command } from 'commander';
import t, { type Test } from 'tap';
import { type CliContext, UsageError } from '../../src/cli/context.ts';
import { registerReport } from '../../src/cli/report.ts';
import { createDataFolders, dataLayout } from '../../src/config/data-layout.ts';
import { importSegment } from '../../src/history/import-segment.ts';
import { placePerson } from '../../src/identity/directory/repository.ts';
import { insertPerson } from '../../src/identity/repository.ts';
import { SchoolgateError } from '../../src/kernel/errors.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import { insertVersion } from '../../src/policy/repository.ts';
import { insertAlarm, insertGap } from '../../src/safeguarding/repository.ts';
import { openRecord } from '../../src/store/database.ts';
import { insertUnblock } from '../../src/unblock/repository.ts';
import { generateWeek } from '../helpers/generated-week.ts';
import { SCHOOL, snapshotOf } from '../policy/small-school.ts';

const MONDAY = Date.parse('2026-11-16T00:00:00Z');
const HOUR = 3_600_000;
const CATEGORIES = `categories:
  - { id: games, title: Computer games, description: Games, uksic: other, locked: false, flag: false }
  - { id: csam, title: Abuse, description: Illegal, uksic: Illegal, locked: true, flag: true }
`;

interface Shell {
  readonly root: string;
  /** What the command printed; rejects with what it threw. */
  readonly run: (...args: string[]) => Promise<string>;
}

async function school(t: Test): Promise<Shell> {
  const root = t.testdir({
    policies: {},
    blocklists: { 'categories.yaml': CATEGORIES, 'catalogue.yaml': 'lists: []\n' },
  });
  const layout = dataLayout(join(root, 'data'));
  createDataFolders(layout);
  fillRecord(layout.record);
  const records = generateWeek(8, MONDAY, 4000);
  for (let first = 0; first < records.length; first += 1000) {
    const at = Date.parse(records[first]!.at);
    const lines = records.slice(first, first + 1000).map((record) => `${JSON.stringify(record)}\n`);
    const name = `hall-0-${createIdMaker(() => at)()}`;
    await importSegment(layout.history, { name, bytes: zstdCompressSync(lines.join('')) });
  }
  return {
    root,
    run: async (...args) => {
      const stdout = new PassThrough() as unknown as NodeJS.WriteStream & PassThrough;
      const { stdin, stderr } = process;
      const context: CliContext = {
        env: {},
        cwd: root,
        clock: () => MONDAY + 7 * 24 * HOUR + 8 * HOUR,
        stdin,
        stdout,
        stderr,
      };
      const program = new Command('schoolgate').exitOverride();
      registerReport(program, context);
      await program.parseAsync(['node', 'schoolgate', 'report', 'weekly', ...args]);
      return String(stdout.read() ?? '');
    },
  };
}

const PUPIL = {
  kind: 'person',
  givenName: 'Ben',
  familyName: 'Carter',
  roles: ['pupil'],
  classes: [],
  teaches: [],
  groups: [],
} as const;

function fillRecord(path: string): void {
  const record = openRecord(path);
  record.write((tx) => {
    const amy = { id: 'p1', userName: 'm.okafor', fullName: 'M Okafor', roles: [] };
    insertPerson(tx, amy, 'm.okafor', MONDAY);
    insertPerson(tx, { id: 'p2', userName: 'Pupil-100', fullName: 'Ben Carter' }, 'pupil-100', MONDAY);
    placePerson(tx, {
      id: 'p2',
      source: 'plain',
      sourceId: '100',
      facts: { ...PUPIL, userName: 'Pupil-100', year: '9' },
    });
    insertUnblock(
      tx,
      {
        id: 'u1',
        state: 'requested',
        topic: 'The rise of Nazism',
        subject: 'History',
        reason: 'Year 9 history',
        hosts: ['war-museum.example'],
        categories: ['games'],
        classes: [],
        pupils: [],
        levels: ['ks3'],
        ranges: [],
        during: [],
        passesPersonBlock: false,
        risks: [],
        from: MONDAY + 9 * HOUR,
        until: MONDAY + 10 * HOUR,
        requested: { by: 'p1', at: MONDAY },
        decided: null,
        agreed: null,
        ended: null,
        outcome: null,
        remark: '',
      },
      null,
    );
    insertAlarm(tx, {
      id: 'a1',
      at: '2026-11-17T08:00:00.000Z',
      gateway: 'hall',
      code: 'disk-refuses',
      text: 'The disk is full.',
    });
    insertAlarm(tx, {
      id: 'a2',
      at: '2026-11-09T08:00:00.000Z',
      gateway: 'hall',
      code: 'disk-refuses',
      text: 'The week before.',
    });
    insertGap(tx, 'g1', {
      gateway: 'hall',
      worker: 1,
      from: '2026-11-18T09:58:00.000Z',
      until: '2026-11-18T10:01:00.000Z',
    });
  });
  record.close();
}

await t.test('without a word: the last week that is over, both files in the current folder', async (t) => {
  const { root, run } = await school(t);
  const text = await run();
  const html = join(root, 'schoolgate-week-2026-W47.html');
  const csv = join(root, 'schoolgate-week-2026-W47.csv');
  t.match(text, /^Web activity, week 47 of 2026: Mon 16 Nov 2026 to Sun 22 Nov 2026\n/);
  t.ok(text.includes(`${html}\n${csv}\n`), 'it says where');
  t.match(text, /^Missing: No illegal-content list is loaded\./m);
  const page = readFileSync(html, 'utf8');
  t.match(page, /The rise of Nazism: war-museum\.example, category games/);
  t.match(page, /m\.okafor, nobody/);
  t.match(page, />expired</);
  t.match(page, /The disk is full\. \(disk-refuses\)/);
  t.notMatch(page, /The week before/);
  t.match(page, /Gateway hall, worker 1: requests may be missing: Wed 18 Nov 2026, 09:58 to 10:01/);
  t.match(page, />Computer games</, 'categories have their titles');
  t.match(readFileSync(csv, 'utf8'), /^figures,Requests,4000,/m);
  t.match(readFileSync(csv, 'utf8'), /^years,Year 9,\d+,\d+,\d+,/m, 'the directory knows who is in which year');
});

await t.test('any period, to a named file', async (t) => {
  const { root, run } = await school(t);
  const all = [
    '2026-11-16',
    '2026-11-17',
    '2026-11-18',
    '2026-11-19T00:00',
    '2026-11-20T00:00:00Z',
    '2026-11-21T01:00:00+01:00',
  ];
  let requests = 0;
  for (let day = 0; day < 5; day++) {
    await run('--from', all[day]!, '--until', all[day + 1]!, '--csv', 'out/day.csv');
    requests += Number(/^figures,Requests,(\d+),/m.exec(readFileSync(join(root, 'out', 'day.csv'), 'utf8'))![1]);
  }
  t.equal(requests, 4000, 'the days add up to the week');
  t.same(
    readdirSync(root).filter((name) => name.startsWith('schoolgate-')),
    [],
    'nothing that was not asked for',
  );
  await run('--week', '2026-W46', '--html', 'before.html');
  t.match(readFileSync(join(root, 'before.html'), 'utf8'), /Nothing was refused in this period\./);
});

await t.test('no record is missing where the policy in force says that there was no school', async (t) => {
  const { root, run } = await school(t);
  const silentDays = async (): Promise<string> => {
    await run('--week', '2026-W44', '--html', 'half-term.html');
    const page = readFileSync(join(root, 'half-term.html'), 'utf8');
    return [...page.matchAll(/School time without a single record[^]*?(Mon|Tue|Wed|Thu|Fri) /g)]
      .map(([, day]) => day)
      .join();
  };
  t.equal(await silentDays(), 'Mon,Tue,Wed,Thu,Fri');
  const record = openRecord(dataLayout(join(root, 'data')).record);
  const halfTerm = '{ name: Half-term, from: 2026-10-26, to: 2026-10-29 }';
  const term = '{ name: Autumn term, from: 2026-09-01, to: 2026-12-18 }';
  const snapshot = snapshotOf({ 'school.yaml': `${SCHOOL}calendar: { terms: [${term}], holidays: [${halfTerm}] }\n` });
  const people = { files: null, way: 'files', review: null, reason: null, author: null, approver: null } as const;
  record.write((tx) => insertVersion(tx, { serial: 1, snapshot, publishedAt: MONDAY, ...people }));
  record.close();
  t.equal(await silentDays(), 'Fri');
});

await t.test('by mail, here into the outbox', async (t) => {
  const { root, run } = await school(t);
  const text = await run('--mail', 'network.manager@school.example');
  t.match(text, /No mail server is set \(SCHOOLGATE_SMTP_URL\): the mail to network\.manager@school\.example lies in/);
  const [name] = readdirSync(join(root, 'data', 'outbox'));
  t.match(readFileSync(join(root, 'data', 'outbox', name!), 'utf8'), /^Subject: Web activity, week 47 of 2026\r$/m);
  t.same(
    readdirSync(root).filter((file) => file.startsWith('schoolgate-')),
    [],
  );
  await t.rejects(run('--mail', 'a@b.example, c@d.example'), { code: 'invalid_input' });
});

// The report that came by itself left out its reader; the same report mailed by hand to the same mailbox did not.
await t.test('by mail without whoever reads the mailbox', async (t) => {
  const { root, run } = await school(t);
  const layout = dataLayout(join(root, 'data'));
  const heavy = {
    ...generateWeek(1, MONDAY, 1)[0]!,
    user: 'n.manager',
    host: 'own.example',
    down: 9e9,
    verdict: 'allow',
  };
  const name = `hall-1-${createIdMaker(() => MONDAY)()}`;
  await importSegment(layout.history, { name, bytes: zstdCompressSync(`${JSON.stringify(heavy)}\n`) });
  const snapshot = snapshotOf({ 'alerts.yaml': 'mail: { N.Manager: Office@school.example }' });
  const people = { files: null, way: 'files', review: null, reason: null, author: null, approver: null } as const;
  const record = openRecord(layout.record);
  record.write((tx) => insertVersion(tx, { serial: 1, snapshot, publishedAt: MONDAY, ...people }));
  record.close();
  const mailed = async (to: string): Promise<string> => {
    const before = readdirSync(layout.outbox);
    await run('--mail', to);
    const file = readdirSync(layout.outbox).find((one) => !before.includes(one))!;
    return readFileSync(join(layout.outbox, file), 'utf8').replaceAll('=\r\n', '');
  };
  t.match(await mailed('head@school.example'), 'n.manager');
  t.notMatch(await mailed('office@school.example'), 'n.manager');
});

await t.test('misuse is told in one sentence, and nothing is written', async (t) => {
  const { root, run } = await school(t);
  const table: [string[], new (...given: never[]) => Error, RegExp][] = [
    [['--week', '2026-W60'], SchoolgateError, /There is no week 2026-W60/],
    [['--week', '2026-W47', '--from', '2026-11-16'], UsageError, /either --week or/],
    [['--from', '2026-11-16'], UsageError, /go together/],
    [['--from', 'monday', '--until', '2026-11-17'], UsageError, /--from must be a date/],
    [['--from', '2026-02-30', '--until', '2026-11-17'], UsageError, /--from must be a date/],
    [['--from', '2026-11-17', '--until', '2026-11-17'], UsageError, /must lie before/],
  ];
  for (const [args, type, expected] of table) {
    const error = await run(...args).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    t.ok(error instanceof type, args.join(' '));
    t.match((error as Error).message, expected);
  }
  t.notOk(existsSync(join(root, 'schoolgate-week-2026-W47.html')));
});

await t.test('a report is made also where the lists on disk are broken, and says so', async (t) => {
  const { root, run } = await school(t);
  writeFileSync(join(root, 'blocklists', 'catalogue.yaml'), 'lists: 7\n');
  t.match(await run(), /^Missing: It is not known which lists are in force\. .*catalogue\.yaml/m);
});
