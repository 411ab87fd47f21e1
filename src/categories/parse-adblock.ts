import { acceptHost, acceptUrl, type EntrySink, type LineSink } from './accept-entry.ts';

// Rules that change a page: `example.org##.ad`, `#@#`, `#?#`, `#$#`, `#%#` and their mixtures; `$$` for HTML filtering.
const COSMETIC = /#[@?$%]{0,3}#|\$@?\$/;

// What stands for the whole host. The last ones say in which role: a proxy does not see roles, and lists for resolvers drop them too.
const WHOLE_HOST = new Set(['all', 'document', 'doc', 'important', 'popup', 'third-party', '3p']);
/** An exception in one role alone would open more than it says. */
const WHOLE_EXCEPTION = new Set(['all', 'document', 'doc', 'important']);

/**
 * A rule of an adblock list, as far as it is about whole hosts and paths: `||x^`, `||x/path`, exceptions `@@||x^`. `||x` without `^`
 * means x and everything under it, not every name that begins so; `||x/path` ends on a boundary.
 */
export function parseAdblock(text: string, sink: LineSink): void {
  if (isComment(text)) return;
  if (text.startsWith('!#include')) return sink.reject('includes another file: name that file in the catalogue');
  if (COSMETIC.test(text)) return sink.reject('changes what a page shows, and a proxy does not see pages');
  const isException = text.startsWith('@@');
  const { pattern, options } = splitOptions(isException ? text.slice(2) : text);
  if (!pattern.startsWith('||')) return sink.reject(whyNoHost(pattern));
  const known = isException ? WHOLE_EXCEPTION : WHOLE_HOST;
  const strange = options.find((option) => !known.has(option.toLowerCase()));
  if (strange !== undefined) return sink.reject(`has the option "${strange}", which says less than the whole host`);
  acceptPattern(pattern.slice(2), isException ? exceptionSink(sink) : sink);
}

/** `!…`, the `[Adblock Plus 2.0]` header, and `#…` where no cosmetic rule begins so. */
function isComment(text: string): boolean {
  if (text.startsWith('!')) return !text.startsWith('!#include');
  return /^\[.*\]$/.test(text) || /^#+(?:\s|$)/.test(text);
}

function splitOptions(rule: string): { readonly pattern: string; readonly options: readonly string[] } {
  const dollar = rule.lastIndexOf('$');
  if (dollar < 0) return { pattern: rule, options: [] };
  return { pattern: rule.slice(0, dollar), options: rule.slice(dollar + 1).split(',') };
}

function whyNoHost(pattern: string): string {
  if (pattern.startsWith('/'))
    return 'is a regular expression or a piece of an address; only hosts and their paths are read';
  return 'does not begin with "||" and a host, so it is about pieces of addresses; for plain names set "format: domains"';
}

function acceptPattern(body: string, sink: EntrySink): void {
  const end = body.search(/[/^?|]/);
  const name = end < 0 ? body : body.slice(0, end);
  const rest = end < 0 ? '' : body.slice(end);
  if (/^(?:[/^]\*?|\^\|)$/.test(rest)) return acceptHost(name, sink);
  if (rest === '' && /[.-]$/.test(name)) return sink.reject('is the beginning of a name, not a name');
  if (rest === '') return acceptHost(name, sink);
  const path = /^[/?]/.test(rest) ? rest.replace(/[*^]$/, '') : null;
  if (path === null || /[*^|]/.test(path)) return sink.reject('has a wildcard or an anchor inside its path');
  acceptUrl(name, path, sink);
}

function exceptionSink(sink: LineSink): EntrySink {
  return {
    accept: (host, path) => sink.except(host, path),
    reject: (reason) => sink.reject(reason),
  };
}
