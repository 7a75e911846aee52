import { isObject, mustBe } from '../jsonl/json-value.js';

/** Reports a fault of an example: the path of the field, and what is wrong with it. */
export type ReportFault = (field: string, message: string) => void;

type Example = Record<string, unknown>;

/** A conversation, whose assistant messages are what the model learns. */
export function checkSupervisedExample(example: Example, report: ReportFault): void {
  if (example.messages === undefined && 'prompt' in example && 'completion' in example) {
    report('messages', 'missing; only babbage-002 and davinci-002 are trained with pairs of prompt and completion');
    return;
  }
  const messages = checkMessages(example.messages, 'messages', SUPERVISED_ROLES, report);
  if (messages === null) return;
  const last = messages.at(-1);
  if (isObject(last) && last.role !== 'assistant') {
    report(`messages[${messages.length - 1}].role`, 'must be "assistant": an example ends with the answer to learn');
  }
  checkTools(example, '', report);
}

/** A prompt with a preferred answer and one that is not preferred. */
export function checkDpoExample(example: Example, report: ReportFault): void {
  const { input } = example;
  if (isObject(input)) {
    checkMessages(input.messages, 'input.messages', SUPERVISED_ROLES, report);
    checkTools(input, 'input.', report);
  } else report('input', mustBe('an object with messages', input));
  for (const field of ['preferred_output', 'non_preferred_output']) {
    checkMessages(example[field], field, ['assistant'], report);
  }
}

/** A prompt whose answers are judged by a grader. */
export function checkReinforcementExample(example: Example, report: ReportFault): void {
  const messages = checkMessages(example.messages, 'messages', REINFORCEMENT_ROLES, report);
  if (messages === null) return;
  const last = messages.at(-1);
  if (isObject(last) && last.role !== 'user') {
    report(
      `messages[${messages.length - 1}].role`,
      'must be "user": an example for reinforcement ends with the prompt',
    );
  }
  checkTools(example, '', report);
}

/** A pair of the completions API. */
export function checkCompletionExample(example: Example, report: ReportFault): void {
  for (const field of ['prompt', 'completion']) {
    const value = example[field];
    if (typeof value === 'string') continue;
    const hint = field === 'prompt' && 'messages' in example ? '; this model is trained with pairs, not messages' : '';
    report(field, `${mustBe('a string', value)}${hint}`);
  }
  if (example.completion === '') report('completion', 'must not be empty');
}

const SUPERVISED_ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];
const REINFORCEMENT_ROLES = ['system', 'developer', 'user', 'assistant', 'tool'];

/** Types of content parts by role; all other roles may only have text. */
const CONTENT_PARTS: Readonly<Record<string, readonly string[]>> = {
  user: ['text', 'image_url', 'input_audio', 'file'],
  assistant: ['text', 'refusal'],
};

/** Returns the messages if they are a non-empty list, otherwise null. */
function checkMessages(
  messages: unknown,
  field: string,
  roles: readonly string[],
  report: ReportFault,
): readonly unknown[] | null {
  if (!Array.isArray(messages) || messages.length === 0) {
    report(field, mustBe('a list of messages', messages));
    return null;
  }
  messages.forEach((message: unknown, index) => {
    const at = `${field}[${index}]`;
    if (!isObject(message)) report(at, mustBe('an object', message));
    else checkMessage(message, at, roles, report);
  });
  return messages;
}

function checkMessage(message: Example, at: string, roles: readonly string[], report: ReportFault): void {
  const role = message.role;
  if (typeof role !== 'string' || !roles.includes(role)) {
    const allowed = oneOf(roles);
    report(`${at}.role`, typeof role === 'string' ? `must be ${allowed}` : mustBe(allowed, role));
    return;
  }
  checkContent(message, role, at, report);
  checkToolCalls(message, role, at, report);
  const weight = message.weight;
  if (weight !== undefined && weight !== null) {
    if (role !== 'assistant') report(`${at}.weight`, 'only allowed in messages of the assistant');
    else if (weight !== 0 && weight !== 1) report(`${at}.weight`, 'must be 0 or 1');
  }
  if (role === 'tool' && !isName(message.tool_call_id)) {
    report(`${at}.tool_call_id`, mustBe('the id of a tool call', message.tool_call_id));
  }
  if (role === 'function' && !isName(message.name)) {
    report(`${at}.name`, mustBe('the name of the function', message.name));
  }
}

