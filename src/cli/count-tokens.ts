/** Tokens of prompts, by OpenAI's own encodings. */
import { itemsOf } from '../results/structured-output.js';

/** Counts the tokens in a text. */
export type CountTokens = (text: string) => number;

/** Models before `gpt-4o` have the older encoding. Of other providers' models, the newer one is an approximation. */
const OLDER = /^(gpt-3\.5|gpt-4(?!o|\.)|text-embedding)/;
/** By which the messages of a chat are kept apart, with their roles. */
const TOKENS_OF_MESSAGE = 4;
/** What a model reads. Other fields steer it. */
const PROMPT_FIELDS = ['messages', 'input', 'prompt', 'instructions', 'tools', 'functions', 'response_format', 'text'];

/** Fields within a prompt whose words the model does not read. */
const NO_TEXT: ReadonlySet<string> = new Set(['type', 'role', 'id', 'image_url', 'file_id', 'detail']);

/** Null where `gpt-tokenizer`, which is optional, is not installed. */
export async function tokenCounter(model: string): Promise<CountTokens | null> {
  try {
    const { countTokens } = OLDER.test(model)
      ? await import('gpt-tokenizer/encoding/cl100k_base')
      : await import('gpt-tokenizer/encoding/o200k_base');
    // Names of special tokens in a prompt are plain text to the model.
    return (text) => countTokens(text, { disallowedSpecial: new Set() });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return null;
  }
}

/** The tokens of a request's prompt. Images and sounds are not counted. */
export function promptTokens(body: Readonly<Record<string, unknown>>, count: CountTokens): number {
  let tokens = TOKENS_OF_MESSAGE * itemsOf(body.messages).length;
  for (const field of PROMPT_FIELDS) for (const text of textsIn(body[field])) tokens += count(text);
  return tokens;
}

function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    if (!value.startsWith('data:')) yield value;
  } else if (Array.isArray(value)) {
    for (const each of value as unknown[]) yield* textsIn(each);
  } else if (typeof value === 'object' && value !== null) {
    const { type, data } = value as { readonly type?: unknown; readonly data?: unknown };
    const isSchema = type === 'function' || type === 'json_schema';
    if (isSchema) yield JSON.stringify(value);
    else if (data === undefined) {
      for (const [name, each] of Object.entries(value)) if (!NO_TEXT.has(name)) yield* textsIn(each);
    }
  }
}
