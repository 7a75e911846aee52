/** What is special about S3, on a real server; what it does as every backend does is in contract.test.ts. */
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { freePorts, runCommand } from '../../../../src/temporal-server/index.js';
import { S3Backend, Storage, StorageError, type S3Options } from '../../../../src/storage/index.js';
import { cuttingProxy } from '../../../support/cutting-proxy.js';
import { all, chunks, textOf } from '../../../support/streams.js';
import { startS3Server, type S3Server } from '../../../support/local-s3.js';

const started = await startS3Server();
const skipped = 'unavailable' in started ? started.unavailable : null;
const server = started as S3Server;
const MEGABYTE = 1_000_000;

describe.skipIf(skipped !== null)(`s3${skipped === null ? '' : ` (${skipped})`}`, () => {
  let bucket: string;
  let root: string;
  let storage: Storage;
  beforeAll(async () => {
    bucket = await server.bucket();
    root = `s3://${bucket}/data/`;
    storage = storageAt();
  });
  afterAll(() => server.stop());
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  function storageAt(options: S3Options = {}, at = root): Storage {
    const { endpoint, credentials } = server;
    return new Storage({ roots: [at], backends: [new S3Backend({ endpoint, credentials, ...options })] });
  }

  async function proxied(limit: (connection: number) => number) {
    const proxy = await cuttingProxy(server.endpoint, limit);
    onTestFinished(() => proxy.close());
    return { proxy, storage: storageAt({ endpoint: proxy.url }) };
  }

  const put = (key: string, body = 'x') =>
    server.client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));

  describe('upload', () => {
    it('source: throws after several parts → its error, no object, no pending upload', async () => {
      const broken = new Error('the provider went away');
      const source = (async function* () {
        for (let index = 0; index < 30; index++) yield Buffer.alloc(MEGABYTE, 'x');
        expect(await server.pendingUploads(bucket)).toEqual(['data/broken']);
        throw broken;
      })();
      await expect(storage.write(`${root}broken`, source)).rejects.toBe(broken);
      expect(await storage.stat(`${root}broken`)).toBeNull();
      expect(await server.pendingUploads(bucket)).toEqual([]);
    });

    it('service: away in the middle → retryable, the source closed, the parts taken back before the next upload', async () => {
      let closed = false;
      const { proxy, storage: cutOff } = await proxied(() => Infinity);
      const source = (async function* () {
        try {
          for (let index = 0; index < 200; index++) {
            if (index === 30) proxy.setDown(true);
            yield Buffer.alloc(MEGABYTE, 'x');
          }
        } finally {
          closed = true;
        }
      })();
      const error = await failure(() => cutOff.write(`${root}cut-off`, source));
      expect(error).toMatchObject({ code: 'Io', retryable: true });
      expect(closed).toBe(true);
      expect(await storage.stat(`${root}cut-off`)).toBeNull();
      expect(await server.pendingUploads(bucket)).toEqual(['data/cut-off']);
      proxy.setDown(false);
      await cutOff.write(`${root}cut-off`, chunks('whole'));
      expect(await server.pendingUploads(bucket)).toEqual([]);
    });

    it('connection: cut again and again → sent again by parts, and whole', async () => {
      const { proxy, storage: shaky } = await proxied((connection) => (connection % 2 === 0 ? 700 : Infinity));
      const source = (async function* () {
        for (let index = 0; index < 25; index++) yield Buffer.alloc(MEGABYTE, `piece ${index} `);
      })();
      const ref = await shaky.write(`${root}shaky`, source);
      expect(proxy.cuts()).toBeGreaterThan(0);
      expect(await sha256(storage.read(`${root}shaky`))).toBe(ref.sha256);
      expect(await server.pendingUploads(bucket)).toEqual([]);
    });

    it('bucket: not there → NotFound that names it, not retryable', async () => {
      const nowhere = storageAt({}, 's3://no-such-bucket-here/');
      for (const bytes of [1, 20 * MEGABYTE]) {
        const error = await failure(() => nowhere.write('s3://no-such-bucket-here/f', chunks(Buffer.alloc(bytes))));
        expect(error).toMatchObject({ code: 'NotFound', retryable: false });
        expect(error.message).toContain('s3://no-such-bucket-here/f: no such bucket');
      }
    });

    it('key: longer than S3 allows → BadUri before anything is sent', async () => {
      const name = '€'.repeat(400);
      expect(await failure(() => storage.write(storage.resolve(root, name), chunks('x')))).toMatchObject({
        code: 'BadUri',
      });
    });
  });

  describe('read', () => {
    it('connection: cut after every megabyte → one unbroken stream, from any offset', async () => {
      const content = Buffer.alloc(6 * MEGABYTE);
      for (let at = 0; at < content.length; at += 4) content.writeUInt32LE(at, at);
      await storage.write(`${root}long`, chunks(content));
      for (const start of [0, 1_234_567]) {
        const { proxy, storage: cut } = await proxied(() => MEGABYTE);
        expect(await sha256(cut.read(`${root}long`, { start }))).toBe(hashOf(content.subarray(start)));
        expect(proxy.cuts()).toBeGreaterThanOrEqual(4);
      }
    });

    it('object: replaced during a cut → retryable error, never a mixture', async () => {
      await storage.write(`${root}replaced`, chunks(Buffer.alloc(3 * MEGABYTE, 'a')));
      const { storage: cut } = await proxied((connection) => (connection === 0 ? MEGABYTE : Infinity));
      let seen = '';
      const error = await failure(async () => {
        for await (const chunk of cut.read(`${root}replaced`)) {
          if (seen === '') await storage.write(`${root}replaced`, chunks(Buffer.alloc(3 * MEGABYTE, 'b')));
          seen += Buffer.from(chunk).toString();
        }
      });
      expect(error).toMatchObject({ code: 'Io', retryable: true });
      expect(error.message).toContain('the object changed during the operation');
      expect(seen).not.toContain('b');
    });

    it('connection: comes to nothing again and again → retryable error', async () => {
      await storage.write(`${root}dead`, chunks(Buffer.alloc(3 * MEGABYTE)));
      const { storage: cut } = await proxied((connection) => (connection === 0 ? MEGABYTE : 0));
      const error = await failure(() => sha256(cut.read(`${root}dead`)));
      expect(error).toMatchObject({ code: 'Io', retryable: true });
    });
  });

  describe('list', () => {
    it('pages: more than 1,000 objects → all, once each', async () => {
      const names = Array.from({ length: 1_050 }, (_, index) => `n${String(index).padStart(5, '0')}`);
      const left = names.values();
      await Promise.all(
        Array.from({ length: 16 }, async () => {
          for (const name of left) await put(`data/many/${name}`);
        }),
      );
      const listed = await all(storage.list(`${root}many/`));
      expect(listed.map(({ uri }) => uri)).toEqual(names.map((name) => `${root}many/${name}`));
    });

    it("keys: folders' markers and what no URI names → passed over", async () => {
      for (const key of ['folder/', 'folder/f', 'folder/tab\tkey']) await put(`data/odd/${key}`);
      const listed = await all(storage.list(`${root}odd/`));
      expect(listed.map(({ uri }) => uri)).toEqual([`${root}odd/folder/f`]);
    });

    it('root: without its slash, or a whole bucket → its objects, no siblings', async () => {
      await put('data-evil/secret');
      await put('data/sub/f');
      const prefixed = storageAt({}, `s3://${bucket}/data/sub`);
      expect((await all(prefixed.list(`s3://${bucket}/data/sub`))).map(({ uri }) => uri)).toEqual([`${root}sub/f`]);
      const slashless = await all(storage.list(`s3://${bucket}/data`));
      expect(slashless.filter(({ uri }) => uri.includes('data-evil'))).toEqual([]);
      const whole = storageAt({}, `s3://${bucket}`);
      expect((await all(whole.list(`s3://${bucket}/data-e`))).map(({ uri }) => uri)).toEqual([
        `s3://${bucket}/data-evil/secret`,
      ]);
    });
  });

  describe('failures', () => {
    const operations: Record<string, (on: Storage) => Promise<unknown>> = {
      stat: (on) => on.stat(`${root}f`),
      read: (on) => textOf(on.read(`${root}f`)),
      write: (on) => on.write(`${root}f`, chunks('x')),
      'large write': (on) => on.write(`${root}f`, chunks(Buffer.alloc(20 * MEGABYTE))),
      list: (on) => all(on.list(root)),
      delete: (on) => on.delete(`${root}f`),
    };
    const credentials = [
      { accessKeyId: 'tests', secretAccessKey: 'hunter2-secret' },
      { accessKeyId: 'hunter2-key', secretAccessKey: 'hunter2-secret', sessionToken: 'hunter2-token' },
    ];

    it.each(Object.keys(operations))(
      '%s: wrong credentials → refused permanently, and no secret shown',
      async (operation) => {
        for (const wrong of credentials) {
          const error = await failure(() => operations[operation]!(storageAt({ credentials: wrong })));
          expect(error).toMatchObject({ code: 'Io', retryable: false });
          expect(error.message).toMatch(/access denied.*HTTP 403/);
          expect(`${JSON.stringify(error)} ${error.stack} ${String(error.cause)}`).not.toContain('hunter2');
        }
      },
    );

    it.each(Object.keys(operations))('%s: server down → retryable', async (operation) => {
      const [port] = await freePorts(1, '127.0.0.1');
      const down = storageAt({ endpoint: `http://127.0.0.1:${port}` });
      const error = await failure(() => operations[operation]!(down));
      expect(error).toMatchObject({ code: 'Io', retryable: true });
      expect(error.message).toContain('ECONNREFUSED');
    });
  });

  describe('configuration', () => {
    it.each(['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'])(
      'environment: %s and credentials alone → an s3:// root just works, bucket in the path',
      async (name) => {
        stubAws({ [name]: server.endpoint });
        const fromEnvironment = new Storage({ roots: [root] });
        await fromEnvironment.write(`${root}by-environment`, chunks(name));
        expect(await textOf(storage.read(`${root}by-environment`))).toBe(name);
      },
    );

    it('environment: path style switched off → the bucket in the name of the host', async () => {
      stubAws({ AWS_ENDPOINT_URL_S3: 'http://localhost.invalid:1', LLM_JOBS_S3_PATH_STYLE: 'false' });
      const error = await failure(() => new Storage({ roots: [root] }).stat(`${root}f`));
      expect(error).toMatchObject({ code: 'Io', retryable: true });
    });

    it('environment: no region and no endpoint → names what to set, not retryable', async () => {
      stubAws({});
      const error = await failure(() => new Storage({ roots: [root] }).stat(`${root}f`));
      expect(error).toMatchObject({ code: 'Io', retryable: false });
      expect(error.message).toContain('AWS_REGION');
    });

    it('environment: LLM_JOBS_S3_PATH_STYLE=maybe → refused at the start', () => {
      vi.stubEnv('LLM_JOBS_S3_PATH_STYLE', 'maybe');
      expect(() => new Storage({ roots: [root] })).toThrow('LLM_JOBS_S3_PATH_STYLE must be true or false');
    });
  });
});

