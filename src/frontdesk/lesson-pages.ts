import { html, type SafeHtml } from '../kernel/html.ts';
import { localText } from '../kernel/local-time.ts';
import type { FieldProblem } from '../kernel/errors.ts';
import type { SiteAnswer } from '../lessons/answers.ts';
import { type LessonView, MINUTES, type ShownLesson } from '../lessons/ask.ts';
import { MAX_SITES } from '../lessons/model.ts';
import type { TypedLesson } from '../lessons/terms.ts';
import type { DeskFacts } from './facts.ts';
import { page } from './pages.ts';
import { errorSummary } from './sign-in-pages.ts';

/** Added to the look of the other pages. */
export const LESSON_CSS = `
textarea,select,input[type=datetime-local]{display:block;font:inherit;color:inherit;background:var(--page);border:2px solid var(--soft);border-radius:.25rem;padding:.375rem .5rem;width:100%;max-width:26rem;min-height:2.75rem}
textarea:focus-visible,select:focus-visible,input[type=checkbox]:focus-visible{outline:3px solid var(--mark);outline-offset:3px}
fieldset{border:0;padding:0;margin:1rem 0 0}legend{font-weight:600;padding:0}.tick{font-weight:400;margin:.25rem 0;display:flex;gap:.5rem;align-items:center;min-height:2rem}.tick input{width:1.25rem;height:1.25rem;margin:0;flex:none}
.lesson{border-top:1px solid var(--line);padding-top:.75rem;margin-top:1rem}.lesson h3{margin-bottom:.375rem}
`.trim();

/** What every one of these pages is made from. */
export interface LessonFrame {
  readonly facts: DeskFacts;
  readonly token: string;
  readonly view: LessonView;
  readonly errors: readonly FieldProblem[];
}

/** A site's answers as they are shown after asking; `undefined`: nobody has asked. */
type Answers = readonly SiteAnswer[] | null | undefined;

/** The lists that stand, those that are over, and the way to the rest. */
export function lessonsPage({ facts, token, view, errors }: LessonFrame): string {
  return page(
    { title: 'Lesson lists', windowTitle: windowTitle('Lesson lists', errors), facts },
    html`${errorSummary(errors)}
      <p>
        A class can open only the sites on its list until the list ends, which it does by itself. A list opens nothing
        that is closed for the class.
      </p>
      <p><a href="/lessons/new">Give a lesson list</a></p>
      <p><a href="/lessons/look-up">Would my class see this?</a></p>
      <h2>In force and to come</h2>
      ${view.standing.length === 0 ? html`<p>There is none.</p>` : view.standing.map((one) => section(one, token, view, errors))}
      ${view.earlier.length === 0 ? '' : html`<h2>Earlier</h2>`}
      ${view.earlier.map((one) => section(one, token, view, errors))}`,
  );
}

function windowTitle(title: string, errors: readonly FieldProblem[]): string {
  return errors.length === 0 ? title : `Error: ${title}`;
}

const STATES: Readonly<Record<ShownLesson['state'], string>> = {
  'to come': 'To come',
  'in force': 'In force',
  over: 'Over',
  ended: 'Ended early',
};

function section(
  lesson: ShownLesson,
  token: string,
  { timeZone }: LessonView,
  errors: readonly FieldProblem[],
): SafeHtml {
  const { id, title, sites, state, closed, givenBy } = lesson;
  const whom = [...lesson.classes, ...lesson.pupils.map(({ name }) => name)].join(', ');
  const isStanding = state === 'in force' || state === 'to come';
  return html`<div class="lesson">
    <h3 id="lesson-${id}">${title}</h3>
    <p>
      ${STATES[state]}, for ${whom}: ${localText(lesson.from, timeZone)} to
      ${localText(lesson.until, timeZone).slice(-5)}. Given by ${givenBy}.
    </p>
    <p>Sites: ${sites.join(', ')}</p>
    ${closed === null ? html`<p>Which of them stay closed anyway cannot be told just now.</p>` : ''}
    ${
      closed === null || closed.length === 0
        ? ''
        : html`<p>These stay closed all the same:</p>
            ${answerLines(closed)}`
    }
    ${lesson.mayChange && isStanding ? changeForms(id, title, token, errors) : ''}
    <p class="after"><a href="/lessons/new?like=${id}">Use again: ${title}</a></p>
  </div> `;
}

function changeForms(id: string, title: string, token: string, errors: readonly FieldProblem[]): SafeHtml {
  const field = `add-${id}`;
  return html`<form method="post" action="/lessons/add" novalidate>
      ${hidden(token, id)} ${label(field, `Another site for ${title}`, errors)}
      <input type="text" id="${field}" name="site" spellcheck="false" autocapitalize="none" ${mark(field, errors)} />
      <button>Add the site</button>
    </form>
    <form method="post" action="/lessons/prolong" novalidate>
      ${hidden(token, id)}
      <label for="minutes-${id}">Make ${title} longer by</label>
      <select id="minutes-${id}" name="minutes">
        ${MINUTES.map((minutes) => html`<option value="${minutes}">${minutes} minutes</option> `)}
      </select>
      <button>Make it longer</button>
    </form>
    <form method="post" action="/lessons/end" novalidate>
      ${hidden(token, id)}
      <button>End ${title} now</button>
    </form>`;
}

