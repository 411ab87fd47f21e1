import type { FieldProblem } from '../kernel/errors.ts';
import { html, type SafeHtml } from '../kernel/html.ts';
import { localText } from '../kernel/local-time.ts';
import type { OwnWish, TypedWish, WishView } from '../unblock/wish.ts';
import type { DeskFacts } from './facts.ts';
import { page } from './pages.ts';
import { errorSummary } from './sign-in-pages.ts';

export interface AskForm {
  readonly facts: DeskFacts;
  readonly token: string;
  readonly view: WishView;
  readonly typed: TypedWish & { readonly key: string };
  /** Hosts that were refused on this device at about the same time. */
  readonly others: readonly string[];
  readonly errors: readonly FieldProblem[];
  /** What was sent has arrived. */
  readonly isDone: boolean;
}

/** The form, and what became of what was asked before. */
export function askPage({ facts, token, view, typed, others, errors, isDone }: AskForm): string {
  const isOpen = typed.kind === 'open';
  const title = isOpen ? 'Ask for a site' : 'This site should be blocked';
  return page(
    { title, windowTitle: errors.length === 0 ? title : `Error: ${title}`, facts },
    html`${errorSummary(errors)}
      ${isDone ? html`<p role="status"><strong>It has been sent.</strong> You can read the answer on this page.</p>` : ''}
      <p>You are signed in as ${view.fullName}. ${whereItGoes(isOpen, view.isPupil)}</p>
      ${isOpen && !view.isPupil ? staffWay(typed.sites, facts) : ''}
      <form method="post" action="/ask" novalidate>
        <input type="hidden" name="token" value="${token}" />
        <input type="hidden" name="key" value="${typed.key}" />
        <input type="hidden" name="kind" value="${typed.kind}" />
        ${area('sites', 'Which site', typed.sites, errors, 'One a line, such as www.example.org.')}
        ${othersField(others)}
        ${area('reason', isOpen ? 'What do you need it for?' : 'Why should it be blocked?', typed.reason, errors, '')}
        <button>Send it</button>
      </form>
      ${view.wishes.length === 0 ? '' : html`<h2>What you asked for</h2>`}
      ${view.wishes.map((one) => wishSection(one, facts))}
      <p class="after">
        ${isOpen ? html`<a href="/ask?what=close">Tell the school of a site that should be blocked</a>` : html`<a href="/ask">Ask for a site to be opened</a>`}
      </p>`,
  );
}

function whereItGoes(isOpen: boolean, isPupil: boolean): string {
  if (!isOpen) return 'What you send goes to the people who look after the filter.';
  return isPupil
    ? 'What you ask for goes to your teachers, who pass it on or say no.'
    : 'What you ask for goes to the people who decide on unblocks.';
}

/** In the console staff say for whom and until when, and somebody else decides: one step less than asking here. */
function staffWay(sites: string, { consoleUrl }: DeskFacts): SafeHtml {
  if (consoleUrl === null) return html``;
  const query = new URLSearchParams({ site: sites }).toString();
  return html`<p>
    If you have an account of the school’s console,
    <a href="${consoleUrl}/unblocks/new?${query}">ask there for a class and a time</a>, which is quicker.
  </p>`;
}

function area(id: string, label: string, value: string, errors: readonly FieldProblem[], hint: string): SafeHtml {
  const wrong = errors.filter(({ field }) => field === id);
  const described = [hint === '' ? '' : `${id}-hint`, wrong.length === 0 ? '' : `${id}-error`].filter(
    (one) => one !== '',
  );
  const mark = wrong.length === 0 ? html`` : html`aria-invalid="true"`;
  const by = described.length === 0 ? html`` : html`aria-describedby="${described.join(' ')}"`;
  return html`<label for="${id}">${label}</label>
    ${hint === '' ? '' : html`<p class="small" id="${id}-hint">${hint}</p>`}
    ${wrong.length === 0 ? '' : html`<p class="wrong" id="${id}-error">${wrong.map(({ reason }) => reason).join(' ')}</p>`}
    <textarea id="${id}" name="${id}" rows="3" required ${mark} ${by}>${value}</textarea>`;
}

/** Nobody can see which page asked for what; that they came at once is all that is known, and what is said. */
function othersField(others: readonly string[]): SafeHtml {
  if (others.length === 0) return html``;
  return html`<fieldset>
    <legend>Also blocked on this device within ten seconds of it</legend>
    <p class="small">The page may need some of these. Tick those that you know it needs.</p>
    ${others.map((host) => html`<label class="tick"><input type="checkbox" name="with" value="${host}" /> ${host}</label> `)}
  </fieldset>`;
}

function wishSection({ kind, hosts, at, state, word }: OwnWish, facts: DeskFacts): SafeHtml {
  return html`<section class="lesson">
    <h3>${kind === 'open' ? 'Open' : 'Block'}: ${hosts.join(', ')}</h3>
    <p>${state} ${word === '' ? '' : html`“${word}”`}</p>
    <p class="small">Asked ${localText(at, facts.timeZone)}</p>
  </section> `;
}
