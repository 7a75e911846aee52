/** Something slow that goes on, as shown to a person. */
export interface Progress {
  update(text: string): void;
  stop(): void;
}

/** Begins to show that something slow goes on. */
export type ShowProgress = (text: string) => Progress | Promise<Progress>;

/** A spinner where stderr is a terminal, plain lines elsewhere. stdout stays clean for a program's own output. */
export const defaultProgress: ShowProgress = (text) =>
  process.stderr.isTTY && !process.env.CI ? spinnerProgress(text) : plainProgress(text);

export const spinnerProgress = async (text: string): Promise<Progress> => {
  const { default: ora } = await import('ora');
  const spinner = ora({ text, stream: process.stderr }).start();
  return {
    update: (next) => {
      spinner.text = next;
    },
    stop: () => {
      spinner.stop();
    },
  };
};

/** One line at the start, then one every ten seconds at most. */
export function plainProgress(
  text: string,
  write: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): Progress {
  const every = 10_000;
  let last = Date.now();
  write(text);
  return {
    update: (next) => {
      if (Date.now() - last < every) return;
      last = Date.now();
      write(next);
    },
    stop: () => undefined,
  };
}

/** Shows `text` with the seconds gone by, and the bytes that `measure` counts, for as long as `action` takes. */
export async function withProgress<T>(
  show: ShowProgress,
  text: string,
  measure: () => Promise<number>,
  action: () => Promise<T>,
): Promise<T> {
  const progress = await show(`${text} …`);
  const began = Date.now();
  const report = async () => {
    const seconds = Math.round((Date.now() - began) / 1000);
    const bytes = await measure();
    const size = bytes > 0 ? `, ${Math.round(bytes / 1e6)} MB` : '';
    progress.update(`${text} … ${seconds} s${size}`);
  };
  const timer = setInterval(() => void report(), 1000);
  try {
    return await action();
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}
