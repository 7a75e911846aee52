/** What a model answered, in the body of any endpoint. */
import { isObject } from '../jsonl/json-value.js';

/** Returns the first answer's text of a chat completion, a response or a legacy completion; null if there is none. */
function answerText(body: unknown): string | null {
  if (!isObject(body)) return null;
  const { choices, output } = body;
  if (Array.isArray(choices)) {
    const [choice] = choices as unknown[];
    if (!isObject(choice)) return null;
    const { message, text } = choice;
    const content = isObject(message) ? message.content : text;
    return typeof content === 'string' ? content : null;
  }
  if (!Array.isArray(output)) return null;
  const texts = (output as unknown[])
    .flatMap((item) => (isObject(item) && Array.isArray(item.content) ? (item.content as unknown[]) : []))
    .flatMap((part) => (isObject(part) && typeof part.text === 'string' ? [part.text] : []));
  return texts.length > 0 ? texts.join('') : null;
}

/** Parses the answer's text as JSON, as structured outputs are written; undefined if it is not JSON. */
export function structuredOutput(body: unknown): unknown {
  const text = answerText(body);
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
