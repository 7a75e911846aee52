/** The text that a model answered with, wherever the endpoint puts it. */
import { isObject } from '../jsonl/parse-line.js';

/** The first answer's text of a chat completion, a response or a legacy completion; null where there is none. */
export function answerText(body: unknown): string | null {
  if (!isObject(body)) return null;
  const { choices, output } = body;
  if (Array.isArray(choices)) {
    const [choice] = choices as unknown[];
    if (!isObject(choice)) return null;
    const { message, text } = choice;
    const content = isObject(message) ? message['content'] : text;
    return typeof content === 'string' ? content : null;
  }
  if (!Array.isArray(output)) return null;
  const texts = (output as unknown[])
    .flatMap((item) => (isObject(item) && Array.isArray(item['content']) ? (item['content'] as unknown[]) : []))
    .flatMap((part) => (isObject(part) && typeof part['text'] === 'string' ? [part['text']] : []));
  return texts.length > 0 ? texts.join('') : null;
}

/** The answer read as JSON, as a structured output is; undefined where it is none. */
export function structuredOutput(body: unknown): unknown {
  const text = answerText(body);
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
