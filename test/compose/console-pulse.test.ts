import { createServer } from 'node:net';
import t from 'tap';
import { createConsoleDownMail } from '../../src/compose/console-down-mail.ts';
import { ConsolePulse } from '../../src/compose/console-pulse.ts';
import { Secret } from '../../src/config/secret.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { createIdMaker } from '../../src/kernel/ids.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { openMailSink } from '../delivery/sink.ts';
import { manualClock } from '../helpers/control-plane.ts';
import { freePort, listen } from '../helpers/listening.ts';
import { until } from '../helpers/until.ts';

void t.test('a console that is away is told of once each time, dead, hung or dying again and again', async (t) => {
  const clock = manualClock();
  const pulse = new ConsolePulse(clock);
  const after = (seconds: number): string | null => {
    clock.advance(seconds * 1000);
    const absence = pulse.look();
    return absence === null ? null : `${absence.act}: ${absence.text}`;
  };
  pulse.started();
  t.equal(after(9), null, 'it is starting');
  pulse.beat(['lead@school.example']);
  t.equal(after(29), null, 'it may be at work on something long');
  t.notOk(pulse.isAway);
  t.match(after(2), /^alarm: The console has given no sign for 30 seconds/);
  t.ok(pulse.isAway);
  t.equal(after(10), null, 'once');
  t.match(after(5), /^mail: The console has given no sign for 45 seconds/);
  t.equal(after(600), null, 'once');
  pulse.beat(['lead@school.example', 'head@school.example']);
  t.notOk(pulse.isAway, 'it goes on');
  clock.advance(4_000);
  pulse.started();
  t.equal(after(9), null, 'it has died and is started again');
  pulse.started();
  t.match(after(2), /^alarm: .* not been running for 10 seconds/, 'however often it is started: it has not come up');
  pulse.started();
  t.match(after(40), /^mail: .* not been running for 45 seconds/);
  pulse.started();
  t.equal(after(600), null, 'once');
  t.strictSame(pulse.mailboxes, ['lead@school.example', 'head@school.example'], 'as it said last');
});

void t.test('the supervisor’s own mail gets through when the mail server is back, once to each', async (t) => {
  const port = await freePort();
  const options = {
    environment: { smtpUrl: new Secret(`smtp://127.0.0.1:${port}`), mailFrom: 'filter@school.example' },
    layout: { outbox: t.testdir({}) },
    clock: systemClock,
    newId: createIdMaker(systemClock),
    policy: () => null,
    log: createLogger('supervisor', 'silent'),
    againMs: 20,
  };
  const mail = createConsoleDownMail(options);
  t.teardown(() => mail.stop());
  let refused = 0;
  const closed = await listen(
    createServer((socket) => void (refused++, socket.destroy())),
    '127.0.0.1',
    port,
  );
  mail.tell(['lead@school.example', 'head@school.example'], 'The console is away.');
  await until('both have been tried', () => refused >= 4);
  await closed.close();
  const sink = await openMailSink({}, port);
  t.teardown(() => sink.close());
  await until('both have it', () => sink.taken.length === 2);
  t.strictSame(sink.taken.map(({ to }) => to).sort(), ['head@school.example', 'lead@school.example']);
  t.match(sink.taken[0]!.source, /Subject: Schoolgate: alerts may not come/);
  t.match(sink.taken[0]!.source, /The console is away\./);
});
