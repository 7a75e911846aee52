/** About four characters a token, and at least one token: usage only has to be plausible. */
export function countTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** The text of a request that counts as its prompt. */
export function promptOf(endpoint: string, body: Record<string, unknown>): string {
  switch (endpoint) {
    case '/v1/chat/completions':
      return textOf(body.messages);
    case '/v1/responses':
      return [textOf(body.instructions), textOf(body.input)].filter((text) => text !== '').join('\n');
    case '/v1/completions':
    case '/v1/images/generations':
    case '/v1/images/edits':
    case '/v1/videos':
      return textOf(body.prompt);
    default:
      return textOf(body.input);
  }
}

/** All text in strings, message lists and content parts. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) {
    return value
      .map(textOf)
      .filter((text) => text !== '')
      .join('\n');
  }
  if (typeof value !== 'object' || value === null) return '';
  const { content, text, input } = value as Record<string, unknown>;
  return textOf(content ?? text ?? input);
}

/** The text that the answer replies to: the last message, or the whole prompt. */
export function questionOf(endpoint: string, body: Record<string, unknown>): string {
  const list = endpoint === '/v1/chat/completions' ? body.messages : body.input;
  if (Array.isArray(list) && endpoint !== '/v1/embeddings') return textOf(list.at(-1));
  return promptOf(endpoint, body);
}
