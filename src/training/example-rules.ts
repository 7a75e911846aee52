import { isObject, kindOf } from '../jsonl/parse-line.js';

/** Tells a fault of the example at hand: the path of the field, and what is wrong with it. */
export type TellFault = (field: string, message: string) => void;

type Example = Record<string, unknown>;

/** A conversation whose assistant messages are what the model is to learn. */
export function checkSupervisedExample(example: Example, fault: TellFault): void {
  if (example['messages'] === undefined && 'prompt' in example && 'completion' in example) {
    fault(
      'messages',
      'is missing: pairs of prompt and completion train only babbage-002 and davinci-002; use messages',
    );
    return;
  }
  const messages = checkMessages(example['messages'], 'messages', SUPERVISED_ROLES, fault);
  if (messages === null) return;
  const last = messages.at(-1);
  if (isObject(last) && last['role'] !== 'assistant') {
    fault(`messages[${messages.length - 1}].role`, 'must be "assistant": an example ends with the answer to be learnt');
  }
  checkTools(example, '', fault);
}

/** A prompt, an answer that is preferred and one that is not. */
export function checkDpoExample(example: Example, fault: TellFault): void {
  const input = example['input'];
  if (!isObject(input)) {
    fault('input', `is ${kindOf(input)}; must be an object with messages`);
  } else {
    checkMessages(input['messages'], 'input.messages', SUPERVISED_ROLES, fault);
    checkTools(input, 'input.', fault);
  }
  for (const field of ['preferred_output', 'non_preferred_output']) {
    checkMessages(example[field], field, ['assistant'], fault);
  }
}

/** A prompt that a grader judges the answers to. */
export function checkPromptExample(example: Example, fault: TellFault): void {
  const messages = checkMessages(example['messages'], 'messages', PROMPT_ROLES, fault);
  if (messages === null) return;
  const last = messages.at(-1);
  if (isObject(last) && last['role'] !== 'user') {
    fault(`messages[${messages.length - 1}].role`, 'must be "user": a prompt for reinforcement ends with the question');
  }
  checkTools(example, '', fault);
}

/** A pair of the completions API. */
export function checkCompletionExample(example: Example, fault: TellFault): void {
  for (const field of ['prompt', 'completion']) {
    const value = example[field];
    if (typeof value !== 'string') {
      const hint = field === 'prompt' && 'messages' in example ? ', since this model learns from pairs' : '';
      fault(field, `is ${kindOf(value)}; must be a string${hint}`);
    }
  }
  if (example['completion'] === '') fault('completion', 'is empty');
}

const SUPERVISED_ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];
const PROMPT_ROLES = ['system', 'developer', 'user', 'assistant', 'tool'];

/** Part types by role; roles that are not named take text alone. */
const CONTENT_PARTS: Readonly<Record<string, readonly string[]>> = {
  user: ['text', 'image_url', 'input_audio', 'file'],
  assistant: ['text', 'refusal'],
};

/** The messages when they are a list that is not empty, or null. */
function checkMessages(
  messages: unknown,
  field: string,
  roles: readonly string[],
  fault: TellFault,
): readonly unknown[] | null {
  if (!Array.isArray(messages) || messages.length === 0) {
    const is = Array.isArray(messages) ? 'is empty' : `is ${kindOf(messages)}`;
    fault(field, `${is}; must be a list of messages`);
    return null;
  }
  messages.forEach((message: unknown, index) => {
    const at = `${field}[${index}]`;
    if (!isObject(message)) fault(at, `is ${kindOf(message)}; must be an object`);
    else checkMessage(message, at, roles, fault);
  });
  return messages;
}

function checkMessage(message: Example, at: string, roles: readonly string[], fault: TellFault): void {
  const role = message['role'];
  if (typeof role !== 'string' || !roles.includes(role)) {
    const is = typeof role === 'string' ? 'is not a role' : `is ${kindOf(role)}`;
    fault(`${at}.role`, `${is}; must be ${oneOf(roles)}`);
    return;
  }
  checkContent(message, role, at, fault);
  checkToolCalls(message, role, at, fault);
  const weight = message['weight'];
  if (weight !== undefined && weight !== null) {
    if (role !== 'assistant') fault(`${at}.weight`, 'is allowed on messages of the assistant alone');
    else if (weight !== 0 && weight !== 1) fault(`${at}.weight`, 'must be 0 or 1');
  }
  if (role === 'tool' && !isName(message['tool_call_id'])) {
    fault(`${at}.tool_call_id`, `is ${kindOf(message['tool_call_id'])}; must be the id of the call that is answered`);
  }
  if (role === 'function' && !isName(message['name'])) {
    fault(`${at}.name`, `is ${kindOf(message['name'])}; must be the name of the function`);
  }
}

