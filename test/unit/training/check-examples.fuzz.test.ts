import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkTrainingFile, type TrainingFileOptions } from '../../../src/training/check-examples.js';
import { FUZZ_RUNS } from '../../support/fuzz.js';
import { jsonl } from '../../support/samples.js';
import { bytesOf, cut } from '../../support/streams.js';

describe('the file', () => {
  it('training file: any JSON, by any method, cut in any places → the same report, never an exception', async () => {
    const names = ['messages', 'role', 'content', 'tools', 'tool_calls', 'input', 'preferred_output', 'weight', 'type'];
    const leaf = fc.oneof(
      fc.constantFrom<unknown>('user', 'assistant', 'tool', 'text', 'image_url', null, 0, 1, '', [], {}),
      fc.jsonValue({ maxDepth: 1 }),
    );
    const { node } = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 5, depthSize: 'small' },
        leaf,
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names), tie('node'), { maxKeys: 5 }),
      ),
    }));
    const method = fc.constantFrom('supervised', 'dpo', 'reinforcement');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(node, fc.string()), { maxLength: 5 }),
        method,
        fc.array(fc.nat(), { maxLength: 5 }),
        async (lines, chosen, places) => {
          const content = Buffer.from(jsonl(lines));
          const options: TrainingFileOptions = { method: chosen };
          const whole = await checkTrainingFile(bytesOf(content), options);
          expect(await checkTrainingFile(cut(content, places), options)).toEqual(whole);
          expect(whole.faults.total).toBeGreaterThan(0);
        },
      ),
      { numRuns: FUZZ_RUNS },
    );
  });
});
