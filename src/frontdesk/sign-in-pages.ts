import type { DeviceState } from '../identity/signed-in-devices.ts';
import type { FieldProblem } from '../kernel/errors.ts';
import { html, type SafeHtml } from '../kernel/html.ts';
import type { DeskFacts } from './facts.ts';
import { clockTime, page } from './pages.ts';

/** Added to the look of the other pages. */
export const FORM_CSS = `
label{display:block;font-weight:600;margin:1rem 0 .25rem}
input[type=text],input[type=password]{display:block;font:inherit;color:inherit;background:var(--page);border:2px solid var(--soft);border-radius:.25rem;padding:.375rem .5rem;width:100%;max-width:22rem;min-height:2.75rem}
input:focus-visible,.errors:focus{outline:3px solid var(--mark);outline-offset:3px}
.after{margin-top:1.25rem}.errors{border:3px solid var(--error);border-radius:.375rem;padding:.875rem 1.125rem;margin:0 0 1.25rem}.errors h2{margin:0 0 .375rem}
.errors a{color:var(--error);font-weight:600}.wrong{color:var(--error);font-weight:600;margin:0 0 .25rem}input[aria-invalid]{border-color:var(--error)}
:root{--error:#a4262c}@media(prefers-color-scheme:dark){:root{--error:#ff9c9c}}
`.trim();

export interface SignInForm {
  readonly facts: DeskFacts;
  readonly token: string;
  /** As it was typed; a password is never shown again. */
  readonly name: string;
  readonly errors: readonly FieldProblem[];
}

/** The form: name and password. */
export function signInPage({ facts, token, name, errors }: SignInForm): string {
  const title = errors.length === 0 ? 'Sign in' : 'Error: Sign in';
  return page(
    { title: 'Sign in', windowTitle: title, facts },
    html`${errorSummary(errors)}
      <p>Sign in with the user name and password that the school gave you. The filter then knows whose rules apply.</p>
      <form method="post" action="/sign-in" novalidate>
        <input type="hidden" name="token" value="${token}" />
        ${field('name', 'User name', errors, html`type="text" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false"`)}
        ${field('password', 'Password', errors, html`type="password" autocomplete="current-password"`)}
        <button>Sign in</button>
      </form>
      <h2>Guests</h2>
      <form method="post" action="/guest" novalidate>
        <input type="hidden" name="token" value="${token}" />
        ${field('code', 'Code of your voucher', errors, html`type="text" autocomplete="off" autocapitalize="characters" spellcheck="false"`)}
        <button>Sign in as a guest</button>
      </form>
      <p class="small after">
        What you open is filtered and kept on record under your name. Sign out when you leave the device.
      </p>`,
  );
}

/** What is wrong, at the top of a page; nothing where nothing is. */
export function errorSummary(errors: readonly FieldProblem[]): SafeHtml {
  if (errors.length === 0) return html``;
  return html`<div class="errors" role="alert" tabindex="-1">
    <h2>There is a problem</h2>
    <ul>
      ${errors.map(({ field, reason }) => html`<li><a href="#${field}">${reason}</a></li> `)}
    </ul>
  </div>`;
}

/** A field with its label and what is wrong with it. */
export function field(id: string, label: string, errors: readonly FieldProblem[], attributes: SafeHtml): SafeHtml {
  const error = errors.find((one) => one.field === id);
  const mark = error === undefined ? html`` : html`aria-invalid="true" aria-describedby="${id}-error"`;
  return html`<label for="${id}">${label}</label>
    ${error === undefined ? '' : html`<p class="wrong" id="${id}-error">${error.reason}</p>`}
    <input id="${id}" name="${id}" required ${attributes} ${mark} />`;
}

/** Who is signed in on this device, and how to leave. */
export function signedInPage(
  facts: DeskFacts,
  { userName, fullName, until, isStaff }: Extract<DeviceState, { state: 'signed-in' }>,
  token: string,
): string {
  const end = clockTime(new Date(until).toISOString(), facts.timeZone);
  return page(
    { title: 'You are signed in', facts },
    html`<p>You are signed in as <strong>${fullName}</strong> (${userName}) on this device, until ${end}.</p>
      <p>
        What is opened on this device counts as yours. It ends by itself when the device is not used for 15 minutes.
      </p>
      <p>Does somebody else know your password? <a href="/password">Choose another one.</a></p>
      ${isStaff === true ? html`<p>Do you teach? <a href="/lessons">Give a class its sites for a lesson.</a></p>` : ''}
      <p>Is this not you, or are you leaving? Then sign out.</p>
      <form method="post" action="/sign-out">
        <input type="hidden" name="token" value="${token}" />
        <button>Sign out</button>
      </form>`,
  );
}

/** Several people use this address at once: a sign-in would hold for all of them. */
export function sharedPage(facts: DeskFacts): string {
  return page(
    { title: 'You cannot sign in on this page', facts },
    html`<p>
        Many people use the network through the same address as this device, so the filter could not tell you from the
        others.
      </p>
      <h2>What to do instead</h2>
      <p>Open any page. If your browser asks for a name and a password, give it the ones the school gave you.</p>
      <section class="who" aria-labelledby="who">
        <h2 id="who">If it does not ask</h2>
        <p>Pupils: ${facts.contacts.pupils}</p>
        <p>Staff and guests: ${facts.contacts.staff}</p>
      </section>`,
  );
}
