import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Storage } from '../../../src/storage/index.js';
import { all, chunks, textOf } from '../../support/streams.js';
import { FUZZ_RUNS } from '../../support/fuzz.js';
import { refusal, sandbox } from '../../support/storage.js';

let box: Awaited<ReturnType<typeof sandbox>>;
beforeAll(async () => {
  box = await sandbox();
  await mkdir(join(box.base, 'data-evil'));
  await mkdir(join(box.base, 'outside'));
  await writeFile(join(box.base, 'secret'), 'secret');
  await writeFile(join(box.base, 'outside/secret'), 'secret');
  await symlink(join(box.base, 'outside'), join(box.root, 'link'));
  await symlink(join(box.base, 'secret'), join(box.root, 'filelink'));
  await symlink(join(box.base, 'not-yet'), join(box.root, 'dangling'));
  await symlink('..', join(box.root, 'up'));
  await mkdir(join(box.root, 'real'));
  await symlink(join(box.root, 'real'), join(box.root, 'inner'));
});
afterAll(() => box.remove());

/** All that lies beside the root, with its content. Not by a recursive `readdir`: that of Node 26 follows links, also in circles. */
async function outside(folder = box.base): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (path === box.root) continue;
    found[path] = entry.isFile() ? await readFile(path, 'utf8') : 'folder';
    if (entry.isDirectory()) Object.assign(found, await outside(path));
  }
  return found;
}

async function refusals(uri: string): Promise<(string | null)[]> {
  return [
    await refusal(() => box.storage.stat(uri)),
    await refusal(() => textOf(box.storage.read(uri))),
    await refusal(() => box.storage.write(uri, chunks('escaped'))),
    await refusal(() => all(box.storage.list(uri))),
    await refusal(() => box.storage.delete(uri)),
  ];
}

describe('a URI that leads out of the roots', () => {
  it.each([
    '../secret',
    'a/../../secret',
    '%2e%2e/secret',
    '%2E%2e/secret',
    '.%2e/secret',
    '..%2fsecret',
    'a%2f..%2f..%2fsecret',
    '..%5csecret',
    '..\\secret',
    'a\\..\\..\\secret',
    './f',
    'f%00.jsonl',
    'f\0',
    'f\n',
    '\t../secret',
    '.\t./secret',
    'f?x=1',
    'f#x',
    'f?',
    '%c0%ae%c0%ae/secret',
    '%ff',
    '%',
    'f ',
  ])('form: <root>/%j → BadUri for every operation', async (path) => {
    expect(await refusals(box.uri(path))).toEqual(Array.from({ length: 5 }, () => 'BadUri'));
  });

  it('form: other hosts, relative and unknown ones → BadUri', async () => {
    const path = `${box.root}/f`;
    for (const uri of [`file://evil${path}`, `file://user@localhost${path}`, `file:${path.slice(1)}`, '', 'f', path]) {
      expect(await refusals(uri)).toEqual(Array.from({ length: 5 }, () => 'BadUri'));
    }
  });

  it('place: a sibling whose name begins like the root, a parent, another root → OutsideRoots', async () => {
    const base = pathToFileURL(box.base).href;
    for (const uri of [
      `${base}/data-evil/f`,
      `${base}/data-evil`,
      `${base}/secret`,
      'file:///etc/passwd',
      'file:///',
    ]) {
      expect(await refusals(uri)).toEqual(Array.from({ length: 5 }, () => 'OutsideRoots'));
    }
  });

  it('links: to a folder outside, in any place of the path → OutsideRoots, and nothing is made there', async () => {
    const before = await outside();
    for (const path of ['link/secret', 'link/new', 'link/new/deep/f', 'up/secret', 'up/data/../x', 'inner/../link/f']) {
      for (const code of await refusals(box.uri(path))) expect(code).toMatch(/^(OutsideRoots|BadUri)$/);
    }
    expect(await outside()).toEqual(before);
  });

  it('links: to a file outside, or to nothing → OutsideRoots for reading and writing', async () => {
    const before = await outside();
    expect(await refusal(() => textOf(box.storage.read(box.uri('filelink'))))).toBe('OutsideRoots');
    expect(await refusal(() => box.storage.write(box.uri('filelink'), chunks('x')))).toBe('OutsideRoots');
    expect(await refusal(() => box.storage.write(box.uri('dangling'), chunks('x')))).toBe('OutsideRoots');
    expect(await refusal(() => box.storage.write(box.uri('dangling/f'), chunks('x')))).toBe('OutsideRoots');
    expect(await outside()).toEqual(before);
  });

  it('links: to a folder inside → followed', async () => {
    await box.storage.write(box.uri('inner/f'), chunks('x'));
    expect(await textOf(box.storage.read(box.uri('real/f')))).toBe('x');
  });

  it('roots: a root that is itself a link, with or without a slash → its files', async () => {
    await symlink(box.root, join(box.base, 'alias'));
    for (const root of ['alias', 'alias/']) {
      const storage = new Storage({ roots: [`${pathToFileURL(box.base).href}/${root}`] });
      const ref = await storage.write(storage.resolve(storage.defaultRoot, 'by-alias'), chunks('x'));
      expect(await textOf(storage.read(ref.uri))).toBe('x');
    }
  });
});

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
    const before = await outside();
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
    const after = await outside();
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
