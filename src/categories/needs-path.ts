const QUANTIFIER = /(?:([*?])|\+|\{(\d+)(?:,\d*)?\})\??/y;
/** Escapes that stand for one character of many, for none, or for one that is no slash. */
const OTHER_ESCAPE = /[dDwWsSbBAztnrfva]/;
const PUNCTUATION = /[^A-Za-z0-9]/;

/**
 * Whether every text in which an expression finds itself holds a `/`, so that it need not be searched for in a bare host. Told from
 * its writing (RE2 syntax), which must compile. True is certain; false may only mean that it is written in a way that is not read here.
 */
export function needsPath(source: string): boolean {
  let at = 0;
  let isUnderstood = true;

  function alternatives(): boolean {
    let all = sequence();
    while (source[at] === '|') {
      at++;
      all = sequence() && all;
    }
    return all;
  }

  function sequence(): boolean {
    let some = false;
    while (at < source.length && source[at] !== '|' && source[at] !== ')') {
      const has = atom();
      some = (isThere() && has) || some;
    }
    return some;
  }

  function atom(): boolean {
    const character = source[at++];
    if (character === '(') return group();
    if (character === '[') return set();
    if (character === '\\') return escaped();
    return character === '/';
  }

  function group(): boolean {
    if (source.startsWith('?:', at)) at += 2;
    else if (source[at] === '?') return giveUp();
    const needs = alternatives();
    at++;
    return needs;
  }

  /** A slash alone in brackets is not worth the reading. */
  function set(): false {
    if (source[at] === '^') at++;
    if (source[at] === ']') at++;
    while (at < source.length && source[at] !== ']') {
      const named = source.startsWith('[:', at) ? source.indexOf(':]', at) : -1;
      // After a hyphen it may be the end of a range, and no name of a class begins.
      if (named >= 0 && source[at - 1] === '-') return giveUp();
      if (named >= 0) at = named + 2;
      else at += source[at] === '\\' ? 2 : 1;
    }
    at++;
    return false;
  }

  function escaped(): boolean {
    const character = source[at++] ?? '';
    if (!PUNCTUATION.test(character) && !OTHER_ESCAPE.test(character)) return giveUp();
    return character === '/';
  }

  /** Whether what was read last is there at least once, whatever stands behind it. */
  function isThere(): boolean {
    let isOnce = true;
    for (;;) {
      QUANTIFIER.lastIndex = at;
      const found = QUANTIFIER.exec(source);
      if (found === null) return isOnce;
      at = QUANTIFIER.lastIndex;
      if (found[1] !== undefined || Number(found[2] ?? 1) === 0) isOnce = false;
    }
  }

  function giveUp(): false {
    isUnderstood = false;
    at = source.length;
    return false;
  }

  return alternatives() && isUnderstood && at === source.length;
}
