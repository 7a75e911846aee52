import { afterAll, beforeAll, describe } from 'vitest';
import { S3Backend, Storage } from '../../src/storage/index.js';
import { startS3Server } from './local-s3.js';
import { sandbox } from './storage.js';

/** Storage of one backend. The getters work inside tests and hooks. */
export interface BackendUnderTest {
  readonly scheme: 'file:' | 's3:';
  readonly storage: Storage;
  /** URI of the root, with its slash. */
  readonly root: string;
  /** A new URI below the root, for the files of one test. */
  readonly newUri: () => string;
}

interface Opened {
  readonly storage: Storage;
  readonly root: string;
  readonly remove: () => Promise<void>;
}

/** Describes the tests once for folders and once for a real S3 server; the latter is skipped where none can be had. */
export async function describeEachBackend(tests: (backend: BackendUnderTest) => void): Promise<void> {
  const s3 = await startS3Server();
  const unavailable = 'unavailable' in s3 ? s3.unavailable : null;

  describe('file:', () => {
    tests(
      opened('file:', async () => {
        const box = await sandbox();
        return { storage: box.storage, root: box.uri(''), remove: box.remove };
      }),
    );
  });

  describe.skipIf(unavailable !== null)(`s3:${unavailable === null ? '' : ` (${unavailable})`}`, () => {
    tests(
      opened('s3:', async () => {
        if ('unavailable' in s3) throw new Error(s3.unavailable);
        const { endpoint, credentials } = s3;
        const root = `s3://${await s3.bucket()}/data/`;
        const storage = new Storage({ roots: [root], backends: [new S3Backend({ endpoint, credentials })] });
        return { storage, root, remove: () => s3.stop() };
      }),
    );
  });
}

function opened(scheme: BackendUnderTest['scheme'], open: () => Promise<Opened>): BackendUnderTest {
  let current: Opened | undefined;
  let uris = 0;
  beforeAll(async () => {
    current = await open();
  });
  afterAll(() => current?.remove());
  const inTests = (): Opened => {
    if (current === undefined) throw new Error('The storage exists inside tests and hooks only');
    return current;
  };
  return {
    scheme,
    get storage() {
      return inTests().storage;
    },
    get root() {
      return inTests().root;
    },
    newUri: () => inTests().storage.resolve(inTests().root, `test-${(uris += 1)}`),
  };
}
