import { styleText } from 'node:util';

/** Styled where stdout shows colours (a terminal, without NO_COLOR), plain elsewhere. */
export function style(format: Parameters<typeof styleText>[0], text: string): string {
  return process.stdout.isTTY && process.stdout.hasColors() ? styleText(format, text, { validateStream: false }) : text;
}
