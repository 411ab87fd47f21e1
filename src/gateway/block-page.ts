import { html, SafeHtml } from '../kernel/html.ts';
import { localInput } from '../kernel/local-time.ts';
import type { LessonNotice } from '../policy/lesson-lists.ts';
import type { IllegalWording } from '../policy/snapshot.ts';
import type { Decision } from '../policy/verdict.ts';
import { BUTTON_CSS, PAGE_CSS } from './page-style.ts';
import { HELPLINES } from './words/helplines.ts';
import { opensText } from './words/opens.ts';
import { type Theme, themeOf, wordsFor } from './words/theme.ts';
import { WENT_ON_IS_SEEN } from './words/warnings.ts';
import type { Tone, Voice, Words } from './words/words.ts';

/**
 * What a person sees instead of a page. Everything that does not change between two refusals of one kind is built once and
 * kept in pieces; what a request brings in passes the escaping tag each time. Pure.
 */
export interface PageInput {
  readonly voice: Voice;
  /** Canonical URL or host to show; null where there is none to show. Never shown when the decision is locked. */
  readonly target: string | null;
  readonly school: string;
  readonly contacts: { readonly pupils: string; readonly staff: string };
  /** ISO 8601 UTC. */
  readonly at: string;
  /** IANA zone the time is told in. */
  readonly zone: string;
  /** Where the front desk is for somebody behind the proxy, with a slash at its end. */
  readonly frontDeskUrl: string;
  /** ULID of the request's record. */
  readonly reference: string;
}

export interface BlockPageInput extends PageInput {
  readonly decision: Decision;
  /** Title of the category that decided; null where none did. */
  readonly categoryTitle: string | null;
  /** What the school says of illegal material; left out: our own words. */
  readonly illegal?: IllegalWording | undefined;
  /** The lesson lists that bind whoever asked; left out: none refused this. */
  readonly lesson?: LessonNotice | null;
  /** When the web opens again that is closed at this time, ms since the epoch; left out: that is not known, or not why. */
  readonly opens?: number | null;
  /** True where signing in could change whose rules apply. */
  readonly isUnknown: boolean;
  /** The way on from a warning that can be passed; null: there is none. */
  readonly warning: PageWarning | null;
}

/** What the button of a warning needs. */
export interface PageWarning {
  /** See `warning-ticket`. */
  readonly ticket: string;
  /** When the site would close again if it were pressed now, ISO 8601 UTC. */
  readonly until: string;
}

/** Statuses that a gateway answers by itself without having refused the site. */
export type ErrorStatus = 400 | 407 | 502 | 503 | 504;

const CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action";

/** Goes with every page of this file but a warning's: it needs its own style and nothing else. */
export const PAGE_CSP = `${CSP} 'none'`;
/** For a warning that can be passed: its form goes to the front desk, and is led back to where it came from. */
export const WARNING_CSP = `${CSP} http://schoolgate.internal 'self'; frame-ancestors 'none'`;

/** Characters of an address that are shown: a longer one is cut, so that no request can make a page long. */
const SHOWN = 240;

/** Sites of a lesson list that are shown, for the same reason. */
const SITES_SHOWN = 30;

const ERROR_THEMES: Readonly<Record<ErrorStatus, Theme>> = {
  400: 'malformed',
  407: 'identity',
  502: 'unreachable',
  503: 'limit',
  504: 'slow',
};

/** The page for a refused request: a whole HTML document in ASCII, at most 8 KB with ordinary names. */
export function blockPage(input: BlockPageInput): string {
  const { decision } = input;
  const isShown = !decision.locked && decision.reason !== 'illegal' && input.target !== null;
  const make = {
    isFlagged: decision.flagged,
    showsTarget: isShown,
    offersSignIn: input.isUnknown && !decision.locked,
    leadsOn: input.warning !== null,
  };
  const template = templateFor(themeOf(decision), input.voice, make, input.illegal);
  return fill(template, input, input.categoryTitle ?? decision.category ?? '', aboutTime(input), input.warning);
}

/** The page for a request that failed without a refusal; in ASCII as well. */
export function errorPage(status: ErrorStatus, input: PageInput): string {
  const make = { isFlagged: false, showsTarget: input.target !== null, offersSignIn: false, leadsOn: false };
  return fill(templateFor(ERROR_THEMES[status], input.voice, make), input, '', NOTHING, null);
}

/** Constant pieces and, between each two, the name of what goes there. */
interface Template {
  readonly parts: readonly string[];
  readonly slots: readonly Slot[];
}

const NOTHING = new SafeHtml('');

