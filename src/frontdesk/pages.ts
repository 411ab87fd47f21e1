import { html, type SafeHtml } from '../kernel/html.ts';
import type { LessonNotice } from '../policy/lesson-lists.ts';
import type { DeskFacts } from './facts.ts';
import type { ToldRefusal, ToldRefusals } from './refusals.ts';

/** Added to the look that these pages share with the block page. */
export const DESK_CSS = `
nav{padding-top:.25rem}nav a{margin-right:1rem}
details{border-top:1px solid var(--line);padding:.625rem 0}details:last-of-type{border-bottom:1px solid var(--line)}
summary{cursor:pointer;font-weight:600;padding:.25rem 0}summary span{color:var(--soft);font-weight:400;font-size:.9375rem;margin-left:.5rem}
details>*:last-child{margin-bottom:.5rem}details ul+p{margin-top:.75rem}details button{margin:.25rem 0 1rem}details h3{margin:.75rem 0 .25rem}
`.trim();

export interface Frame {
  readonly title: string;
  /** For the window, where it differs. */
  readonly windowTitle?: string;
  readonly facts: DeskFacts;
  /** True where this page is an apology. */
  readonly isFault?: boolean;
}

/** One of our pages: what stands around `content`. */
export function page({ title, windowTitle = title, facts, isFault = false }: Frame, content: SafeHtml): string {
  return html`<!doctype html>
    <html lang="en-GB">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${windowTitle} – ${facts.school}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body class="${isFault ? 'fault' : 'blocked'}">
        <header class="wide">
          <p>${facts.school} <span>Web filter</span></p>
          <nav aria-label="Pages">
            <a href="/">Start</a> <a href="/why">Why was I blocked?</a> <a href="/report">Report a page</a>
            <a href="/sign-in">Sign in</a>
          </nav>
        </header>
        <div class="wide">
          <main>
            <h1>${title}</h1>
            ${content}
          </main>
        </div>
        <footer class="wide"><p>Schoolgate</p></footer>
      </body>
    </html> `.text;
}

/** The front page: what this is. `pacUrl` is what a device is set up with; null where it is not known. */
export function homePage(facts: DeskFacts, pacUrl: string | null): string {
  return page(
    { title: 'The school’s web filter', facts },
    html`<p>
        Everything that is opened on the school’s network passes this filter. It keeps away what may harm you, and what
        your school has closed for your age.
      </p>
      <p>The school keeps a record of what is opened and of what is blocked. Staff who look after pupils see it.</p>
      <h2>Was a page blocked?</h2>
      <p>
        <a href="/why">See why, and what you can do.</a> Your browser may only have said that the site cannot be
        reached.
      </p>
      <h2>Signing in</h2>
      <p>
        <a href="/sign-in">Sign in on this device</a>, so that the rules for you apply and not those for the unknown.
      </p>
      <section class="who" aria-labelledby="who">
        <h2 id="who">Who you can ask</h2>
        <p>Pupils: ${facts.contacts.pupils}</p>
        <p>Staff and guests: ${facts.contacts.staff}</p>
      </section>
      ${pacUrl === null ? html`` : setUpSection(pacUrl)}`,
  );
}

function setUpSection(pacUrl: string): SafeHtml {
  return html`<h2>Setting up a device</h2>
    <p>In the device’s network settings, choose automatic proxy configuration with this address:</p>
    <p><code>${pacUrl}</code></p>`;
}

/** What was refused to this address, and what to do. */
export function whyPage(facts: DeskFacts, client: string, { pages, adverts }: ToldRefusals): string {
  const voice = pages[0]?.voice ?? 'child';
  return page(
    { title: 'Why was I blocked?', facts },
    html`${pages.length === 0 ? nothingBlocked() : html`<p>This is what was blocked on this device in the last hour, newest first.</p>`}
      ${pages.map((one, i) => refusal(one, facts, i === 0))} ${advertsSection(adverts, facts)}
      <p><a href="/sign-in">Sign in</a> if the rules for you are others.</p>
      <section class="who" aria-labelledby="who">
        <h2 id="who">${voice === 'adult' ? 'Whom to contact' : 'Who you can ask'}</h2>
        <p>${voice === 'adult' ? facts.contacts.staff : facts.contacts.pupils}</p>
      </section>
      <dl>
        <dt>This device</dt>
        <dd>${client}</dd>
      </dl>`,
  );
}

