/** A file of requests of about 1 KB each, made once and kept. */
import { createWriteStream, existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { once } from 'node:events';

const WORDS = 'the harbour lamp waits while seven quiet boats drift under a wide and silver morning sky'.split(' ');

export async function writeRequests(path: string, count: number): Promise<void> {
  if (existsSync(path)) return;
  const file = createWriteStream(`${path}.part`, { highWaterMark: 1 << 20 });
  let text = '';
  for (let index = 0; index < count; index += 1) {
    const words = Array.from({ length: 130 }, (_, at) => WORDS[(index * 7 + at * at) % WORDS.length]).join(' ');
    const content = `${index}: ${words}`;
    const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content }], max_completion_tokens: 64 };
    text += `${JSON.stringify({ custom_id: `request-${index}`, method: 'POST', url: '/v1/chat/completions', body })}\n`;
    if (text.length < 1 << 20) continue;
    if (!file.write(text)) await once(file, 'drain');
    text = '';
  }
  file.end(text);
  await once(file, 'close');
  await rename(`${path}.part`, path);
}