function checkContent(message: Example, role: string, at: string, fault: TellFault): void {
  const content = message['content'];
  if (typeof content === 'string') return;
  if (content === undefined || content === null) {
    const mayBeAbsent =
      role === 'function' ||
      (role === 'assistant' && ['tool_calls', 'function_call', 'refusal'].some((other) => present(message[other])));
    if (!mayBeAbsent) {
      const unless = role === 'assistant' ? ', unless the message calls a tool' : '';
      fault(`${at}.content`, `is ${kindOf(content)}; must be a string or a list of parts${unless}`);
    }
    return;
  }
  if (!Array.isArray(content) || content.length === 0) {
    const is = Array.isArray(content) ? 'is empty' : `is ${kindOf(content)}`;
    fault(`${at}.content`, `${is}; must be a string or a list of parts`);
    return;
  }
  const types = CONTENT_PARTS[role] ?? ['text'];
  content.forEach((part: unknown, index) => checkPart(part, types, `${at}.content[${index}]`, fault));
}

function checkPart(part: unknown, types: readonly string[], at: string, fault: TellFault): void {
  if (!isObject(part)) {
    fault(at, `is ${kindOf(part)}; must be an object`);
    return;
  }
  const type = part['type'];
  if (typeof type !== 'string' || !types.includes(type)) {
    fault(`${at}.type`, `must be ${oneOf(types)}`);
    return;
  }
  // Each part has its value in a field of its type's name: `text` a string, `image_url` an object.
  const value = part[type];
  if (type === 'text' || type === 'refusal') {
    if (typeof value !== 'string') fault(`${at}.${type}`, `is ${kindOf(value)}; must be a string`);
  } else if (!isObject(value)) {
    fault(`${at}.${type}`, `is ${kindOf(value)}; must be an object`);
  } else if (type === 'image_url' && !isName(value['url'])) {
    fault(`${at}.image_url.url`, `is ${kindOf(value['url'])}; must be a URL`);
  }
}

function checkToolCalls(message: Example, role: string, at: string, fault: TellFault): void {
  const calls = message['tool_calls'];
  if (!present(calls)) return;
  if (role !== 'assistant') {
    fault(`${at}.tool_calls`, 'is allowed on messages of the assistant alone');
    return;
  }
  if (!Array.isArray(calls) || calls.length === 0) {
    fault(`${at}.tool_calls`, `is ${Array.isArray(calls) ? 'empty' : kindOf(calls)}; must be a list of calls`);
    return;
  }
  calls.forEach((call: unknown, index) => {
    const path = `${at}.tool_calls[${index}]`;
    if (!isObject(call)) {
      fault(path, `is ${kindOf(call)}; must be an object`);
      return;
    }
    if (!isName(call['id'])) fault(`${path}.id`, `is ${kindOf(call['id'])}; must be a string that is not empty`);
    if (call['type'] === 'custom') return;
    const called = call['function'];
    if (!isObject(called) || !isName(called['name']) || typeof called['arguments'] !== 'string') {
      fault(`${path}.function`, 'must have a name and its arguments as a string of JSON');
    }
  });
}

function checkTools(holder: Example, path: string, fault: TellFault): void {
  const tools = holder['tools'];
  if (!present(tools)) return;
  if (!Array.isArray(tools)) {
    fault(`${path}tools`, `is ${kindOf(tools)}; must be a list`);
    return;
  }
  tools.forEach((tool: unknown, index) => {
    const described = isObject(tool) ? tool['function'] : undefined;
    if (!isObject(tool) || tool['type'] !== 'function' || !isObject(described) || !isName(described['name'])) {
      fault(`${path}tools[${index}]`, 'must be an object of type "function" whose function has a name');
    }
  });
}

function oneOf(names: readonly string[]): string {
  return names
    .map((name) => `"${name}"`)
    .join(', ')
    .replace(/, (?=[^,]*$)/, ' or ');
}

function present(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
