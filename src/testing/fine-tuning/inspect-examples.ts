import { countTokens, textOf } from '../batches/prompt.js';
import { isObject, type JsonObject } from '../body-params.js';
import { parseObject, readLines } from '../jsonl-lines.js';
import type { MethodType } from './hyperparameters.js';

/** The `error` of a failed fine-tuning job. */
export interface FineTuningError {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
}

export interface ExampleFile {
  readonly examples: number;
  readonly tokens: number;
  /** The first error; null for a valid file. */
  readonly error: FineTuningError | null;
}

export interface ExampleRules {
  readonly method: MethodType;
  readonly model: string;
  readonly param: 'training_file' | 'validation_file';
  readonly minExamples: number;
}

/** Checks a training or validation file up to its first invalid example. */
export async function inspectExamples(path: string, rules: ExampleRules): Promise<ExampleFile> {
  const check = exampleCheck(rules);
  let examples = 0;
  let tokens = 0;
  const refused = (code: string, message: string): ExampleFile => ({
    examples,
    tokens,
    error: { code, message, param: rules.param },
  });
  for await (const line of readLines(path)) {
    const example = parseObject(line.text);
    if (example === undefined) {
      return refused('invalid_file_format', `${INVALID} Line ${line.number} is not a valid JSON object.`);
    }
    const problem = check(example);
    if (problem !== undefined) return refused('invalid_file_format', `${INVALID} Example ${line.number} ${problem}.`);
    examples += 1;
    tokens += countTokens(textOf(Object.values(example)));
  }
  if (examples < rules.minExamples) {
    const kind = rules.param === 'training_file' ? 'Training' : 'Validation';
    return refused(
      'invalid_n_examples',
      `${kind} file has ${examples} example(s), but must have at least ${rules.minExamples} examples`,
    );
  }
  return { examples, tokens, error: null };
}

const INVALID = 'The job failed due to an invalid file. Invalid file format.';

/** Returns what is wrong with an example. */
type ExampleCheck = (example: JsonObject) => string | undefined;

function exampleCheck({ method, model }: ExampleRules): ExampleCheck {
  if (method === 'dpo') return checkPreference;
  if (method === 'reinforcement') return checkPrompt;
  return /^(babbage|davinci)-002/u.test(model) ? checkCompletion : checkChat;
}

const checkChat: ExampleCheck = ({ messages }) => {
  const problem = checkMessages(messages);
  if (problem !== undefined) return problem;
  const roles = (messages as JsonObject[]).map(({ role }) => role);
  return roles.includes('assistant') ? undefined : 'must have at least one message from the assistant';
};

const checkPrompt: ExampleCheck = ({ messages }) => {
  const problem = checkMessages(messages);
  if (problem !== undefined) return problem;
  return (messages as JsonObject[]).at(-1)?.role === 'user' ? undefined : 'must end with a message from the user';
};

const checkPreference: ExampleCheck = (example) => {
  const problem = checkMessages(isObject(example.input) ? example.input.messages : undefined);
  if (problem !== undefined) return `input ${problem}`;
  for (const name of ['preferred_output', 'non_preferred_output']) {
    const output = checkMessages(example[name]);
    if (output !== undefined) return `${name} ${output}`;
  }
  return undefined;
};

const checkCompletion: ExampleCheck = ({ prompt, completion }) =>
  typeof prompt === 'string' && typeof completion === 'string'
    ? undefined
    : "must have the strings 'prompt' and 'completion'";

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];

function checkMessages(messages: unknown): string | undefined {
  if (!Array.isArray(messages) || messages.length === 0) return "is missing the list 'messages'";
  for (const [index, message] of (messages as (JsonObject | null)[]).entries()) {
    if (!ROLES.includes(String(message?.role))) return `message ${index + 1} has no valid role`;
    const { content, tool_calls: toolCalls, function_call: functionCall } = message!;
    const hasContent = typeof content === 'string' || Array.isArray(content);
    if (!hasContent && toolCalls === undefined && functionCall === undefined) {
      return `message ${index + 1} is missing 'content'`;
    }
    // The API refuses the end marker of its tokenizer, with this message.
    if (typeof content === 'string' && content.includes('<|endoftext|>')) return 'message contains an invalid token';
  }
  return undefined;
}