type Slot =
  | 'about-time'
  | 'school'
  | 'contact'
  | 'target'
  | 'when'
  | 'reference'
  | 'frontDeskUrl'
  | 'category'
  | 'ticket'
  | 'until';

/** Which parts a page has. */
interface Make {
  readonly isFlagged: boolean;
  readonly showsTarget: boolean;
  readonly offersSignIn: boolean;
  readonly leadsOn: boolean;
}

// NUL marks a slot while the constant text is built: the escaping tag leaves it alone, and no sentence of ours or of a policy holds one.
const slot = (name: Slot): string => `\0${name}\0`;

const templates = new Map<string, Template>();

function templateFor(theme: Theme, voice: Voice, make: Make, illegal?: IllegalWording): Template {
  const words = wordsFor(theme, voice, illegal);
  // What a school says of its own comes with the key, so that its next policy is heard.
  const own = words === wordsFor(theme, voice) ? '' : JSON.stringify([words.heading, words.why]);
  const { isFlagged, showsTarget, offersSignIn, leadsOn } = make;
  const key = `${theme} ${voice} ${isFlagged} ${showsTarget} ${offersSignIn} ${leadsOn} ${own}`;
  const kept = templates.get(key);
  if (kept !== undefined) return kept;
  const pieces = compact(document(words, voice, make).text).split('\0');
  const parts = pieces.filter((_, i) => i % 2 === 0);
  const slots = pieces.filter((_, i) => i % 2 === 1) as Slot[];
  const template = { parts, slots };
  templates.set(key, template);
  return template;
}

/** Without the source's indentation; the detour makes one flat string of it. */
function compact(markup: string): string {
  return Buffer.from(asciiMarkup(markup.replace(/\s*\n\s*/g, '\n')), 'latin1').toString('latin1');
}

// One character beyond Latin-1 would double the string in memory and make its encoding several times as dear.
function asciiMarkup(text: string): string {
  return text.replace(/[^\0-\x7f]/gu, (c) => `&#${c.isWellFormed() ? c.codePointAt(0) : 0xfffd};`);
}

function fill(
  template: Template,
  input: PageInput,
  category: string,
  aboutTime: SafeHtml,
  warning: PageWarning | null,
): string {
  const values: Record<Slot, string | SafeHtml> = {
    'about-time': aboutTime,
    school: input.school,
    contact: input.voice === 'adult' ? input.contacts.staff : input.contacts.pupils,
    target: shorten(input.target ?? ''),
    when: spokenTime(input.at, input.zone),
    reference: input.reference,
    frontDeskUrl: input.frontDeskUrl,
    category,
    ticket: warning?.ticket ?? '',
    until: warning === null ? '' : timeOfDayAt(warning.until, input.zone),
  };
  const { parts, slots } = template;
  let text = parts[0]!;
  for (let i = 0; i < slots.length; i++) text += asciiValue(values[slots[i]!]) + parts[i + 1]!;
  return text;
}

