/**
 * Plots as SVG, by Observable Plot on the document of linkedom. Both are optional, and loaded only here: where they are
 * not installed, a report has its tables alone.
 */
import type * as Plot from '@observablehq/plot';
import { html, raw } from 'hono/html';
import type { Html } from './html.js';

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Whether the line is dashed, so that it is told from another without its colour. */
  readonly isDashed: boolean;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface LinePlot {
  /** What the plot shows, for those who do not see it. */
  readonly label: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** Places on the x axis, such as checkpoints. */
  readonly marks: readonly { readonly x: number; readonly label: string }[];
}

export interface Bar {
  /** The row that the bar is in. Rows are in the order of their first bars. */
  readonly row: string;
  readonly state: string;
  /** Epoch seconds. */
  readonly from: number;
  readonly to: number;
  /** Stands above the bar. */
  readonly text: string;
}

export interface Timeline {
  readonly label: string;
  readonly bars: readonly Bar[];
  /** The states that a bar may have, in the order of the legend. */
  readonly states: readonly string[];
}

/** A text for the page where there is no plot. */
export const NOT_INSTALLED =
  'The plots are missing, since the packages that draw them are not installed: npm install @observablehq/plot linkedom';

const WIDTH = 900;
const LINE_HEIGHT = 320;
const ROW_HEIGHT = 36;
/** Room above a bar for its text. */
const TEXT_HEIGHT = 16;
/** Points of a line. More would not be seen at this width. */
const MAX_POINTS = 1_500;
const LETTER_WIDTH = 7;

export class Charts {
  readonly #plot: typeof Plot;
  readonly #document: unknown;

  private constructor(plot: typeof Plot, document: unknown) {
    this.#plot = plot;
    this.#document = document;
  }

  /** Null where the packages are not installed. */
  static async load(): Promise<Charts | null> {
    try {
      const [plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')]);
      return new Charts(plot, parseHTML('<!doctype html><html><body></body></html>').document);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return null;
      throw error;
    }
  }

  lines({ label, xLabel, yLabel, series, marks }: LinePlot): Html {
    const { dot, line, ruleX, text } = this.#plot;
    const colours = series.map((_, index) => `var(--series-${index % SERIES_COLOURS})`);
    const picture = this.#draw(label, {
      height: LINE_HEIGHT,
      marginTop: 30,
      marginLeft: 60,
      x: { label: xLabel, nice: true },
      y: { label: yLabel, grid: true, nice: true },
      marks: [
        ruleX(marks, { x: 'x', stroke: 'currentColor', strokeOpacity: 0.35, strokeDasharray: '2,4' }),
        text(marks, { x: 'x', text: 'label', frameAnchor: 'top', dy: -14, fill: 'currentColor' }),
        ...series.map(({ points, isDashed }, index) =>
          line(thinned(points, MAX_POINTS), {
            x: 'x',
            y: 'y',
            stroke: colours[index]!,
            strokeWidth: 2,
            ...(isDashed && { strokeDasharray: '6,4' }),
          }),
        ),
        // A line of one point is not seen.
        ...series.map(({ points }, index) =>
          dot(points.length === 1 ? points : [], { x: 'x', y: 'y', fill: colours[index]! }),
        ),
      ],
    });
    const legend = series.map(({ name, isDashed }, index) => ({
      name: isDashed ? `${name} (dashed)` : name,
      className: `series-${index % SERIES_COLOURS}`,
    }));
    return figure(picture, legend);
  }

  timeline({ label, bars, states }: Timeline): Html {
    const { axisX, barX, text } = this.#plot;
    const rows = [...new Set(bars.map(({ row }) => row))];
    const shown = bars.map((bar) => ({ ...bar, start: dateOf(bar.from), end: dateOf(bar.to) }));
    // A text at the end of the plot would leave it.
    const middle = (Math.min(...bars.map(({ from }) => from)) + Math.max(...bars.map(({ to }) => to))) / 2;
    const texts = (isLate: boolean) =>
      shown.filter(({ from, text: words }) => words !== '' && from > middle === isLate);
    const above = { y: 'row', text: 'text', dy: -ROW_HEIGHT / 2 + TEXT_HEIGHT / 2, fill: 'currentColor' } as const;
    const picture = this.#draw(label, {
      height: rows.length * ROW_HEIGHT + 70,
      marginTop: 30,
      marginLeft: Math.max(60, ...rows.map((row) => row.length * LETTER_WIDTH + 20)),
      marginRight: 45,
      x: { type: 'utc', grid: true },
      y: { domain: rows, label: null, padding: 0 },
      color: { domain: [...states], range: states.map((state) => `var(--state-${state})`) },
      marks: [
        axisX({ anchor: 'bottom', label: null, ticks: 6, tickFormat: tickOf }),
        barX(shown, {
          x1: 'start',
          x2: 'end',
          y: 'row',
          fill: 'state',
          stroke: 'currentColor',
          strokeWidth: 0.75,
          insetTop: TEXT_HEIGHT,
          insetBottom: 3,
        }),
        text(texts(false), { ...above, x: 'start', textAnchor: 'start' }),
        text(texts(true), { ...above, x: 'end', textAnchor: 'end' }),
      ],
    });
    const seen = states.filter((state) => bars.some((bar) => bar.state === state));
    return figure(
      picture,
      seen.map((state) => ({ name: state.replaceAll('_', ' '), className: `state-${state}` })),
    );
  }

  #draw(label: string, options: Plot.PlotOptions): Html {
    const svg = this.#plot.plot({
      width: WIDTH,
      document: this.#document,
      ...options,
    }) as unknown as {
      setAttribute(name: string, value: string): void;
      readonly outerHTML: string;
    };
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', label);
    return raw(svg.outerHTML);
  }
}

/** How many series have colours of their own: see `style.ts`. */
const SERIES_COLOURS = 4;

const dateOf = (seconds: number): Date => new Date(seconds * 1_000);

/** The date and, below it, the time in UTC. */
const tickOf = (date: Date): string => date.toISOString().replace(/T(.*)\.\d+Z$/, '\n$1Z');

function figure(picture: Html, legend: readonly { readonly name: string; readonly className: string }[]): Html {
  return html`<figure>
    <ul class="legend">
      ${legend.map(({ name, className }) => html`<li><span class="swatch ${className}"></span>${name}</li>`)}
    </ul>
    <div class="wide">${picture}</div>
  </figure>`;
}

/** So many at most, evenly, with the first and the last. */
export function thinned<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  const step = (all.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => all[Math.round(index * step)]!);
}
