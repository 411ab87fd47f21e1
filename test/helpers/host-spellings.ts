import * as fc from 'fast-check';

type Spelt = { readonly host: string; readonly text: string };

/**
 * One of the hosts as a client may write it: capitals, escapes, escapes of escapes, other dots, dots at the end; with `wide`
 * also letters and dots outside ASCII.
 */
export function hostSpellings(hosts: readonly string[], letters: 'ascii' | 'wide'): fc.Arbitrary<Spelt> {
  return fc
    .constantFrom(...hosts)
    .chain((host) =>
      fc
        .tuple(...host.split('').map((letter) => spellings(letter, letters)), fc.constantFrom('', '.', '..'))
        .map((parts) => ({ host, text: parts.join('') })),
    );
}

function spellings(letter: string, letters: 'ascii' | 'wide'): fc.Arbitrary<string> {
  const code = letter.charCodeAt(0);
  const escaped = `%${code.toString(16)}`;
  const ascii = [letter, letter.toUpperCase(), escaped, escaped.replace('%', '%25'), ...(letter === '.' ? ['..'] : [])];
  const wide = letter === '.' ? ['\u3002', '\uff0e', '\uff61'] : [String.fromCharCode(code + 0xfee0)];
  return fc.constantFrom(...ascii, ...(letters === 'wide' ? wide : []));
}
