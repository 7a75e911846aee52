/** What the demo shows while it runs: a live table on a terminal, plain lines elsewhere. */
import { style } from './style.js';
import { createLogUpdate } from 'log-update';

/** One run, as a line. */
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
  /** A line that stays, above the rows. */
  readonly say: (line: string) => void;
  readonly stop: () => void;
}

export function createDisplay(titles: readonly string[], stream: NodeJS.WriteStream = process.stdout): Display {
  return stream.isTTY && !process.env.CI && process.env.TERM !== 'dumb'
    ? liveDisplay(titles, stream)
    : plainDisplay(stream);
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** A row without its bar; both fit into 80 columns. */
const ROW_WIDTH = 66;

function liveDisplay(titles: readonly string[], stream: NodeJS.WriteStream): Display {
  const log = createLogUpdate(stream);
  const rows = new Map(titles.map((title) => [title, waiting(title)]));
  const width = Math.max(...titles.map((title) => title.length));
  let frame = 0;
  const draw = () =>
    log(`\n${[...rows.values()].map((row) => line(row, { width, barWidth: barWidth(stream), frame })).join('\n')}\n`);
  const timer = setInterval(() => {
    frame += 1;
    draw();
  }, 100);
  return {
    show: (row) => {
      rows.set(row.title, row);
      draw();
    },
    say: (text) => {
      log.clear();
      stream.write(`${text}\n`);
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

interface Look {
  /** Of the titles. */
  readonly width: number;
  readonly barWidth: number;
  readonly frame: number;
}

function line({ title, state, status, done, total, note }: Row, look: Look): string {
  const mark = {
    waiting: style('dim', '·'),
    running: style('cyan', FRAMES[look.frame % FRAMES.length] ?? ''),
    done: style('green', '✔'),
    failed: style('red', '✖'),
  }[state];
  const filled = total === 0 ? 0 : Math.round((look.barWidth * done) / total);
  const bar = style('cyan', '━'.repeat(filled)) + style('dim', '━'.repeat(look.barWidth - filled));
  return `  ${mark} ${title.padEnd(look.width)}  ${bar}  ${status.padEnd(16)} ${style('dim', note)}`;
}

/** One line whenever a status changes, and at each quarter of the work. */
function plainDisplay(stream: NodeJS.WriteStream): Display {
  const began = Date.now();
  const told = new Map<string, string>();
  const say = (text: string) => void stream.write(`${text}\n`);
  return {
    show: ({ title, status, done, total, note }) => {
      const quarter = total === 0 ? 0 : Math.floor((4 * done) / total);
      const news = `${status} ${quarter}`;
      if (told.get(title) === news) return;
      told.set(title, news);
      const seconds = ((Date.now() - began) / 1_000).toFixed(1).padStart(5);
      say(`${seconds} s  ${title}: ${status}${note === '' ? '' : `, ${note}`}`);
    },
    say,
    stop: () => undefined,
  };
}

function waiting(title: string): Row {
  return { title, state: 'waiting', status: 'not started', done: 0, total: 0, note: '' };
}
