/**
 * The look that block page and front desk share. Inline on the block page, which may load nothing; a file at the front desk.
 * Colours keep at least 4.5:1 for text and 3:1 for the focus ring in both schemes (WCAG 2.2 AA, 1.4.3 and 1.4.11).
 */
export const PAGE_CSS = `
:root{color-scheme:light dark;--page:#f2f4f7;--card:#fff;--ink:#1c2430;--soft:#4b5768;--line:#d4dae3;--link:#1d4f91;--mark:#1d4f91;--tint:#e9f0fa}
.help{--mark:#0f6457;--tint:#e4f3f0}.fault,.warned{--mark:#8a4b08;--tint:#fbf0e0}
@media(prefers-color-scheme:dark){:root{--page:#12171e;--card:#1b222c;--ink:#eef2f7;--soft:#b4bfcd;--line:#3a4655;--link:#9cc4ff;--mark:#9cc4ff;--tint:#222f41}
.help{--mark:#7fd6c5;--tint:#1b3532}.fault,.warned{--mark:#f0b96b;--tint:#3a2d1a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:1.0625rem/1.55 system-ui,"Segoe UI",Roboto,Arial,sans-serif}
.wide{max-width:44rem;margin:0 auto;padding:0 1rem}
header.wide{padding-top:1.25rem;padding-bottom:1rem}header p{margin:0;font-weight:600}header span{color:var(--soft);font-weight:400}
main{background:var(--card);border:1px solid var(--line);border-top:.375rem solid var(--mark);border-radius:.5rem;padding:1.5rem 1.75rem 1.75rem;overflow-wrap:anywhere}
.eyebrow{margin:0;color:var(--mark);font-weight:600}
h1{margin:.125rem 0 .75rem;font-size:1.875rem;line-height:1.2}h2{margin:1.75rem 0 .5rem;font-size:1.1875rem;line-height:1.3}h3{margin:0;font-size:1.0625rem}
p{margin:0 0 .75rem}ul{margin:0;padding-left:1.25rem}li{margin:.3rem 0}
.who{margin:1.5rem 0 0;padding:.875rem 1.125rem;background:var(--tint);border-radius:.375rem}.who h2{margin:0}.who p{margin:.125rem 0 0;font-size:1.125rem}.who p::first-letter{text-transform:uppercase}
.urgent{font-weight:600}
.lines{list-style:none;padding:0}.lines li{padding:.625rem 0;border-top:1px solid var(--line);margin:0}
a{color:var(--link);text-underline-offset:.15em}a:focus-visible,summary:focus-visible{outline:3px solid var(--mark);outline-offset:3px;border-radius:2px}
dl{margin:1.75rem 0 0;padding-top:1rem;border-top:1px solid var(--line);display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;color:var(--soft);font-size:.9375rem}
dd{margin:0}code{font:.9375em ui-monospace,Consolas,Menlo,monospace}.small{color:var(--soft);font-size:.9375rem}
footer.wide{padding-top:1rem;padding-bottom:2rem}footer{color:var(--soft);font-size:.9375rem}footer p{margin:0 0 .25rem}
@media(max-width:30rem){main{padding:1.125rem 1.125rem 1.375rem}h1{font-size:1.5625rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem;color:var(--ink)}}
`.trim();

/** For pages with something to press. */
export const BUTTON_CSS = `
button{font:inherit;font-weight:600;color:var(--card);background:var(--mark);border:2px solid transparent;border-radius:.25rem;padding:.5rem 1.25rem;margin-top:1.25rem;min-height:2.75rem;cursor:pointer}
button:focus-visible{outline:3px solid var(--mark);outline-offset:3px}
`.trim();
