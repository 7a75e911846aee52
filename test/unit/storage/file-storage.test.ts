import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { safeName, Storage, StorageError } from '../../../src/storage/index.js';
import { all, chunks, textOf } from '../../support/streams.js';
import { refusal, sandbox } from '../../support/storage.js';

let box: Awaited<ReturnType<typeof sandbox>>;
beforeEach(async () => {
  box = await sandbox();
});
afterEach(() => box.remove());

describe('write', () => {
  it('write: strings and bytes in folders that do not exist → the file, with size, lines and hash', async () => {
    const content = 'one\ntwo €\nthree';
    const ref = await box.storage.write(box.uri('a/b/c.jsonl'), chunks('one\n', '', Buffer.from('two €\nth'), 'ree'));
    expect(ref).toEqual({
      uri: box.uri('a/b/c.jsonl'),
      bytes: Buffer.byteLength(content),
      lines: 3,
      sha256: createHash('sha256').update(content).digest('hex'),
    });
    expect(await readFile(join(box.root, 'a/b/c.jsonl'), 'utf8')).toBe(content);
  });

  it.each([
    ['', 0],
    ['\n', 1],
    ['a', 1],
    ['a\n', 1],
    ['a\n\nb\n', 3],
  ])('write: %j → %d lines', async (content, lines) => {
    expect((await box.storage.write(box.uri('f'), chunks(content))).lines).toBe(lines);
  });

  it('write: a source that throws → its own error, the former file, and nothing half-written', async () => {
    await box.storage.write(box.uri('f'), chunks('former'));
    const broken = new Error('connection reset');
    const source = (async function* () {
      yield Buffer.alloc(1_000_000, 'x');
      throw broken;
    })();
    await expect(box.storage.write(box.uri('f'), source)).rejects.toBe(broken);
    expect(await readFile(join(box.root, 'f'), 'utf8')).toBe('former');
    expect(await readdir(box.root)).toEqual(['f']);
  });

  it('write: not complete yet → absent by name and from the list', async () => {
    const source = (async function* () {
      yield Buffer.alloc(1_000_000, 'x');
      expect(await box.storage.stat(box.uri('f'))).toBeNull();
      expect(await all(box.storage.list(box.uri('')))).toEqual([]);
      expect(await readdir(box.root)).toHaveLength(1);
      yield 'y';
    })();
    await box.storage.write(box.uri('f'), source);
    expect(await readdir(box.root)).toEqual(['f']);
  });

  it('write: leftovers of a dead worker → removed after a day, a younger one stays', async () => {
    const old = join(box.root, '.llm-jobs-00000000-0000-0000-0000-000000000000.part');
    const young = join(box.root, '.llm-jobs-11111111-1111-1111-1111-111111111111.part');
    await Promise.all([writeFile(old, ''), writeFile(young, '')]);
    await utimes(old, 1, 1);
    await box.storage.write(box.uri('f'), chunks('x'));
    expect((await readdir(box.root)).toSorted()).toEqual([young.slice(box.root.length + 1), 'f']);
  });

  it('write: two concurrent ones of the same name → one of them complete', async () => {
    const contents = ['a', 'b'].map((letter) => letter.repeat(700_000));
    await Promise.all(contents.map((content) => box.storage.write(box.uri('f'), chunks(content))));
    expect(contents).toContain(await readFile(join(box.root, 'f'), 'utf8'));
  });

  it('write: a name of 255 bytes → written', async () => {
    const name = 'n'.repeat(255);
    await box.storage.write(box.uri(name), chunks('x'));
    expect(await readdir(box.root)).toEqual([name]);
  });

  it('write: a root that does not exist yet → made', async () => {
    const storage = new Storage({ roots: [`${pathToFileURL(box.base).href}/new/root`] });
    await storage.write(storage.resolve(storage.defaultRoot, 'f'), chunks('x'));
    expect(await readFile(join(box.base, 'new/root/f'), 'utf8')).toBe('x');
  });

  it('write: a folder of that name, or a file in place of a folder → NotAFile', async () => {
    await mkdir(join(box.root, 'folder'));
    await writeFile(join(box.root, 'file'), '');
    expect(await refusal(() => box.storage.write(box.uri('folder'), chunks('x')))).toBe('NotAFile');
    expect(await refusal(() => box.storage.write(box.uri('file/below'), chunks('x')))).toBe('NotAFile');
    expect(await refusal(() => box.storage.write(box.uri('slash/'), chunks('x')))).toBe('NotAFile');
    expect(await refusal(() => box.storage.write(box.uri(''), chunks('x')))).toBe('NotAFile');
  });
});

