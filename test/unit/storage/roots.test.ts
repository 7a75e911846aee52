import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Storage } from '../../../src/storage/index.js';
import { all, chunks, textOf } from '../../support/streams.js';
import { outside, refusal, sandboxWithLinks, type Sandbox } from '../../support/storage.js';

let box: Sandbox;
beforeAll(async () => {
  box = await sandboxWithLinks();
});
afterAll(() => box.remove());

async function refusals(uri: string): Promise<(string | null)[]> {
  return [
    await refusal(() => box.storage.stat(uri)),
    await refusal(() => textOf(box.storage.read(uri))),
    await refusal(() => box.storage.write(uri, chunks('escaped'))),
    await refusal(() => all(box.storage.list(uri))),
    await refusal(() => box.storage.delete(uri)),
  ];
}

describe('a URI outside the roots', () => {
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

  it('roots: a sibling whose name begins like the root, a parent, another root → OutsideRoots', async () => {
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

  it('links: to a folder outside, anywhere in the path → OutsideRoots, and nothing is created there', async () => {
    const before = await outside(box);
    for (const path of ['link/secret', 'link/new', 'link/new/deep/f', 'up/secret', 'up/data/../x', 'inner/../link/f']) {
      for (const code of await refusals(box.uri(path))) expect(code).toMatch(/^(OutsideRoots|BadUri)$/);
    }
    expect(await outside(box)).toEqual(before);
  });

  it('links: to a file outside, or to nothing → OutsideRoots for reading and writing', async () => {
    const before = await outside(box);
    expect(await refusal(() => textOf(box.storage.read(box.uri('filelink'))))).toBe('OutsideRoots');
    expect(await refusal(() => box.storage.write(box.uri('filelink'), chunks('x')))).toBe('OutsideRoots');
    expect(await refusal(() => box.storage.write(box.uri('dangling'), chunks('x')))).toBe('OutsideRoots');
    expect(await refusal(() => box.storage.write(box.uri('dangling/f'), chunks('x')))).toBe('OutsideRoots');
    expect(await outside(box)).toEqual(before);
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
