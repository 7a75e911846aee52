import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { all, chunks, textOf } from '../../support/streams.js';
import { FUZZ_RUNS } from '../../support/fuzz.js';
import { outside, refusal, sandboxWithLinks, type Sandbox } from '../../support/storage.js';

let box: Sandbox;
beforeAll(async () => {
  box = await sandboxWithLinks();
});
afterAll(() => box.remove());

/** Parts of URIs that have led programs astray. */
// prettier-ignore
const HOSTILE = [
  '..', '.', '%2e', '%2E', '%2f', '%5c', '\\', '/', '//', 'link', 'up', 'filelink', 'dangling', 'inner', 'data', 'data-evil',
  'secret', 'outside', '%00', '\0', '%', '?', '#', '@', ':', '|', 'C:', '\n', ' ', 'é', '\uD800', '~', '%252e%252e', '%c0%ae',
  '．．', 'localhost', 'file:', 'file://', 's3://', 'f.jsonl',
];

describe('properties', () => {
  const piece = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 4 }));
  const path = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
  const slashed = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('/'));
  const prefix = fc.constantFrom('root/', 'root', 'base/', 'file:///', 'file:', '');
  const uri = fc.tuple(prefix, fc.oneof(path, slashed)).map(([start, rest]) => {
    const base = pathToFileURL(box.base).href;
    return start.replace(/^root/, `${base}/data`).replace(/^base/, base) + rest;
  });

  it('storage: any URI → no write, delete or read outside the roots, and no other error', async () => {
    const before = await outside(box);
    await fc.assert(
      fc.asyncProperty(uri, async (hostile) => {
        await refusal(() => box.storage.write(hostile, chunks('escaped')));
        await refusal(() => box.storage.delete(hostile));
        await refusal(() => box.storage.stat(hostile));
        await refusal(() => all(box.storage.list(hostile)));
        await refusal(async () => {
          expect(await textOf(box.storage.read(hostile))).not.toContain('secret');
        });
      }),
      { numRuns: FUZZ_RUNS },
    );
    const after = await outside(box);
    delete after[join(box.base, 'alias')];
    delete before[join(box.base, 'alias')];
    expect(after).toEqual(before);
  });

  it('resolve: any name → refused, or one name directly below the base', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(piece, path), async (name) => {
        let resolved = '';
        const code = await refusal(() => {
          resolved = box.storage.resolve(box.uri('real'), name);
        });
        if (code !== null) return;
        expect(resolved.startsWith(box.uri('real/'))).toBe(true);
        const rest = resolved.slice(box.uri('real/').length);
        expect(rest).not.toContain('/');
        expect(decodeURIComponent(rest)).toBe(name);
      }),
      { numRuns: FUZZ_RUNS },
    );
  });
});
