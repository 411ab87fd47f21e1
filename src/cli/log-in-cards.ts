import { html } from '../kernel/html.ts';

/** A card as the console's API gives it. */
export interface Card {
  readonly fullName: string;
  readonly userName: string;
  readonly password: string;
}

/** A page of log-in cards, to be printed and cut. It loads nothing. */
export function logInCards(title: string, cards: readonly Card[]): string {
  const page = html`<!doctype html>
    <html lang="en-GB">
      <head>
        <meta charset="utf-8" />
        <title>Log-in cards: ${title}</title>
        <style>
          body {
            font: 12pt/1.4 sans-serif;
            margin: 1cm;
          }
          ul {
            display: grid;
            grid-template-columns: 1fr 1fr;
            gap: 0.5cm;
            list-style: none;
            margin: 0;
            padding: 0;
          }
          li {
            border: 1px dashed;
            break-inside: avoid;
            padding: 0.5cm;
          }
          h2 {
            font-size: 14pt;
            margin: 0 0 0.2cm;
          }
          dl {
            display: grid;
            grid-template-columns: max-content 1fr;
            gap: 0.1cm 0.4cm;
            margin: 0;
          }
          dd {
            font-family: monospace;
            margin: 0;
            overflow-wrap: anywhere;
          }
        </style>
      </head>
      <body>
        <h1>Log-in cards: ${title}</h1>
        <ul>
          ${cards.map(
            ({ fullName, userName, password }) =>
              html`<li>
                <h2>${fullName}</h2>
                <dl>
                  <dt>User name</dt>
                  <dd>${userName}</dd>
                  <dt>Password</dt>
                  <dd>${password}</dd>
                </dl>
                <p>
                  Keep this card to yourself. What you do on the web at school is filtered and can be seen by staff.
                </p>
              </li> `,
          )}
        </ul>
      </body>
    </html> `;
  return page.text;
}
