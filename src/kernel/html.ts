const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Markup that is safe to put into a page as it is. Only `html` makes it. */
export class SafeHtml {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

type Value = string | number | SafeHtml | readonly SafeHtml[];

/** A template tag: every value is escaped for element content and quoted attributes, unless it is itself `html`. */
export function html(parts: TemplateStringsArray, ...values: Value[]): SafeHtml {
  let text = parts[0]!;
  for (let i = 0; i < values.length; i++) text += render(values[i]!) + parts[i + 1]!;
  return new SafeHtml(text);
}

function render(value: Value): string {
  if (value instanceof SafeHtml) return value.text;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (c) => ESCAPES[c]!);
  return value.map((v) => v.text).join('');
}
