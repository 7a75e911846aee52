import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeEachBackend } from '../../support/each-backend.js';
import { fuzzRuns } from '../../support/fuzz.js';
import { refusal } from '../../support/storage.js';
import { all, chunks } from '../../support/streams.js';

await describeEachBackend((backend) => {
  it('names: any that resolve takes → one object of that name', async () => {
    const base = backend.newUri();
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(name, async (text) => {
        let uri = '';
        if ((await refusal(() => (uri = backend.storage.resolve(base, text)))) !== null) return;
        await backend.storage.write(uri, chunks('x'));
        const listed = await all(backend.storage.list(`${base}/`));
        await backend.storage.delete(uri);
        expect(listed.map((info) => decodeURIComponent(info.uri.slice(base.length + 1)))).toEqual([text]);
      }),
      { numRuns: Math.min(fuzzRuns(100), 100) },
    );
  });
});