function nothingBlocked(): SafeHtml {
  return html`<p>Nothing was blocked on this device in the last hour.</p>
    <p>If a page does not open, the site itself may be down. Check the address, and try again in a few minutes.</p>`;
}

function refusal(one: ToldRefusal, facts: DeskFacts, isOpen: boolean): SafeHtml {
  const { host, locked, why, todo } = one;
  const name = host ?? (locked ? 'A page that is not shown' : 'An address that could not be read');
  return html`<details ${isOpen ? html`open` : ''}>
    <summary>${name} <span>${clockTime(one.at, facts.timeZone)}</span></summary>
    ${why.map((sentence) => html`<p>${sentence}</p> `)} ${lessonLine(one.lesson, facts)}
    <ul>
      ${todo.map((sentence) => html`<li>${sentence}</li> `)}
      ${one.urgent ? html`<li class="urgent">If you or someone else is in danger now, call 999.</li>` : ''}
      ${one.help.map(({ name, how, url }) => html`<li><a href="${url}">${name}</a>: ${how}</li> `)}
    </ul>
    ${one.wayOn === null ? '' : onward(one.wayOn)}
    ${host === null ? '' : html`<p><a href="/ask?site=${encodeURIComponent(host)}">Do you need it for school? Ask for ${host}</a></p>`}
    <p>
      <a href="/report${host === null ? '' : html`?site=${encodeURIComponent(host)}`}">Does it worry you? Report it</a>
    </p>
    <p class="small">Reference <code>${one.reference}</code></p>
  </details> `;
}

/** A warning over https is shown here alone: its browser shows a page of its own. */
function onward({ ticket, seen }: NonNullable<ToldRefusal['wayOn']>): SafeHtml {
  return html`<p>If you go on, this site is open for you for a quarter of an hour at most. ${seen}</p>
    <form method="post" action="/warning">
      <input type="hidden" name="ticket" value="${ticket}" />
      <input type="hidden" name="from" value="why" />
      <button>I have read this: go on</button>
    </form> `;
}

/** After the button of a warning: where to go on. */
export function passedPage(facts: DeskFacts, { host, url }: { host: string; url: string }, until: string): string {
  return page(
    { title: 'You can go on', facts },
    html`<p>${host} is open for you until ${clockTime(until, facts.timeZone)}.</p>
      <p><a href="${url}">Open ${host}</a></p>`,
  );
}

/** Links by name: this page may be the only one that a pupil is shown, because over https the browser shows its own. */
function lessonLine(lesson: LessonNotice | null, facts: DeskFacts): SafeHtml {
  if (lesson === null) return html``;
  const ends = clockTime(new Date(lesson.until).toISOString(), facts.timeZone);
  return html`<p>There is a lesson list until ${ends}. On it ${lesson.sites.length === 1 ? 'is' : 'are'}:</p>
    <ul>
      ${lesson.sites.map((host) => html`<li><a href="https://${host.includes(':') ? `[${host}]` : host}/">${host}</a></li> `)}
    </ul>`;
}

function advertsSection(adverts: readonly ToldRefusal[], facts: DeskFacts): SafeHtml {
  if (adverts.length === 0) return html``;
  return html`<h2>Adverts and trackers</h2>
    <p>Pages call these by themselves. They are kept away, and you need do nothing.</p>
    <ul>
      ${adverts.map(
        ({ host, at, reference }) =>
          html`<li>
            ${host ?? 'Unknown'}
            <span class="small">${clockTime(at, facts.timeZone)}, reference <code>${reference}</code></span>
          </li> `,
      )}
    </ul>`;
}

/** A page with one message: not found, too often, our fault. */
export function messagePage(facts: DeskFacts, title: string, text: string, isFault = false): string {
  return page({ title, facts, isFault }, html`<p>${text}</p>`);
}

/** The time of day on the school's clock. */
export function clockTime(at: string, zone: string): string {
  return new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: zone }).format(Date.parse(at));
}