describe('read, stat, delete', () => {
  it('read: from an offset, at and beyond the end → the rest of the bytes', async () => {
    const content = Buffer.alloc(700_000, 'abcdefg');
    await writeFile(join(box.root, 'f'), content);
    for (const start of [0, 1, 262_144, 699_999, 700_000, 900_000]) {
      expect(await textOf(box.storage.read(box.uri('f'), { start }))).toBe(content.subarray(start).toString());
    }
  });

  it.each([true, false])(
    'read: memory reused: %s → the same bytes, each chunk until the next is read',
    async (reuse) => {
      const content = Buffer.from(Array.from({ length: 300_000 }, (_, at) => `${at}\n`).join(''));
      await writeFile(join(box.root, 'f'), content);
      const memory = new Set<ArrayBufferLike>();
      let at = 7;
      for await (const chunk of box.storage.read(box.uri('f'), { start: at, reuse })) {
        memory.add(chunk.buffer);
        expect(content.subarray(at, at + chunk.length).equals(chunk)).toBe(true);
        at += chunk.length;
      }
      expect(at).toBe(content.length);
      expect(memory.size).toBe(reuse ? 2 : 8);
    },
  );

  it('read: left early → ends, and the file can be removed', async () => {
    await writeFile(join(box.root, 'f'), Buffer.alloc(1_000_000));
    for await (const chunk of box.storage.read(box.uri('f'))) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await box.storage.delete(box.uri('f'));
    expect(await box.storage.stat(box.uri('f'))).toBeNull();
  });

  it('read: nothing there → NotFound; a folder → NotAFile', async () => {
    await mkdir(join(box.root, 'folder'));
    expect(await refusal(() => textOf(box.storage.read(box.uri('nothing'))))).toBe('NotFound');
    expect(await refusal(() => textOf(box.storage.read(box.uri('folder'))))).toBe('NotAFile');
  });

  it('stat: a file → size and time in whole seconds; a folder → NotAFile', async () => {
    await writeFile(join(box.root, 'f'), 'four');
    await utimes(join(box.root, 'f'), 1_700_000_000, 1_700_000_000);
    const info = { uri: box.uri('f'), bytes: 4, modifiedAt: 1_700_000_000 };
    expect(await box.storage.stat(box.uri('f'))).toEqual(info);
    await mkdir(join(box.root, 'folder'));
    expect(await refusal(() => box.storage.stat(box.uri('folder')))).toBe('NotAFile');
  });

  it('delete: nothing there → fine; a folder → NotAFile', async () => {
    await mkdir(join(box.root, 'folder'));
    await box.storage.delete(box.uri('nothing'));
    expect(await refusal(() => box.storage.delete(box.uri('folder')))).toBe('NotAFile');
  });
});

/** What a prefix lists, as paths below the root. */
async function paths(prefix: string): Promise<string[]> {
  const listed = await all(box.storage.list(box.uri(prefix)));
  return listed.map(({ uri }) => decodeURIComponent(uri.slice(box.uri('').length)));
}

describe('list', () => {
  it('list: a prefix → all whose path begins so, by the bytes of the path, names encoded', async () => {
    const names = ['in/b', 'in/a b%.jsonl', 'in/é', 'in-2', 'in.x', 'in/sub/deep/z', 'other'];
    for (const name of names) {
      await box.storage.write(box.storage.resolve(box.storage.defaultRoot, ...name.split('/')), chunks(name));
    }
    expect(await paths('in')).toEqual(['in-2', 'in.x', 'in/a b%.jsonl', 'in/b', 'in/sub/deep/z', 'in/é']);
    expect(await paths('in/')).toEqual(['in/a b%.jsonl', 'in/b', 'in/sub/deep/z', 'in/é']);
    expect(await paths('in/s')).toEqual(['in/sub/deep/z']);
    expect(await paths('nothing/')).toEqual([]);
    for (const { uri, bytes } of await all(box.storage.list(box.uri('')))) {
      expect(Buffer.byteLength(await textOf(box.storage.read(uri)))).toBe(bytes);
    }
  });

  it('list: the root without its slash → the root, not its siblings', async () => {
    await mkdir(join(box.base, 'data-evil'));
    await writeFile(join(box.base, 'data-evil/f'), '');
    await writeFile(join(box.root, 'f'), '');
    const listed = await all(box.storage.list(pathToFileURL(box.root).href));
    expect(listed.map(({ uri }) => uri)).toEqual([box.uri('f')]);
  });

  it('list: links to files outside, to folders and to nothing → passed over', async () => {
    await writeFile(join(box.base, 'secret'), '');
    await mkdir(join(box.root, 'folder'));
    await writeFile(join(box.root, 'folder/f'), '');
    await symlink(join(box.base, 'secret'), join(box.root, 'outside'));
    await symlink(join(box.root, 'folder'), join(box.root, 'loop'));
    await symlink(join(box.root, 'none'), join(box.root, 'dangling'));
    await symlink(join(box.root, 'folder/f'), join(box.root, 'inside'));
    const listed = await all(box.storage.list(box.uri('')));
    expect(listed.map(({ uri }) => uri)).toEqual([box.uri('folder/f'), box.uri('inside')]);
  });
});

