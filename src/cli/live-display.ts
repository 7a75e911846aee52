/** Bars of runs on a terminal, redrawn in place. */
import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import { amountOf, rowLines, type Paint, type Row } from './bars.js';
import type { Display } from './display.js';
import { Pace } from './pace.js';
import type { NamedRun } from './session.js';

const FRAME_MS = 100;
const USUAL_COLUMNS = 80;

/** @param stream a terminal */
export function liveDisplay(stream: NodeJS.WriteStream, runs: readonly NamedRun[]): Display {
  const ids = runs.map(({ run }) => run.workflowId);
  const rows = new Map<string, Row>(
    ids.map((workflowId) => [
      workflowId,
      { workflowId, state: 'running', progress: null, note: null, pace: new Pace() },
    ]),
  );
  const paint: Paint = (format, text) =>
    stream.hasColors() ? styleText(format, text, { validateStream: false }) : text;
  const screen = new Screen(stream, (frame) => {
    const layout = { columns: stream.columns || USUAL_COLUMNS, frame, now: Date.now(), paint };
    return [...rows.values()].flatMap((row) => rowLines(row, layout)).join('\n');
  });
  const change = ({ run: { workflowId } }: NamedRun, changed: Partial<Row>) => {
    const row = rows.get(workflowId);
    if (row) rows.set(workflowId, { ...row, ...changed });
  };
  return {
    show: (named, progress) => {
      const amount = amountOf(progress);
      if (amount) rows.get(named.run.workflowId)?.pace.add(Date.now(), amount.done);
      change(named, { progress, note: null });
    },
    note: (named, note) => change(named, { note }),
    end: (named, state) => change(named, { state, note: null }),
    print: (write) => screen.print(write),
    pause: () => screen.pause(),
    resume: () => screen.resume(),
    stop: () => screen.stop(),
  };
}

/** A part of the terminal that is redrawn, and lines above it that stay. */
class Screen {
  readonly #log: ReturnType<typeof createLogUpdate>;
  readonly #text: (frame: number) => string;
  #timer: NodeJS.Timeout | null = null;
  #frame = 0;
  /** What is to be written when somebody has answered. */
  readonly #held: (() => void)[] = [];

  constructor(stream: NodeJS.WriteStream, text: (frame: number) => string) {
    this.#log = createLogUpdate(stream);
    this.#text = text;
    this.resume();
  }

  print(write: () => void): void {
    if (this.#timer === null) {
      this.#held.push(write);
    } else {
      this.#log.clear();
      write();
      this.#draw();
    }
  }

  /** Leaves the terminal to a question. */
  pause(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#log.clear();
    this.#log.done();
  }

  resume(): void {
    for (const write of this.#held.splice(0)) write();
    this.#timer ??= setInterval(() => this.#draw(), FRAME_MS);
    this.#draw();
  }

  /** The last state stays. */
  stop(): void {
    if (this.#timer === null) this.resume();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#draw();
    this.#log.done();
  }

  #draw(): void {
    this.#frame += 1;
    this.#log(this.#text(this.#frame));
  }
}
