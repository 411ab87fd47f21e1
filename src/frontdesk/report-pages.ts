import { HELPLINES } from '../gateway/words/helplines.ts';
import { ABOUT } from '../incidents/terms.ts';
import type { ReportAsk } from '../incidents/report.ts';
import type { FieldProblem } from '../kernel/errors.ts';
import { html, type SafeHtml } from '../kernel/html.ts';
import type { DeskFacts } from './facts.ts';
import { page } from './pages.ts';
import { errorSummary } from './sign-in-pages.ts';

export interface ReportForm {
  readonly facts: DeskFacts;
  readonly token: string;
  readonly typed: ReportAsk;
  readonly errors: readonly FieldProblem[];
}

const TITLE = 'Report a page, or something that happened';

/** The form. It asks for little: whoever is upset is to get to its end. */
export function reportPage({ facts, token, typed, errors }: ReportForm): string {
  return page(
    { title: TITLE, windowTitle: errors.length === 0 ? TITLE : `Error: ${TITLE}`, facts },
    html`${errorSummary(errors)}
      <p>
        Did something online worry, hurt or frighten you, or somebody else? It goes to the person at school who keeps
        pupils safe.
      </p>
      ${urgent()}
      <form method="post" action="/report" novalidate>
        <input type="hidden" name="token" value="${token}" />
        <input type="hidden" name="key" value="${typed.key}" />
        ${field('what', 'What did you see, or what happened?', 'A few words are enough.', errors, (by) => html`<textarea id="what" name="what" rows="5" required ${by}>${typed.what}</textarea>`)}
        ${field('site', 'Which page? (you need not say)', 'Its address, such as www.example.org. Do not open it again to look.', errors, (by) => html`<input type="text" id="site" name="site" value="${typed.site}" autocapitalize="none" autocomplete="off" spellcheck="false" ${by} />`)}
        ${aboutField(typed.about, errors)}
        <label class="tick"
          ><input type="checkbox" name="unnamed" value="yes" ${typed.isUnnamed ? html`checked` : ''} /> I would rather
          not be named</label
        >
        <p class="small">
          If you tick this, your name is not shown with the report. It is looked up only where somebody must be kept
          safe.
        </p>
        <button>Send it</button>
      </form>`,
  );
}

/** After it was sent. */
export function sentPage(facts: DeskFacts): string {
  return page(
    { title: 'Thank you for telling us', facts },
    html`<p role="status">
        <strong>It has been sent.</strong> Somebody at school reads it. You have done the right thing.
      </p>
      <p>Do not open the page again, and do not send it on.</p>
      ${urgent()}
      <section class="who" aria-labelledby="who">
        <h2 id="who">Who you can talk to</h2>
        <p>${facts.contacts.pupils}</p>
        <p><a href="${HELPLINES.childline.url}">${HELPLINES.childline.name}</a>: ${HELPLINES.childline.how}</p>
      </section>`,
  );
}

function urgent(): SafeHtml {
  return html`<p class="urgent">If you or someone else is in danger now, call 999 or tell a grown-up at once.</p>`;
}

function aboutField(chosen: string, errors: readonly FieldProblem[]): SafeHtml {
  const wrong = errors.filter((one) => one.field === 'about');
  return html`<fieldset ${wrong.length === 0 ? '' : html`aria-describedby="about-error"`}>
    <legend>Is it about a grown-up who works at school?</legend>
    <p class="small">Nobody reads a report about themselves.</p>
    ${wrong.length === 0 ? '' : html`<p class="wrong" id="about-error">${wrong[0]!.reason}</p>`}
    ${Object.entries(ABOUT).map(
      ([value, text], i) =>
        html`<label class="tick"
          ><input
            type="radio"
            id="${i === 0 ? 'about' : `about-${value}`}"
            name="about"
            value="${value}"
            ${value === chosen ? html`checked` : ''}
          />
          ${text}</label
        > `,
    )}
  </fieldset>`;
}

function field(
  id: string,
  label: string,
  hint: string,
  errors: readonly FieldProblem[],
  control: (describedBy: SafeHtml) => SafeHtml,
): SafeHtml {
  const wrong = errors.filter((one) => one.field === id);
  const by = wrong.length === 0 ? `${id}-hint` : `${id}-hint ${id}-error`;
  const invalid = wrong.length === 0 ? html`` : html`aria-invalid="true"`;
  return html`<label for="${id}">${label}</label>
    <p class="small" id="${id}-hint">${hint}</p>
    ${wrong.length === 0 ? '' : html`<p class="wrong" id="${id}-error">${wrong.map(({ reason }) => reason).join(' ')}</p>`}
    ${control(html`${invalid} aria-describedby="${by}"`)}`;
}
