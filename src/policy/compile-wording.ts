import type { DocumentPath, YamlDocument } from '../config/yaml-document.ts';
import { type Compiling, report } from './compile-entries.ts';
import type { SchoolDocument } from './document.ts';
import type { IllegalWording, PolicySnapshot } from './snapshot.ts';

/** Compiles `illegal`; what is left out is left out, so that the same files keep their hash. */
export function compileWording(to: Compiling, document: YamlDocument<SchoolDocument>): Pick<PolicySnapshot, 'illegal'> {
  const { illegal } = document.value;
  if (illegal === undefined) return {};
  for (const [category, { heading, text }] of Object.entries(illegal)) {
    checkPlain(to, document, ['illegal', category, 'heading'], heading);
    for (const [i, sentence] of text.entries()) checkPlain(to, document, ['illegal', category, 'text', i], sentence);
  }
  return { illegal };
}

/** Whoever writes markup means it to work, and it never will: every character is shown as it is. */
function checkPlain(to: Compiling, document: YamlDocument<SchoolDocument>, path: DocumentPath, text: string): void {
  const at = `"${path.join('.')}"`;
  if (/[<>]/.test(text)) report(to, document, path, `${at} is plain text, and "<" and ">" do not belong in it`);
  if (/[\p{Cc}\p{Bidi_Control}]/u.test(text)) {
    report(to, document, path, `${at} is one line of plain text; take out line ends and control characters`);
  }
  if (text.trim() === '') report(to, document, path, `${at} is empty; leave "illegal" out to have our own words`);
}

/** What a page about illegal material says in the school's words, for people to read; null: our own words. */
export function wordingText(wording: IllegalWording[keyof IllegalWording]): string | null {
  return wording === undefined ? null : [wording.heading, ...wording.text].join(' / ');
}
