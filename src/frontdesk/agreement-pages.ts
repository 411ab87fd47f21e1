import { html, type SafeHtml } from '../kernel/html.ts';
import type { DeviceAnswer } from '../identity/signed-in-devices.ts';
import type { DeskFacts } from './facts.ts';
import { page } from './pages.ts';

/** The agreement that somebody has yet to accept, with the button that accepts it. */
export function agreementPage(
  facts: DeskFacts,
  answer: Extract<DeviceAnswer, { state: 'agreement' }>,
  token: string,
): string {
  const { fullName, userName, until, agreement, ticket } = answer;
  const { title, text, version } = agreement;
  return page(
    { title, facts },
    html`<p>
        <strong>${fullName}</strong> (${userName}), please read this. The web opens for you when you have agreed to it.
      </p>
      ${text.map((paragraph) => html`<p>${paragraph}</p> `)}
      <form method="post" action="/agreement">
        <input type="hidden" name="token" value="${token}" />
        <input type="hidden" name="ticket" value="${ticket}" />
        <input type="hidden" name="version" value="${version}" />
        <button>I have read this and agree</button>
      </form>
      ${until === null ? html`` : signOut(token)}`,
  );
}

function signOut(token: string): SafeHtml {
  return html`<p class="after">Is this not you, or do you not want to agree? Then sign out.</p>
    <form method="post" action="/sign-out">
      <input type="hidden" name="token" value="${token}" />
      <button>Sign out</button>
    </form>`;
}

/** A parent has to agree first, and a member of staff writes that down: nothing that the pupil could do here. */
export function consentPage(
  facts: DeskFacts,
  { fullName, userName, until }: Extract<DeviceAnswer, { state: 'consent' }>,
  token: string,
): string {
  return page(
    { title: 'A grown-up at home has to say yes first', facts },
    html`<p>
        Hello <strong>${fullName}</strong> (${userName}). The school has no yes from your parent or carer for this
        school year yet. Until then you can open help and school sites only.
      </p>
      <p>You have done nothing wrong. Ask: ${facts.contacts.pupils}.</p>
      ${until === null ? html`` : signOut(token)}`,
  );
}

/** It is accepted, at an address where nobody can be signed in. */
export function agreedPage(facts: DeskFacts): string {
  return page(
    { title: 'Thank you', facts },
    html`<p>The school has noted that you agree. Open the page you wanted again in a few seconds.</p>`,
  );
}
