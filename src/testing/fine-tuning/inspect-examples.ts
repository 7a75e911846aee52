import { countTokens, textOf } from '../batches/prompt.js';
import { parseObject, type JsonObject } from '../json-body.js';
import { readLines } from '../jsonl-lines.js';
import type { MethodType } from './hyperparameters.js';

/** The `error` of a failed job. */
export interface JobError {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
}

export interface ExampleFile {
  readonly examples: number;
  readonly tokens: number;
  readonly error: JobError | undefined;
}

export interface ExampleRules {
  readonly method: MethodType;
  readonly model: string;
  readonly param: 'training_file' | 'validation_file';
  /** Fewer are refused. */
  readonly minExamples: number;
}

/** Reads a training or validation file and stops at the first example that is wrong. */
export async function inspectExamples(path: string, rules: ExampleRules): Promise<ExampleFile> {
  const check = checkerOf(rules);
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
    const fault = check(example);
    if (fault !== undefined) return refused('invalid_file_format', `${INVALID} Example ${line.number} ${fault}.`);
    examples += 1;
    tokens += countTokens(textOf(Object.values(example)));
  }
  if (examples < rules.minExamples) {
    const what = rules.param === 'training_file' ? 'Training' : 'Validation';
    return refused(
      'invalid_n_examples',
      `${what} file has ${examples} example(s), but must have at least ${rules.minExamples} examples`,
    );
  }
  return { examples, tokens, error: undefined };
}

const INVALID = 'The job failed due to an invalid file. Invalid file format.';

type Checker = (example: JsonObject) => string | undefined;

function checkerOf({ method, model }: ExampleRules): Checker {
  if (method === 'dpo') return checkPreference;
  if (method === 'reinforcement') return checkPrompt;
  return /^(babbage|davinci)-002/u.test(model) ? checkCompletion : checkChat;
}

const checkChat: Checker = ({ messages }) => {
  const fault = checkMessages(messages);
  if (fault !== undefined) return fault;
  const roles = (messages as JsonObject[]).map(({ role }) => role);
  return roles.includes('assistant') ? undefined : 'must have at least one message from the assistant';
};

const checkPrompt: Checker = ({ messages }) => {
  const fault = checkMessages(messages);
  if (fault !== undefined) return fault;
  return (messages as JsonObject[]).at(-1)?.role === 'user' ? undefined : 'must end with a message from the user';
};

const checkPreference: Checker = (example) => {
  const input = example.input as JsonObject | undefined;
  const fault = checkMessages(input?.messages);
  if (fault !== undefined) return `input ${fault}`;
  for (const name of ['preferred_output', 'non_preferred_output']) {
    const output = checkMessages(example[name]);
    if (output !== undefined) return `${name} ${output}`;
  }
  return undefined;
};

const checkCompletion: Checker = ({ prompt, completion }) =>
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
    // The marker of the API's own tokenizer, refused in the field with these words.
    if (typeof content === 'string' && content.includes('<|endoftext|>')) return 'message contains an invalid token';
  }
  return undefined;
}
