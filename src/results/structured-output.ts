/** What a model answered, in the body of any endpoint. */
import type { StructuredOutputPlace } from '../contract/bulk-batch.js';
import { isObject } from '../jsonl/json-value.js';

/** The structured output of an answer. `value` is undefined where the text is not JSON. */
export type StructuredOutput = { readonly found: true; readonly value: unknown } | { readonly found: false };

const NOT_FOUND: StructuredOutput = { found: false };
/** Reasoning that a server without a parser for it leaves in front of the answer. */
const THINKING = /^\s*<think>.*?<\/think>/s;

/**
 * Finds the structured output: the JSON in the text of the final message, or in the arguments of the first tool call.
 *
 * @param place where it stands
 */
export function structuredOutput(body: unknown, place: StructuredOutputPlace): StructuredOutput {
  const text = place === 'toolCall' ? null : answerText(body);
  if (text !== null) return { found: true, value: parsed(text) };
  const call = place === 'text' ? undefined : toolCallArguments(body);
  if (call === undefined) return NOT_FOUND;
  return { found: true, value: typeof call === 'string' ? parsed(call) : call };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * The text of the first choice of a chat completion or legacy completion, or of the final message of a response; null
 * if there is none, or only white space. Reasoning, commentary and refusals are not part of it.
 */
export function answerText(body: unknown): string | null {
  if (!isObject(body)) return null;
  const text = Array.isArray(body.choices) ? textOfChoice(body.choices[0]) : textOfResponse(body.output);
  const answer = text?.replace(THINKING, '');
  return answer === undefined || answer.trim() === '' ? null : answer;
}

function textOfChoice(choice: unknown): string | null {
  if (!isObject(choice)) return null;
  return textOfContent(isObject(choice.message) ? choice.message.content : choice.text);
}

function textOfResponse(output: unknown): string | null {
  const messages = itemsOf(output).filter(isAnswerMessage);
  const final = messages.filter(({ phase }) => phase === 'final_answer');
  const texts = (final.length > 0 ? final : messages).map(({ content }) => textOfContent(content));
  return texts.findLast((text) => text !== null && text.trim() !== '') ?? null;
}

/** Whether an item of a response is a message to the user. Some servers leave the type out. */
function isAnswerMessage({ type, role, phase, content }: Record<string, unknown>): boolean {
  if (phase === 'commentary') return false;
  const isMessage = type === 'message' || ((type === undefined || type === null) && content !== undefined);
  return isMessage && (role === undefined || role === null || role === 'assistant');
}

/** Content is a text, or parts of which those with text count. */
function textOfContent(content: unknown): string | null {
  if (typeof content === 'string') return content;
  const texts = itemsOf(content).flatMap(({ type, text }) =>
    typeof text === 'string' && (type === undefined || type === 'text' || type === 'output_text') ? [text] : [],
  );
  return texts.length > 0 ? texts.join('') : null;
}

function toolCallArguments(body: unknown): unknown {
  if (!isObject(body)) return undefined;
  if (!Array.isArray(body.choices)) {
    return argumentsOf(itemsOf(body.output).find(({ type }) => type === 'function_call'));
  }
  const choice: unknown = body.choices[0];
  const message = isObject(choice) && isObject(choice.message) ? choice.message : {};
  const [call] = itemsOf(message.tool_calls);
  return argumentsOf(call?.function) ?? argumentsOf(message.function_call);
}

/** Arguments are a text of JSON; some servers send the object itself. */
function argumentsOf(call: unknown): unknown {
  const given = isObject(call) ? call.arguments : undefined;
  if (typeof given === 'string') return given.trim() === '' ? undefined : given;
  return isObject(given) ? given : undefined;
}

/** The objects of a list, which may be anything. */
export function itemsOf(list: unknown): Record<string, unknown>[] {
  return Array.isArray(list) ? (list as unknown[]).filter(isObject) : [];
}
