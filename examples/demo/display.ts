/** What the demo shows while it runs: a table that is redrawn on a terminal, plain lines elsewhere. */
import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';

/** One job, as a line of the table. */
export interface Row {
  readonly title: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  readonly status: string;
  readonly done: number;
  /** 0 while unknown. */
  readonly total: number;
  readonly note: string;
}

export interface Display {
  readonly show: (row: Row) => void;
  /** Prints a line with the time, above the table. */
  readonly say: (line: string) => void;
  readonly stop: () => void;
}

/** @param elapsed the time since the demo began, as it is shown */
export function createDisplay(
  titles: readonly string[],
  elapsed: () => string,
  stream: NodeJS.WriteStream = process.stdout,
): Display {
  return stream.isTTY && !process.env.CI && process.env.TERM !== 'dumb'
    ? terminalDisplay(titles, elapsed, stream)
    : plainDisplay(elapsed, stream);
}

/** Applies a style if stdout shows colours: on a terminal, without NO_COLOR. */
export function style(format: Parameters<typeof styleText>[0], text: string): string {
  return showsColors() ? styleText(format, text, { validateStream: false }) : text;
}

function showsColors(): boolean {
  return process.stdout.isTTY && process.stdout.hasColors();
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
/** Columns of a row without its bar. Together they fit into 80 columns. */
const ROW_WIDTH = 66;

function terminalDisplay(titles: readonly string[], elapsed: () => string, stream: NodeJS.WriteStream): Display {
  const log = createLogUpdate(stream);
  const rows = new Map(titles.map((title) => [title, waitingRow(title)]));
  const titleWidth = Math.max(...titles.map((title) => title.length));
  let frame = 0;
  const draw = () => {
    const layout = { titleWidth, barWidth: barWidth(stream), frame };
    log(`\n${[...rows.values()].map((row) => formatRow(row, layout)).join('\n')}\n`);
  };
  const timer = setInterval(() => {
    frame += 1;
    draw();
  }, FRAME_MS);
  return {
    show: (row) => {
      rows.set(row.title, row);
      draw();
    },
    say: (text) => {
      log.clear();
      stream.write(`${elapsed()}  ${text}\n`);
      draw();
    },
    stop: () => {
      clearInterval(timer);
      draw();
      log.done();
    },
  };
}

const barWidth = (stream: NodeJS.WriteStream): number => Math.min(24, Math.max(4, stream.columns - ROW_WIDTH));

interface Layout {
  readonly titleWidth: number;
  readonly barWidth: number;
  readonly frame: number;
}

function formatRow({ title, state, status, done, total, note }: Row, layout: Layout): string {
  const mark = {
    waiting: style('dim', '·'),
    running: style('cyan', FRAMES[layout.frame % FRAMES.length] ?? ''),
    done: style('green', '✔'),
    failed: style('red', '✖'),
  }[state];
  const filled = total === 0 ? 0 : Math.round((layout.barWidth * done) / total);
  const bar = style('cyan', '━'.repeat(filled)) + style('dim', '━'.repeat(layout.barWidth - filled));
  return `  ${mark} ${title.padEnd(layout.titleWidth)}  ${bar}  ${status.padEnd(16)} ${style('dim', note)}`;
}

/** Prints a line when a status changes, and at each quarter of the work. */
function plainDisplay(elapsed: () => string, stream: NodeJS.WriteStream): Display {
  const lastShown = new Map<string, string>();
  const say = (text: string) => void stream.write(`${elapsed()}  ${text}\n`);
  return {
    show: ({ title, status, done, total, note }) => {
      const quarter = total === 0 ? 0 : Math.floor((4 * done) / total);
      const milestone = `${status} ${quarter}`;
      if (lastShown.get(title) === milestone) return;
      lastShown.set(title, milestone);
      say(`${title}: ${status}${note === '' ? '' : `, ${note}`}`);
    },
    say,
    stop: () => undefined,
  };
}

function waitingRow(title: string): Row {
  return { title, state: 'waiting', status: 'not started', done: 0, total: 0, note: '' };
}
