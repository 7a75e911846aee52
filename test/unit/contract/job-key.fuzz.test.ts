import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { jobKeyOf, jobOwnerOf } from '../../../src/contract/job-key.js';
import { METADATA_LIMITS } from '../../../src/contract/limits.js';
import { RUNS, anyText } from '../../support/fuzz.js';

/** As Temporal has them: a namespace has no slash, a run id is a UUID, a workflow id is any text. */
const namespace = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/);
const runId = fc.uuid();
const workflowId = fc.oneof(
  fc.string({ minLength: 1, maxLength: 200 }),
  fc.array(fc.stringMatching(/^[a-z]{0,8}$/), { maxLength: 20 }).map((parts) => parts.join('/')),
);

test('job key: any owner whose ids fit → the same owner back', () => {
  fc.assert(
    fc.property(fc.record({ cluster: fc.uuid(), namespace, workflowId, runId }), (owner) => {
      fc.pre(owner.workflowId.isWellFormed());
      expect(jobOwnerOf(jobKeyOf(owner))).toEqual(owner);
    }),
    RUNS,
  );
});

test('job key: ids of any length and content → at most 512 characters, well-formed, and the run id whole', () => {
  const long = fc.tuple(anyText, fc.integer({ min: 1, max: 300 })).map(([text, times]) => text.repeat(times));
  fc.assert(
    fc.property(fc.oneof(namespace, fc.stringMatching(/^[a-z]{100,400}$/)), long, runId, (space, id, run) => {
      const key = jobKeyOf({ cluster: '-', namespace: space, workflowId: id, runId: run });
      expect(key.length).toBeLessThanOrEqual(METADATA_LIMITS.valueLength);
      expect(key.isWellFormed()).toBe(true);
      expect(jobOwnerOf(key)?.runId).toBe(run);
      // What the provider sends back compares equal.
      expect(JSON.parse(Buffer.from(JSON.stringify({ key })).toString('utf8'))).toEqual({ key });
    }),
    RUNS,
  );
});