// Most of what a request brings in has nothing to escape.
const PLAIN = /^[ !#-%(-;=?-~]*$/;

function asciiValue(value: string | SafeHtml): string {
  if (value === NOTHING) return '';
  return typeof value === 'string' && PLAIN.test(value) ? value : asciiMarkup(html`${value}`.text);
}

function shorten(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

const EYEBROWS: Readonly<Record<Tone, string>> = {
  blocked: 'Blocked by the school’s web filter',
  warned: 'Warning from the school’s web filter',
  help: 'Blocked by the school’s web filter',
  fault: 'Message from the school’s web filter',
};

const WHOM: Readonly<Record<Voice, string>> = {
  child: 'Who you can ask',
  teen: 'Who you can ask',
  adult: 'Whom to contact',
};

const SEEN: Readonly<Record<Voice, string>> = {
  child: 'Grown-ups who keep you safe at school can see that this page was asked for.',
  teen: 'Staff who look after pupils’ safety can see that this page was asked for.',
  adult: 'This request is on record, and the designated safeguarding lead may look at it.',
};

function document(words: Words, voice: Voice, make: Make): SafeHtml {
  const { isFlagged, showsTarget, offersSignIn, leadsOn } = make;
  return html`<!doctype html>
    <html lang="en-GB">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${words.heading} – ${slot('school')}</title>
        <link rel="icon" href="data:," />
        <style>
          ${new SafeHtml(leadsOn ? `${PAGE_CSS}\n${BUTTON_CSS}` : PAGE_CSS)}
        </style>
      </head>
      <body class="${words.tone}">
        <header class="wide">
          <p>${slot('school')} <span>Web filter</span></p>
        </header>
        <div class="wide">
          <main>
            <p class="eyebrow">${EYEBROWS[leadsOn ? 'warned' : words.tone]}</p>
            <h1>${words.heading}</h1>
            ${words.why.map((sentence) => html`<p>${sentence}</p> `)} ${slot('about-time')}
            <h2>What to do</h2>
            <ul>
              ${words.todo.map((sentence) => html`<li>${sentence}</li> `)}
            </ul>
            ${helpSection(words, voice)} ${leadsOn ? onwardSection(voice) : ''}
            <section class="who" aria-labelledby="who">
              <h2 id="who">${WHOM[voice]}</h2>
              <p>${slot('contact')}</p>
            </section>
            <dl>
              ${
                showsTarget
                  ? html`<dt>Page</dt>
                      <dd>${slot('target')}</dd> `
                  : ''
              }
              <dt>When</dt>
              <dd>${slot('when')}</dd>
              <dt>Reference</dt>
              <dd><code>${slot('reference')}</code></dd>
            </dl>
          </main>
        </div>
        <footer class="wide">
          ${isFlagged ? html`<p>${SEEN[voice]}</p> ` : ''}
          <p><a href="${slot('frontDeskUrl')}why">Why was I blocked?</a></p>
          <p><a href="${slot('frontDeskUrl')}report">Does it worry you? Report it</a></p>
          ${offersSignIn ? html`<p><a href="${slot('frontDeskUrl')}sign-in">Sign in</a> if the rules for you are others.</p> ` : ''}
        </footer>
      </body>
    </html> `;
}

/** Until when it is so, where that is known. */
function aboutTime({ lesson = null, opens = null, voice, at, zone }: BlockPageInput): SafeHtml {
  if (opens !== null) return html`<p>${opensText(opens, Date.parse(at), zone)}</p> `;
  return lesson === null ? NOTHING : lessonSection(lesson, voice, zone);
}

/** Until when there is a lesson list, and which sites are on it: a link each, because that is where to go on. */
function lessonSection({ until, sites }: LessonNotice, voice: Voice, zone: string): SafeHtml {
  const ends = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: zone }).format(until);
  const more = sites.length - SITES_SHOWN;
  return html`<p>
      ${voice === 'adult' ? 'The lesson list' : 'Your class has a lesson list that'} lasts until ${ends}. On it
      ${sites.length === 1 ? 'is:' : 'are:'}
    </p>
    <ul class="lines">
      ${sites.slice(0, SITES_SHOWN).map((host) => html`<li><a href="https://${host.includes(':') ? `[${host}]` : host}/">${host}</a></li> `)}
      ${more > 0 ? html`<li>and ${more} more</li> ` : ''}
    </ul> `;
}

/** The one form of these pages: without a script, and to the front desk alone. */
function onwardSection(voice: Voice): SafeHtml {
  return html`<h2>Going on</h2>
    <p>If you go on now, this site is open for you until ${slot('until')}. ${WENT_ON_IS_SEEN[voice]}</p>
    <form method="post" action="${slot('frontDeskUrl')}warning">
      <input type="hidden" name="ticket" value="${slot('ticket')}" />
      <button>I have read this: go on</button>
    </form> `;
}

const HELP_HEADINGS: Readonly<Record<Voice, string>> = {
  child: 'People who will listen',
  teen: 'People who will listen',
  adult: 'Who can help',
};

function helpSection(words: Words, voice: Voice): SafeHtml {
  if (words.help.length === 0) return html``;
  return html`<h2>${HELP_HEADINGS[voice]}</h2>
    ${words.urgent ? html`<p class="urgent">If you or someone else is in danger now, call 999.</p> ` : ''}
    <ul class="lines">
      ${words.help.map((id) => {
        const { name, how, url } = HELPLINES[id];
        return html`<li>
          <h3><a href="${url}">${name}</a></h3>
          ${how}
        </li> `;
      })}
    </ul> `;
}

const formatters = new Map<string, Intl.DateTimeFormat>();
let told = { minute: '', zone: '', text: '' };

/** `10:15`, in the school's zone. */
function timeOfDayAt(at: string, zone: string): string {
  return localInput(Date.parse(at), zone).slice(11);
}

/** `Monday, 23 November 2026 at 10:00`, in the school's zone. Remembers the last minute: formatting costs more than the page. */
function spokenTime(at: string, zone: string): string {
  const minute = at.slice(0, 16);
  if (told.minute === minute && told.zone === zone) return told.text;
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'short', timeZone: zone });
    formatters.set(zone, formatter);
  }
  told = { minute, zone, text: formatter.format(Date.parse(at)) };
  return told.text;
}