function checkContent(message: Example, role: string, at: string, report: ReportFault): void {
  const content = message.content;
  if (typeof content === 'string') return;
  if (content === undefined || content === null) {
    const mayBeAbsent =
      role === 'function' ||
      (role === 'assistant' && ['tool_calls', 'function_call', 'refusal'].some((other) => isPresent(message[other])));
    if (!mayBeAbsent) {
      const hint = role === 'assistant' ? ', unless the message calls a tool' : '';
      report(`${at}.content`, `${mustBe('a string or a list of parts', content)}${hint}`);
    }
    return;
  }
  if (!Array.isArray(content) || content.length === 0) {
    report(`${at}.content`, mustBe('a string or a list of parts', content));
    return;
  }
  const types = CONTENT_PARTS[role] ?? ['text'];
  content.forEach((part: unknown, index) => checkPart(part, types, `${at}.content[${index}]`, report));
}

function checkPart(part: unknown, types: readonly string[], at: string, report: ReportFault): void {
  if (!isObject(part)) {
    report(at, mustBe('an object', part));
    return;
  }
  const type = part.type;
  if (typeof type !== 'string' || !types.includes(type)) {
    report(`${at}.type`, `must be ${oneOf(types)}`);
    return;
  }
  // The value is in the field named like the type: `text` is a string, `image_url` an object.
  const value = part[type];
  if (type === 'text' || type === 'refusal') {
    if (typeof value !== 'string') report(`${at}.${type}`, mustBe('a string', value));
  } else if (!isObject(value)) {
    report(`${at}.${type}`, mustBe('an object', value));
  } else if (type === 'image_url' && !isName(value.url)) {
    report(`${at}.image_url.url`, mustBe('a URL', value.url));
  }
}

function checkToolCalls(message: Example, role: string, at: string, report: ReportFault): void {
  const calls = message.tool_calls;
  if (!isPresent(calls)) return;
  if (role !== 'assistant') {
    report(`${at}.tool_calls`, 'only allowed in messages of the assistant');
    return;
  }
  if (!Array.isArray(calls) || calls.length === 0) {
    report(`${at}.tool_calls`, mustBe('a list of calls', calls));
    return;
  }
  calls.forEach((call: unknown, index) => {
    const path = `${at}.tool_calls[${index}]`;
    if (!isObject(call)) {
      report(path, mustBe('an object', call));
      return;
    }
    if (!isName(call.id)) report(`${path}.id`, mustBe('a non-empty string', call.id));
    if (call.type === 'custom') return;
    const called = call.function;
    if (!isObject(called) || !isName(called.name) || typeof called.arguments !== 'string') {
      report(`${path}.function`, 'must have a name, and arguments as a string of JSON');
    }
  });
}

function checkTools(holder: Example, path: string, report: ReportFault): void {
  const tools = holder.tools;
  if (!isPresent(tools)) return;
  if (!Array.isArray(tools)) {
    report(`${path}tools`, mustBe('a list', tools));
    return;
  }
  tools.forEach((tool: unknown, index) => {
    const described = isObject(tool) ? tool.function : undefined;
    if (!isObject(tool) || tool.type !== 'function' || !isObject(described) || !isName(described.name)) {
      report(`${path}tools[${index}]`, 'must be an object of type "function" whose function has a name');
    }
  });
}

function oneOf(names: readonly string[]): string {
  return names
    .map((name) => `"${name}"`)
    .join(', ')
    .replace(/, (?=[^,]*$)/, ' or ');
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