describe('packages', () => {
  it('SDK: not installed → a file: root works, the constructor refuses an s3: root and names what to install', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-no-sdk-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const dist = fileURLToPath(new URL('../../../../dist', import.meta.url));
    for (const part of ['storage', 'contract/text.js', 'jsonl/chunked-buffer.js']) {
      await cp(join(dist, part), join(folder, part), { recursive: true });
    }
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    // Hides what may be installed in a folder above.
    for (const name of ['client-s3', 'lib-storage']) {
      await mkdir(join(folder, 'node_modules/@aws-sdk', name), { recursive: true });
      await writeFile(join(folder, 'node_modules/@aws-sdk', name, 'package.json'), '{ "main": "missing.js" }');
    }
    const code = `
      const { Storage } = await import(${JSON.stringify(pathToFileURL(join(folder, 'storage/index.js')).href)});
      new Storage({ roots: ['file:///data/'] });
      try { new Storage({ roots: ['s3://bucket/data/'] }); } catch (error) { console.log(error.code, error.message); }`;
    const args = ['--input-type=module', '-e', code];
    const { stdout, stderr } = await runCommand(process.execPath, args, { env: process.env, timeoutMs: 120_000 });
    expect(stderr).toBe('');
    expect(stdout).toContain('UnsupportedScheme');
    expect(stdout).toContain('npm install @aws-sdk/client-s3 @aws-sdk/lib-storage');
  });
});

async function failure(action: () => unknown): Promise<StorageError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

async function sha256(source: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of source) hash.update(chunk);
  return hash.digest('hex');
}

function hashOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** These variables and the server's credentials, and nothing of the machine's own AWS configuration. */
function stubAws(values: Record<string, string>): void {
  const none = { AWS_REGION: '', AWS_PROFILE: '', AWS_ENDPOINT_URL: '', AWS_ENDPOINT_URL_S3: '' };
  const files = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
  const { accessKeyId, secretAccessKey } = server.credentials;
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: '' };
  for (const [name, value] of Object.entries({ ...none, ...files, ...keys, ...values })) {
    vi.stubEnv(name, value === '' ? undefined : value);
  }
}
