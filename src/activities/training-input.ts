/** The pre-flight check of training and validation files. */
import type { CheckedTrainingFile, CheckTrainingFileInput } from '../contract/activities/fine-tuning.js';
import { invalidInput } from '../contract/failures.js';
import { checkTrainingFile } from '../training/check-examples.js';
import { providerApi } from './calls/provider-api.js';
import { openFile } from './calls/open-file.js';
import { untilCancelled, withHeartbeat } from './runtime/heartbeat.js';
import type { ActivityContext } from './runtime/context.js';

export function trainingInputActivities(toolbox: ActivityContext) {
  return {
    /** Checks every example by the method; fails with `InvalidInput` and the first faults. */
    async checkTrainingFile(input: CheckTrainingFileInput): Promise<CheckedTrainingFile> {
      const api = providerApi(toolbox, input.provider);
      return withHeartbeat(async () => {
        const { file } = input;
        const content =
          'fileId' in file
            ? (await openFile(api, file.fileId)).content
            : toolbox.storage.read(file.uri, { reuse: true });
        // A provider need not give a file back; then it checks the examples itself.
        if (!content) return { examples: null, fileId: 'fileId' in file ? file.fileId : '' };
        const report = await checkTrainingFile(untilCancelled(content), {
          method: input.method,
          role: input.role,
          model: input.model,
        });
        if (report.faults.total > 0) throw invalidInput(report.faults, `${input.role} file: `);
        const { examples, bytes, sha256 } = report;
        return 'fileId' in file
          ? { examples, fileId: file.fileId }
          : { examples, file: { uri: file.uri, bytes, sha256 } };
      });
    },
  };
}