function hidden(token: string, id: string): SafeHtml {
  return html`<input type="hidden" name="token" value="${token}" /><input type="hidden" name="id" value="${id}" />`;
}

/** The form for a list; with `answers`, which of its sites would open. */
export function givePage({ facts, token, view, errors }: LessonFrame, typed: TypedLesson, answers?: Answers): string {
  const title = 'Give a lesson list';
  return page(
    { title, windowTitle: windowTitle(title, errors), facts },
    html`${errorSummary(errors)} ${answerSection('At the start of the lesson', answers)}
      <form method="post" action="/lessons/new" novalidate>
        <input type="hidden" name="token" value="${token}" />
        ${label('title', 'Name of the list', errors)}
        <input type="text" id="title" name="title" value="${typed.title}" ${mark('title', errors)} />
        ${label('sites', 'Sites', errors)}
        <p class="small" id="sites-hint">
          One a line, at most ${MAX_SITES}. A site stands for everything under it. Pages often load pictures and videos
          from other sites; the filter cannot tell which page asks, so those sites must be on the list too.
        </p>
        <textarea id="sites" name="sites" rows="5" spellcheck="false" aria-describedby="sites-hint">
${typed.sites}</textarea>
        ${classBoxes(view, typed, errors)} ${label('pupils', 'Single pupils (optional)', errors)}
        <p class="small" id="pupils-hint">One a line: name or user name.</p>
        <textarea id="pupils" name="pupils" rows="2" spellcheck="false" aria-describedby="pupils-hint">
${typed.pupils}</textarea>
        ${label('from', 'From', errors)}
        <input type="datetime-local" id="from" name="from" value="${typed.from}" ${mark('from', errors)} />
        ${label('until', 'Until (five hours at most)', errors)}
        <input type="datetime-local" id="until" name="until" value="${typed.until}" ${mark('until', errors)} />
        <button name="do" value="give">Give the list</button>
        <button name="do" value="check">Only check the sites</button>
      </form>
      <p class="after"><a href="/lessons">All lesson lists</a></p>`,
  );
}

function classBoxes({ classes }: LessonView, typed: TypedLesson, errors: readonly FieldProblem[]): SafeHtml {
  return html`<fieldset id="classes">
    <legend>Classes and groups</legend>
    ${problem('classes', errors)}
    ${classes.map(
      (name) =>
        html`<label class="tick"
          ><input type="checkbox" name="classes" value="${name}" ${typed.classes.includes(name) ? html`checked` : ''} />
          ${name}</label
        > `,
    )}
  </fieldset>`;
}

/** The form for "would my class see this?", and the answers. */
export function lookUpPage(
  { facts, token, view, errors }: LessonFrame,
  typed: { readonly className: string; readonly sites: string },
  answers?: Answers,
): string {
  const title = 'Would my class see this?';
  return page(
    { title, windowTitle: windowTitle(title, errors), facts },
    html`${errorSummary(errors)} ${answerSection(`Now, for ${typed.className}`, answers)}
      <form method="post" action="/lessons/look-up" novalidate>
        <input type="hidden" name="token" value="${token}" />
        ${label('className', 'Class', errors)}
        <select id="className" name="className" ${mark('className', errors)}>
          ${view.classes.map((name) => html`<option ${name === typed.className ? html`selected` : ''}>${name}</option> `)}
        </select>
        ${label('sites', 'Sites', errors)}
        <p class="small" id="sites-hint">One a line, such as www.example.org or the address of a page.</p>
        <textarea id="sites" name="sites" rows="4" spellcheck="false" aria-describedby="sites-hint">
${typed.sites}</textarea>
        <button>Look up</button>
      </form>
      <p class="after"><a href="/lessons">All lesson lists</a></p>`,
  );
}

function answerSection(heading: string, answers: Answers): SafeHtml {
  if (answers === undefined) return html``;
  const told =
    answers === null ? html`<p>It cannot be told just now. Try again in a minute.</p>` : answerLines(answers);
  return html`<h2>${heading}</h2>
    ${told}
    <p class="small">Lists of illegal material are never asked here.</p>`;
}

function answerLines(answers: readonly SiteAnswer[]): SafeHtml {
  return html`<ul>
    ${answers.map(
      ({ site, forWhom, opens, why, todo }) =>
        html`<li>
          <strong>${site}</strong> ${opens ? 'opens' : 'stays closed'} for ${forWhom}. ${why} ${todo ?? ''}
        </li> `,
    )}
  </ul>`;
}

function label(id: string, text: string, errors: readonly FieldProblem[]): SafeHtml {
  return html`<label for="${id}">${text}</label>${problem(id, errors)}`;
}

function problem(id: string, errors: readonly FieldProblem[]): SafeHtml {
  const own = errors.filter((one) => one.field === id);
  return own.length === 0
    ? html``
    : html`<p class="wrong" id="${id}-error">${own.map(({ reason }) => reason).join(' ')}</p>`;
}

function mark(id: string, errors: readonly FieldProblem[]): SafeHtml {
  const isWrong = errors.some((one) => one.field === id);
  return isWrong ? html`aria-invalid="true" aria-describedby="${id}-error"` : html``;
}