describe('names', () => {
  it('resolve: segments → encoded below the base, and back again', async () => {
    const name = 'a b%2e%2e?#é…';
    const uri = box.storage.resolve(box.storage.defaultRoot, 'runs', name);
    await box.storage.write(uri, chunks('x'));
    expect(await readdir(join(box.root, 'runs'))).toEqual([name]);
  });

  it.each(['', '.', '..', '../x', 'a/b', 'a\\b', 'a\0b', 'a\nb', '\uD800'])('resolve: %j → BadUri', async (name) => {
    expect(await refusal(() => box.storage.resolve(box.storage.defaultRoot, name))).toBe('BadUri');
  });

  it('safeName: any text → one usable name, different for different texts', () => {
    const texts = ['batch_123', 'a/b', 'a-b', 'a\\b', '..', '.', '', '.hidden', 'x'.repeat(400), 'x'.repeat(401), 'é'];
    texts.push('Batch_123', 'BATCH_123', 'a.', 'a', 'con', 'nul.txt', 'COM1', 'a ', 'x'.repeat(120), 'x'.repeat(119));
    // The names of others, as texts.
    texts.push(...texts.map((text) => safeName(text)).filter((name) => !texts.includes(name)));
    const names = texts.map((text) => safeName(text));
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(texts.length);
    expect(names[0]).toBe('batch_123');
    for (const name of names) {
      expect(name.length).toBeLessThanOrEqual(150);
      expect(name).not.toMatch(/^(con|nul|com1)(\.|$)|[. ]$/i);
    }
    for (const name of names) expect(() => box.storage.resolve(box.storage.defaultRoot, name)).not.toThrow();
  });
});

describe('new files and folders', () => {
  it('permissions → what the umask leaves', async () => {
    const umask = process.umask();
    await box.storage.write(box.uri('new/folder/f'), chunks('x'));
    expect((await stat(join(box.root, 'new/folder/f'))).mode & 0o777).toBe(0o666 & ~umask);
    expect((await stat(join(box.root, 'new/folder'))).mode & 0o777).toBe(0o777 & ~umask);
  });
});

describe('StorageError', () => {
  it('message: an endless URI with credentials and a signature → bounded, and neither shown', async () => {
    const uris = [
      `file:///${'x'.repeat(10_000)}`,
      's3://key:hunter2@bucket/x',
      `${box.uri('f')}?X-Amz-Signature=hunter2`,
      'https://user:hunter2@host/x',
    ];
    for (const uri of uris) {
      const error = await box.storage.stat(uri).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof StorageError)) throw new Error('not refused');
      expect(error.message.length).toBeLessThan(1_000);
      expect(error.message + error.uri).not.toContain('hunter2');
      expect(error.retryable).toBe(false);
    }
  });

  it('message: outside of many roots → names the URI and the first roots', async () => {
    const roots = Array.from({ length: 40 }, (_, index) => `file:///roots/${index}/`);
    const storage = new Storage({ roots });
    const error = await storage.stat('file:///other/f').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'StorageError', code: 'OutsideRoots', uri: 'file:///other/f' });
    expect(String(error)).toContain('file:///roots/0/');
    expect(String(error)).toContain('and 35 more');
  });

  it('roots: a scheme without a backend → UnsupportedScheme from the constructor', async () => {
    expect(await refusal(() => new Storage({ roots: ['gs://bucket/prefix'] }))).toBe('UnsupportedScheme');
    expect(await refusal(() => box.storage.stat('gs://bucket/x'))).toBe('UnsupportedScheme');
  });
});
