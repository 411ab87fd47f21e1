import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Mail } from '../../src/delivery/mail.ts';
import type { Delivery } from '../../src/delivery/service.ts';
import { deliverWeeklyReport, type WeeklyDeliveryPorts } from '../../src/reports/weekly-delivery.ts';
import { reportsOver } from '../helpers/made-reports.ts';

const DUE = Date.parse('2026-11-23T07:00:00Z');

function ports(folder: string, recipient: string | null, send: Delivery['send']): WeeklyDeliveryPorts {
  const reports = reportsOver({ folder: `${folder}-history`, now: DUE + 5000, status: { illegalListLoaded: false } });
  return { reports, delivery: { send }, folder, zone: 'Europe/London', recipient: () => recipient };
}

await t.test('the report of the week before is kept and mailed, and doing it again replaces it', async (t) => {
  const folder = join(t.testdir({}), 'reports');
  const sent: Mail[] = [];
  const send: Delivery['send'] = async (mail) => {
    sent.push(mail);
    return { messageId: '<1@x>', via: 'smtp', at: '' };
  };
  const given = ports(folder, 'network.manager@school.example', send);
  t.match(await deliverWeeklyReport(given, DUE), { via: 'smtp' });
  await deliverWeeklyReport(given, DUE);
  t.same(readdirSync(folder).sort(), ['schoolgate-week-2026-W47.csv', 'schoolgate-week-2026-W47.html']);
  t.equal(sent.length, 2);
  const [mail] = sent;
  t.equal(mail!.subject, 'Web activity, week 47 of 2026');
  t.equal(mail!.html, readFileSync(join(folder, 'schoolgate-week-2026-W47.html'), 'utf8'));
  t.equal(mail!.attachments![0]!.content, readFileSync(join(folder, 'schoolgate-week-2026-W47.csv'), 'utf8'));
  t.match(mail!.text, /What is missing:\n- No illegal-content list is loaded\./);
  t.match(mail!.text, /^Requests: 0 /m);
});

await t.test(
  'where no address is known it is kept; where the mail does not leave it is kept and the failure told',
  async (t) => {
    const folder = join(t.testdir({}), 'reports');
    const send: Delivery['send'] = async () => {
      throw new Error('the mail server is down');
    };
    t.equal(await deliverWeeklyReport(ports(folder, null, send), DUE), null);
    t.equal(readdirSync(folder).length, 2);
    await t.rejects(
      deliverWeeklyReport(ports(folder, 'a@school.example', send), DUE - 7 * 86_400_000),
      /mail server is down/,
    );
    t.equal(readdirSync(folder).length, 4);
  },
);
