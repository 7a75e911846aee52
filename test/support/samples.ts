/** Small inputs for tests. */

/** One request for `/v1/chat/completions`. */
export function chatRequest(index: number, body: Record<string, unknown> = {}) {
  return {
    custom_id: `request-${index}`,
    method: 'POST' as const,
    url: '/v1/chat/completions',
    body: { model: 'gpt-4o-mini', messages: [{ role: 'user', content: `Name the number ${index}.` }], ...body },
  };
}

export function chatRequests(count: number) {
  return Array.from({ length: count }, (_, index) => chatRequest(index));
}

/** One supervised example. */
export function chatExample(index: number) {
  return {
    messages: [
      { role: 'system', content: 'You translate numbers to words.' },
      { role: 'user', content: `${index}` },
      { role: 'assistant', content: `This is number ${index}.` },
    ],
  };
}

export function chatExamples(count: number) {
  return Array.from({ length: count }, (_, index) => chatExample(index));
}

export { jsonl } from '../../dev/stage/folder.js';
