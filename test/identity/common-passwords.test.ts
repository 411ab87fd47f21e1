import * as fc from 'fast-check';
import t from 'tap';
import { passwordFault } from '../../src/identity/accounts.ts';
import { isCommonPassword } from '../../src/identity/common-passwords.ts';

const NAMES = ['n.manager', 'Nadia Manager', 'Alder Vale School'];

void t.test('what guessers try first is refused, however it is dressed up', async (t) => {
  for (const password of [
    'password1234',
    'P@ssw0rd2026!',
    'Password-Password',
    'qwertyuiop12',
    '1q2w3e4r5t6y',
    'poiuytrewq99',
    'Summer2026!!!',
    'Autumn-Term 2026'.replace('Term', 'School'),
    'letmeinletmein',
    'abcabcabcabc',
    '123456789012',
    'Liverpool2026',
    'Welcome to school 1'.replace(' to', ''),
    'Nadia.Manager.2026',
    'AlderVale2026',
    'ÀlderVale-password',
    'iloveyou12345',
  ]) {
    t.ok(isCommonPassword(password, NAMES), password);
    t.type(passwordFault(password, NAMES), 'string', password);
  }
});

void t.test('what somebody made up is taken', async (t) => {
  for (const password of [
    'three random words',
    'seven purple walrus lanterns',
    'correct horse battery',
    'my password is a walrus',
    'gravel teapot 2026 sideways',
    'xK9#vLq2$Rt7',
  ]) {
    t.notOk(isCommonPassword(password, NAMES), password);
    t.equal(passwordFault(password, NAMES), null, password);
  }
});

void t.test('any text is answered, soon', async (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 256 }),
      (text) => typeof isCommonPassword(text, NAMES) === 'boolean',
    ),
  );
  t.ok(isCommonPassword('qwerty'.repeat(42), NAMES));
  t.notOk(isCommonPassword(`${'password'.repeat(31)}zx`, NAMES));
});
