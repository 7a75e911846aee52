/** The activities of the timer loop: the same requests to the API as a simple program makes. */
import OpenAI, { toFile } from 'openai';
import { REQUEST } from './ways.js';

const ENDS: readonly string[] = ['completed', 'failed', 'expired', 'cancelled'];

export type TimerLoopActivities = ReturnType<typeof timerLoopActivities>;

export function timerLoopActivities({ url, apiKey }: { readonly url: string; readonly apiKey: string }) {
  const openai = new OpenAI({ apiKey, baseURL: url, logLevel: 'off' });
  return {
    async createBatch(): Promise<string> {
      const content = await toFile(Buffer.from(`${JSON.stringify(REQUEST)}\n`), 'requests.jsonl');
      const { id: inputFile } = await openai.files.create({ file: content, purpose: 'batch' });
      const { id } = await openai.batches.create({
        input_file_id: inputFile,
        endpoint: REQUEST.url,
        completion_window: '24h',
      });
      return id;
    },

    async hasEnded(id: string): Promise<boolean> {
      return ENDS.includes((await openai.batches.retrieve(id)).status);
    },

    async collect(id: string): Promise<number> {
      const { output_file_id: output } = await openai.batches.retrieve(id);
      return output ? (await (await openai.files.content(output)).text()).length : 0;
    },
  };
}
