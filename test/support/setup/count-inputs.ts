/** Writes down how many inputs each property was given. Only for `npm run test:fuzz`. */
import { appendFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { inject } from 'vitest';

const file = inject('inputCounts');

fc.configureGlobal({
  reporter: (details: fc.RunDetails<unknown>) => {
    appendFileSync(file, `${details.numRuns}\n`);
    if (details.failed) throw new Error(fc.defaultReportMessage(details));
  },
});
