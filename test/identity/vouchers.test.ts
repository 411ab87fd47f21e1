import t from 'tap';
import { InvalidFieldsError } from '../../src/kernel/errors.ts';
import { readTypedCode, typedCode } from '../../src/identity/typed-code.ts';
import { readVoucher, type VoucherInput } from '../../src/identity/vouchers.ts';

const NOW = Date.parse('2026-11-23T09:00:00Z');
const HOUR = 3_600_000;
const GOOD = { name: 'Jo Visitor', purpose: 'Talk to Year 6', from: NOW, until: NOW + HOUR };

void t.test('what a voucher may say', async (t) => {
  t.same(readVoucher({ ...GOOD, name: ' Jo\u0000Visitor ' }, NOW), GOOD);
  const table: [string, Partial<VoucherInput>, string[]][] = [
    ['nothing', { name: ' ', purpose: '' }, ['name', 'purpose']],
    ['too much', { name: 'x'.repeat(101), purpose: 'x'.repeat(301) }, ['name', 'purpose']],
    ['no times', { from: null, until: null }, ['from', 'until']],
    ['an end before the start', { from: NOW + 2 * HOUR }, ['until']],
    ['an end that is past', { from: NOW - 2 * HOUR, until: NOW - HOUR }, ['until']],
    ['more than a month', { until: NOW + 32 * 24 * HOUR }, ['until']],
  ];
  for (const [what, change, fields] of table) {
    try {
      readVoucher({ ...GOOD, ...change }, NOW);
      t.fail(what);
    } catch (error) {
      t.ok(error instanceof InvalidFieldsError);
      t.same(
        (error as InvalidFieldsError).fields.map(({ field }) => field),
        fields,
        what,
      );
    }
  }
});

void t.test('a code is read however it is typed', async (t) => {
  const code = typedCode(Uint8Array.from({ length: 12 }, (_, i) => i * 21));
  t.match(code, /^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  t.equal(readTypedCode(` ${code.toLowerCase().replaceAll('-', ' ')} `), code.replaceAll('-', ''));
  t.equal(readTypedCode('oOil-1234-5678'), '001112345678');
  t.equal(readTypedCode(code, 24), null, 'another length');
  for (const wrong of ['', 'K7MP', `${code}0`, 'U'.repeat(12), 'x'.repeat(10_000), 'K7MP\u00002QXR9TBD']) {
    t.equal(readTypedCode(wrong), null, wrong.slice(0, 20));
  }
});
