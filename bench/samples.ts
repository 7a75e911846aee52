/** Requests of about a kilobyte and answers to them, the same each time. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';

export const MODEL = 'gpt-4o-mini';
const ENDPOINT = '/v1/chat/completions';

const WORDS =
  'the invoice of last month shows an amount that differs from what was agreed in the contract so please look at page two and tell whether it was paid already or has to be sent again with the right sum'.split(
    ' ',
  );

/** Mulberry32 */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const idOf = (number: number): string => `request-${String(number).padStart(7, '0')}`;

export class Samples {
  readonly #texts: string[];

  /** @param unicode whether texts have letters outside ASCII, so that lines cost more to decode */
  constructor(unicode: boolean) {
    const random = randomFrom(7);
    this.#texts = Array.from({ length: 997 }, () => {
      const words = Array.from({ length: 60 }, () => WORDS[Math.floor(random() * WORDS.length)]);
      return `${unicode ? 'Grüße, ' : ''}${words.join(' ')}.\n"Thanks"`;
    });
  }

  /** Line of the request, some 1,000 bytes. */
  request(number: number): string {
    return JSON.stringify({
      custom_id: idOf(number),
      method: 'POST',
      url: ENDPOINT,
      body: {
        model: MODEL,
        messages: [
          { role: 'system', content: 'You sort letters by what they ask for. Answer with one JSON object.' },
          { role: 'user', content: this.#text(number) },
          { role: 'assistant', content: '{"category":"invoice","urgent":false}' },
          { role: 'user', content: this.#text(number * 31 + 1) },
        ],
        temperature: 0.2,
        max_tokens: 400,
        response_format: { type: 'json_object' },
      },
    });
  }

  /** Result line of the request, some 1,000 bytes. */
  answer(number: number): string {
    return JSON.stringify({
      id: `batch_req_${number.toString(16).padStart(24, '0')}`,
      custom_id: idOf(number),
      response: {
        status_code: 200,
        request_id: `req_${number.toString(16).padStart(24, '0')}`,
        body: {
          id: `chatcmpl-${number.toString(36).padStart(24, '0')}`,
          object: 'chat.completion',
          created: 1_790_000_000,
          model: `${MODEL}-2024-07-18`,
          choices: [
            {
              index: 0,
              message: { role: 'assistant', content: this.#text(number * 17 + 3), refusal: null, annotations: [] },
              logprobs: null,
              finish_reason: 'stop',
            },
          ],
          usage: {
            prompt_tokens: 210 + (number % 17),
            completion_tokens: 80 + (number % 5),
            total_tokens: 290 + (number % 17) + (number % 5),
            prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
            completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
          },
          system_fingerprint: 'fp_0123456789',
        },
      },
      error: null,
    });
  }

  /** Result line of a request that was not answered, by its number: expired, or refused for the rate. */
  refusal(number: number): string {
    const isExpired = number % 2 === 0;
    return JSON.stringify({
      id: `batch_req_${number.toString(16).padStart(24, '0')}`,
      custom_id: idOf(number),
      response: isExpired
        ? null
        : { status_code: 429, request_id: null, body: { error: { message: 'Slow down.', code: 'rate_limit' } } },
      error: isExpired ? { code: 'batch_expired', message: 'This request could not be executed in time.' } : null,
    });
  }

  #text(number: number): string {
    return this.#texts[number % this.#texts.length]!;
  }
}

/** Writes the lines and returns their size in bytes. */
export async function writeLines(path: string, lines: Iterable<string>): Promise<number> {
  const file = createWriteStream(path, { highWaterMark: 1024 * 1024 });
  let bytes = 0;
  let block = '';
  const flush = async () => {
    const buffer = Buffer.from(block);
    bytes += buffer.length;
    block = '';
    if (!file.write(buffer)) await once(file, 'drain');
  };
  for (const line of lines) {
    block += `${line}\n`;
    if (block.length > 512 * 1024) await flush();
  }
  await flush();
  file.end();
  await once(file, 'close');
  return bytes;
}
