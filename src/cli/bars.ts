/** Runs that are followed, as bars for a terminal. */
import type { styleText } from 'node:util';
import { barText, type Shown } from './progress-text.js';
import { durationText, rateText, type Pace } from './pace.js';

export type Paint = (format: Parameters<typeof styleText>[0], text: string) => string;

export interface Row {
  readonly workflowId: string;
  readonly state: 'running' | 'done' | 'failed';
  /** Null before the first answer of the run. */
  readonly progress: Shown['progress'] | null;
  /** Said to a person instead of the state; null if there is nothing to do. */
  readonly note: string | null;
  readonly pace: Pace;
}

export interface Layout {
  /** Of the terminal. */
  readonly columns: number;
  /** Counts up, so that a run is seen to go on. */
  readonly frame: number;
  /** Epoch ms. */
  readonly now: number;
  readonly paint: Paint;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const MAX_BAR_WIDTH = 40;
const MIN_BAR_WIDTH = 4;

/** Two lines: which run and what it is at, then its bar with rate and time left. Neither is wider than the terminal. */
export function rowLines(row: Row, { columns, frame, now, paint }: Layout): [state: string, bar: string] {
  const { workflowId, state, progress, note } = row;
  const [mark, color] = markOf(row, frame);
  const id = cut(workflowId, columns - 2);
  const text = cut(note ?? (progress === null ? 'asking …' : barText(progress)), columns - id.length - 4);
  const amount = progress && amountOf(progress);
  const figures = amount === null ? '' : figuresText(amount, state === 'running' ? row.pace : null, now);
  const width = Math.max(MIN_BAR_WIDTH, Math.min(MAX_BAR_WIDTH, columns - figures.length - 5));
  const share = state === 'done' ? 1 : amount === null ? 0 : amount.done / amount.total;
  const filled = Math.min(width, Math.floor(share * width));
  const bar = paint('cyan', '━'.repeat(filled)) + paint('dim', '─'.repeat(width - filled));
  return [
    `${paint(color, mark)} ${id}  ${paint(note === null ? 'dim' : 'yellow', text)}`,
    `  ${bar}  ${cut(figures, columns - width - 5)}`.trimEnd(),
  ];
}

function markOf({ state, progress, note }: Row, frame: number): [mark: string, color: Color] {
  if (state === 'done') return ['✔', 'green'];
  if (state === 'failed') return ['✖', 'red'];
  if (note !== null || progress?.attention) return ['!', 'yellow'];
  return [FRAMES[frame % FRAMES.length] ?? '', 'cyan'];
}

type Color = 'green' | 'red' | 'yellow' | 'cyan';

export interface Amount {
  readonly done: number;
  /** Above 0. */
  readonly total: number;
}

/** How much of a run is done: requests, or steps of training. Null as long as the total is not known. */
export function amountOf(progress: Shown['progress']): Amount | null {
  if ('steps' in progress) {
    const { done, total } = progress.steps ?? { done: 0, total: null };
    return total ? { done, total } : null;
  }
  if ('counts' in progress) {
    const { total, completed, failed } = progress.counts;
    return total > 0 ? { done: completed + failed, total } : null;
  }
  const { lines, underWay, sent } = progress;
  const total = sent[0]?.requests ?? 0;
  const ended = Object.values(lines).reduce((sum, count) => sum + count, 0);
  return total > 0
    ? { done: Math.min(total, ended + (underWay ? underWay.completed + underWay.failed : 0)), total }
    : null;
}

function figuresText({ done, total }: Amount, pace: Pace | null, now: number): string {
  const counts = `${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')}`;
  const rate = pace?.rate(now) ?? null;
  const left = pace?.secondsUntil(total, now) ?? null;
  return [
    counts,
    ...(rate === null ? [] : [rateText(rate)]),
    ...(left === null || done >= total ? [] : [`about ${durationText(left)} left`]),
  ].join('  ');
}

function cut(text: string, width: number): string {
  const line = text.replaceAll(/\s*\n\s*/g, ' ');
  if (width < 1) return '';
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}
