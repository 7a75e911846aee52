/** Shows that something slow is being fetched. */
export interface Progress {
  update(text: string): void;
  stop(): void;
}

/** Starts to show a text. */
export type ShowProgress = (text: string) => Progress | Promise<Progress>;

const PLAIN_INTERVAL_MS = 10_000;
const UPDATE_INTERVAL_MS = 1_000;

/** A spinner if stderr is a terminal, else plain lines. stdout is left to the program's own output. */
export const defaultProgress: ShowProgress = (text) =>
  process.stderr.isTTY && !process.env.CI ? spinnerProgress(text) : plainProgress(text);

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;

async function spinnerProgress(text: string): Promise<Progress> {
  const { createLogUpdate } = await import('log-update');
  const log = createLogUpdate(process.stderr);
  let shown = text;
  let frame = 0;
  const timer = setInterval(() => {
    frame += 1;
    log(`${FRAMES[frame % FRAMES.length]} ${shown}`);
  }, FRAME_MS);
  return {
    update: (next) => {
      shown = next;
    },
    stop: () => {
      clearInterval(timer);
      log.clear();
      log.done();
    },
  };
}

/** One line at the start, then at most one every ten seconds. */
export function plainProgress(
  text: string,
  write: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): Progress {
  let last = Date.now();
  write(text);
  return {
    update: (next) => {
      if (Date.now() - last < PLAIN_INTERVAL_MS) return;
      last = Date.now();
      write(next);
    },
    stop: () => undefined,
  };
}

/** Shows `text` with the elapsed seconds, and the bytes that `measure` counts, while `action` runs. */
export async function withProgress<T>(
  show: ShowProgress,
  text: string,
  measure: () => Promise<number>,
  action: () => Promise<T>,
): Promise<T> {
  const progress = await show(`${text} …`);
  const began = Date.now();
  const report = async () => {
    const seconds = Math.round((Date.now() - began) / 1_000);
    const bytes = await measure();
    const size = bytes > 0 ? `, ${Math.round(bytes / 1e6)} MB` : '';
    progress.update(`${text} … ${seconds} s${size}`);
  };
  const timer = setInterval(() => void report(), UPDATE_INTERVAL_MS);
  try {
    return await action();
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}
