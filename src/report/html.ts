/** Pieces of HTML. Whatever is filled into a template is escaped by hono; a piece that is made here is not again. */
import { html } from 'hono/html';

export type Html = ReturnType<typeof html>;

/** Something that is shown as it is: a text is escaped. */
export type Content = string | number | Html;

/** An id, a URI or another text that is copied. */
export const code = (text: string): Html => html`<code>${text}</code>`;

/** A list of facts. Those without a value are left out. */
export type Fact = readonly [label: string, content: Content | null];

export function facts(rows: readonly Fact[]): Html {
  const shown = rows.filter(([, content]) => content !== null && content !== '');
  return html`<dl>
    ${shown.map(
      ([label, content]) =>
        html`<div>
          <dt>${label}</dt>
          <dd>${content}</dd>
        </div>`,
    )}
  </dl>`;
}

/** A table, or nothing where it has no row. Numbers stand at the right. */
export function table(caption: string, head: readonly string[], rows: readonly (readonly Content[])[]): Html {
  if (rows.length === 0) return nothing();
  const cell = (content: Content) =>
    typeof content === 'number' ? html`<td class="number">${count(content)}</td>` : html`<td>${content}</td>`;
  return html`<div class="wide">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map(cell)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

export function section(title: string, ...content: readonly Html[]): Html {
  return html`<section>
    <h2>${title}</h2>
    ${content}
  </section>`;
}

export const paragraph = (content: Content): Html => html`<p>${content}</p>`;

export const nothing = (): Html => html``;

/** The number with separators, such as `1,000`. */
export const count = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 6 });

/** Epoch seconds as UTC, such as `2026-11-26T10:00:00Z`; null where it is not known. */
export function iso(seconds: number | null): string | null {
  const date = seconds === null ? null : new Date(Math.round(seconds) * 1_000);
  return date === null || Number.isNaN(date.getTime()) ? null : date.toISOString().replace('.000Z', 'Z');
}

/** The same as an element that does not break. */
export function when(seconds: number | null): Content {
  const text = iso(seconds);
  return text === null ? '' : html`<time datetime="${text}">${text}</time>`;
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** The two largest units, such as `3 h 20 min`; null where it is not known. */
export function duration(seconds: number | null): string | null {
  if (seconds === null || !(seconds >= 0)) return null;
  const whole = Math.round(seconds);
  const first = UNITS.findIndex(([, size]) => whole >= size);
  if (first < 0) return '0 s';
  const parts = UNITS.slice(first, first + 2).map(([unit, size], index) => {
    const rest = index === 0 ? whole : whole % UNITS[first]![1];
    return [Math.floor(rest / size), unit] as const;
  });
  return parts
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}
