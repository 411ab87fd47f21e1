import type { FieldProblem } from '../kernel/errors.ts';
import { html, type SafeHtml } from '../kernel/html.ts';
import type { DeskFacts } from './facts.ts';
import { page } from './pages.ts';
import { errorSummary, field } from './sign-in-pages.ts';

/** Who shows how that the password is theirs: they have just signed in, or type name and password. */
export type PasswordOwner =
  | { readonly ticket: string; readonly userName: string; readonly fullName: string }
  | { readonly ticket: null; readonly name: string };

export interface PasswordForm {
  readonly facts: DeskFacts;
  readonly token: string;
  readonly owner: PasswordOwner;
  readonly errors: readonly FieldProblem[];
}

const TITLE = 'Choose your own password';

/** The form for another password: the new one twice. What was typed is never shown again. */
export function passwordPage({ facts, token, owner, errors }: PasswordForm): string {
  return page(
    { title: TITLE, windowTitle: errors.length === 0 ? TITLE : `Error: ${TITLE}`, facts },
    html`${errorSummary(errors)}
      ${
        owner.ticket === null
          ? html`<p>Type your user name, the password you have now, and the one you want.</p>`
          : html`<p>
              Hello <strong>${owner.fullName}</strong> (${owner.userName}). The password on your card was only for the
              first time. Choose one that only you know.
            </p>`
      }
      <p>Three words that have nothing to do with each other are hard to guess and easy to remember.</p>
      <form method="post" action="/password" novalidate>
        <input type="hidden" name="token" value="${token}" />
        ${owner.ticket === null ? whoFields(owner.name, errors) : html`<input type="hidden" name="ticket" value="${owner.ticket}" />`}
        ${field('next', 'New password, at least 12 characters', errors, NEW)}
        ${field('again', 'New password again', errors, NEW)}
        <button>Save my password</button>
      </form>
      <p class="small after">Nobody at school will ask for your password. Whoever has it counts as you.</p>`,
  );
}

const NEW = html`type="password" autocomplete="new-password"`;

function whoFields(name: string, errors: readonly FieldProblem[]): SafeHtml {
  return html`${field('name', 'User name', errors, html`type="text" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false"`)}
  ${field('current', 'Password now', errors, html`type="password" autocomplete="current-password"`)}`;
}

/** The password is changed, at an address where nobody can be signed in. */
export function passwordChangedPage(facts: DeskFacts): string {
  return page(
    { title: 'Your password is changed', facts },
    html`<p>When your browser asks for a name and a password, give it your user name and the new password.</p>`,
  );
}
