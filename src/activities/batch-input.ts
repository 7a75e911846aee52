/** The pre-flight check of a batch: every line is read before anything is uploaded or created. */
import type { CheckBatchInputInput, CheckedInput } from '../contract/activities/batch.js';
import { invalidInput } from '../contract/failures.js';
import { jsonLines } from '../jsonl/json-lines.js';
import { checkBatchInput, type BatchInputReport } from '../requests/check-input.js';
import { providerApi } from './calls/provider-api.js';
import { openFile } from './calls/open-file.js';
import { untilCancelled, withHeartbeat } from './runtime/heartbeat.js';
import type { ActivityContext } from './runtime/context.js';

export function batchInputActivities(toolbox: ActivityContext) {
  const { storage } = toolbox;
  return {
    /** Checks every line; fails with `InvalidInput` and the first faults. Inline requests become a file in storage. */
    async checkBatchInput({ input, ...spec }: CheckBatchInputInput): Promise<CheckedInput> {
      const api = providerApi(toolbox, spec.provider);
      const check = (source: AsyncIterable<Uint8Array>) =>
        checkBatchInput(untilCancelled(source), { endpoint: spec.endpoint, limits: api.provider.batchLimits });
      return withHeartbeat(async () => {
        if ('fileId' in input) {
          const { content } = await openFile(api, input.fileId);
          // A provider need not give an input file back; then it checks the lines itself.
          if (!content) return { requests: null, model: null, fileId: input.fileId };
          const report = passed(await check(content));
          return { requests: report.requests, model: report.model, fileId: input.fileId };
        }
        const uri = 'uri' in input ? input.uri : await writeInline(input.requests, spec);
        const report = passed(await check(storage.read(uri, { reuse: true })));
        const { requests, model, bytes, sha256 } = report;
        return { requests, model, file: { uri, bytes, sha256 } };
      });
    },
  };

  async function writeInline(requests: readonly unknown[], spec: { outputUri: string | null; filename: string }) {
    const uri = storage.resolve(spec.outputUri ?? storage.defaultRoot, 'inputs', spec.filename);
    await storage.write(uri, jsonLines(requests));
    return uri;
  }
}

function passed(report: BatchInputReport): BatchInputReport {
  if (report.faults.total > 0) throw invalidInput(report.faults);
  return report;
}
