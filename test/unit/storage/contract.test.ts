/** What all backends have in common, tested on folders and on a real S3 server. */
import { createHash } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import type { Storage } from '../../../src/storage/index.js';
import { describeEachBackend } from '../../support/each-backend.js';
import { refusal } from '../../support/storage.js';
import { all, chunks, textOf } from '../../support/streams.js';

await describeEachBackend((backend) => {
  const { scheme, newUri } = backend;
  let storage: Storage;
  let root: string;
  beforeAll(() => {
    ({ storage, root } = backend);
  });

  async function paths(prefix: string, base: string): Promise<string[]> {
    const listed = await all(storage.list(prefix));
    return listed.map(({ uri }) => decodeURIComponent(uri.slice(base.length + 1)));
  }

  it('write: strings and bytes → the file, with size, lines and hash', async () => {
    const uri = storage.resolve(newUri(), 'a', 'b', 'c.jsonl');
    const content = 'one\ntwo €\nthree';
    const ref = await storage.write(uri, chunks('one\n', '', Buffer.from('two €\nth'), 'ree'));
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect(ref).toEqual({ uri, bytes: Buffer.byteLength(content), lines: 3, sha256 });
    expect(await textOf(storage.read(uri))).toBe(content);
    expect(await storage.stat(uri)).toEqual({ uri, bytes: ref.bytes, modifiedAt: expect.any(Number) });
  });

  it('write: nothing → an empty file', async () => {
    const uri = newUri();
    expect(await storage.write(uri, chunks())).toMatchObject({ bytes: 0, lines: 0 });
    expect(await storage.stat(uri)).toMatchObject({ bytes: 0 });
    expect(await textOf(storage.read(uri))).toBe('');
  });

  it('write: more than 20 MB → whole, byte by byte', async () => {
    const uri = newUri();
    const source = (async function* () {
      for (let index = 0; index < 22; index++) yield Buffer.alloc(1_000_003, `piece ${index} `);
    })();
    const ref = await storage.write(uri, source);
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of storage.read(uri)) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    expect({ bytes, sha256: hash.digest('hex') }).toEqual({ bytes: 22 * 1_000_003, sha256: ref.sha256 });
  });

  it.each([
    ['immediately', 0],
    ['after 1 MB', 1],
    ['after 20 MB', 20],
  ])('write: a source that throws %s → its own error, the former file, nothing new', async (_, megabytes) => {
    const base = newUri();
    const uri = storage.resolve(base, 'f');
    await storage.write(uri, chunks('former'));
    const broken = new Error('connection reset');
    const source = (async function* () {
      for (let index = 0; index < megabytes; index++) yield Buffer.alloc(1_000_000, 'x');
      throw broken;
    })();
    await expect(storage.write(uri, source)).rejects.toBe(broken);
    expect(await textOf(storage.read(uri))).toBe('former');
    expect(await paths(`${base}/`, base)).toEqual(['f']);
  });

  it('write: not complete yet → absent by name and from the list', async () => {
    const base = newUri();
    const uri = storage.resolve(base, 'f');
    const source = (async function* () {
      yield Buffer.alloc(9_000_000, 'x');
      expect(await storage.stat(uri)).toBeNull();
      expect(await all(storage.list(`${base}/`))).toEqual([]);
      yield 'y';
    })();
    await storage.write(uri, source);
    expect(await paths(`${base}/`, base)).toEqual(['f']);
  });

  it('write: five concurrent ones of the same name, small and large → one of them complete', async () => {
    const uri = newUri();
    const contents = ['a', 'b', 'c', 'd', 'e'].map((letter, index) => letter.repeat(index < 3 ? 700_000 : 9_000_000));
    await Promise.all(contents.map((content) => storage.write(uri, chunks(content))));
    const found = await textOf(storage.read(uri));
    expect(contents.some((content) => content === found)).toBe(true);
  });

  it('read: from an offset, at and beyond the end → the rest of the bytes', async () => {
    const uri = newUri();
    const content = Buffer.alloc(700_000, 'abcdefg');
    await storage.write(uri, chunks(content));
    for (const start of [0, 1, 262_144, 699_999, 700_000, 900_000]) {
      expect(await textOf(storage.read(uri, { start }))).toBe(content.subarray(start).toString());
    }
  });

  it('read: left early → ends, and the file can be removed', async () => {
    const uri = newUri();
    await storage.write(uri, chunks(Buffer.alloc(5_000_000)));
    for await (const chunk of storage.read(uri)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await storage.delete(uri);
    expect(await storage.stat(uri)).toBeNull();
  });

  it('read, stat, delete: nothing there → NotFound, null, fine', async () => {
    const uri = newUri();
    expect(await refusal(() => textOf(storage.read(uri)))).toBe('NotFound');
    expect(await storage.stat(uri)).toBeNull();
    await storage.delete(uri);
  });

  it('list: a prefix → all whose path begins so, in order, names encoded', async () => {
    const base = newUri();
    const names = ['in/b', 'in/a b%.jsonl', 'in/é', 'in/sub/deep/z', 'in2', 'other'];
    for (const name of names) await storage.write(storage.resolve(base, ...name.split('/')), chunks(name));
    const inside = ['in/a b%.jsonl', 'in/b', 'in/sub/deep/z', 'in/é'];
    expect(await paths(`${base}/in`, base)).toEqual([...inside, 'in2']);
    expect(await paths(`${base}/in/`, base)).toEqual(inside);
    expect(await paths(`${base}/in/s`, base)).toEqual(['in/sub/deep/z']);
    expect(await paths(`${base}/nothing/`, base)).toEqual([]);
    for (const { uri, bytes } of await all(storage.list(`${base}/`))) {
      expect(Buffer.byteLength(await textOf(storage.read(uri)))).toBe(bytes);
    }
  });

  it.each([
    'plus + and & = ; , :',
    '%41%2e%2e',
    'quotes \'"<>',
    '~tilde!*()[]{}|^`@$',
    'q?x#y',
    'no-break and ａ wide',
    '日本/…/ x',
    'emoji 😀',
    '.hidden/..x/x..',
    'n'.repeat(255),
  ])('names: %j → written, listed, read and deleted under that name', async (name) => {
    const base = newUri();
    const uri = storage.resolve(base, ...name.split('/'));
    await storage.write(uri, chunks(name));
    const [listed, ...more] = await all(storage.list(`${base}/`));
    expect(more).toEqual([]);
    expect(decodeURIComponent(listed?.uri.slice(base.length + 1) ?? '')).toBe(name);
    expect(await textOf(storage.read(listed?.uri ?? ''))).toBe(name);
    await storage.delete(listed?.uri ?? '');
    expect(await storage.stat(uri)).toBeNull();
  });

  it('place: parents, siblings that begin like the root, other schemes and roots → refused everywhere', async () => {
    const above = root.replace(/\/data\/$/, '');
    const hostile = [
      `${above}/data-evil/f`,
      `${above}/data-evil`,
      `${above}/datafile`,
      `${above}/f`,
      above,
      `${above}x/data/f`,
      `${root}../f`,
      `${root}a/../../f`,
      `${root}%2e%2e/f`,
      `${root}..%2ff`,
      `${root}a%2f..%2f..%2ff`,
      `${root}a\\..\\f`,
      `${root}f%00`,
      `${root}f?versionId=1`,
      scheme === 's3:' ? 'file:///etc/passwd' : 's3://bucket/data/f',
      'S3://BUCKET/data/f',
    ];
    for (const uri of hostile) {
      const codes = [
        await refusal(() => storage.stat(uri)),
        await refusal(() => textOf(storage.read(uri))),
        await refusal(() => storage.write(uri, chunks('escaped'))),
        await refusal(() => all(storage.list(uri))),
        await refusal(() => storage.delete(uri)),
        await refusal(() => storage.deleteFolder(uri)),
      ];
      for (const code of codes) expect(`${uri} ${code}`).toMatch(/ (OutsideRoots|BadUri|UnsupportedScheme)$/);
    }
  });

  it('list: the root without its slash → the root, not its siblings', async () => {
    await storage.write(`${root}f`, chunks('x'));
    const listed = await all(storage.list(root.slice(0, -1)));
    expect(listed.map(({ uri }) => uri)).toContain(`${root}f`);
    expect(listed.every(({ uri }) => uri.startsWith(root))).toBe(true);
  });

  it('deleteFolder: everything below it, and nothing whose name only begins alike', async () => {
    const folder = backend.newUri();
    const names = Array.from({ length: 20 }, (_, index) => `${folder}/deep/${index % 3}/f${index}`);
    for (const uri of [...names, `${folder}/f`, `${folder}-other/f`]) await storage.write(uri, chunks('x'));
    await storage.deleteFolder(`${folder}/`);
    await storage.deleteFolder(folder);
    expect(await all(storage.list(`${folder}/`))).toEqual([]);
    expect((await all(storage.list(`${folder}-other/`))).map(({ uri }) => uri)).toEqual([`${folder}-other/f`]);
  });

  it('deleteFolder: a root, or something outside → refused', async () => {
    expect(await refusal(() => storage.deleteFolder(root))).toBe('NotAFile');
    expect(await refusal(() => storage.deleteFolder(`${root}../`))).toMatch(/OutsideRoots|BadUri/);
  });
});
