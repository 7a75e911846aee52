/** Simulated machines: a PATH with the files that a test puts on it, and a separate cache folder. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { FindOptions } from '../../src/temporal-server/index.js';
import type { Progress } from '../../src/temporal-server/progress.js';

/** The scripts are POSIX shell. */
export const TEMPORAL_SCRIPT = '#!/bin/sh\necho "temporal version 9.9.9 (Server 9, UI 9)"\n';
export const BROKEN_SCRIPT = '#!/bin/sh\necho "cannot execute: wrong architecture" >&2\nexit 1\n';

/** Nothing listens on this port, so a download through this proxy fails immediately. */
const DEAD_PROXY = 'http://127.0.0.1:9';

export interface Machine {
  readonly env: NodeJS.ProcessEnv;
  /** Lines logged so far. */
  readonly lines: string[];
  /** Progress texts of the fetches so far. */
  readonly fetched: string[];
  readonly options: FindOptions;
  /** Appends a folder with these files to the PATH and returns it. */
  readonly addToPath: (files: Record<string, string>) => Promise<string>;
  /** Writes an executable file in the cache folder and returns its path. */
  readonly addToCache: (path: string, content: string) => Promise<string>;
  readonly cache: string;
}

export async function machine(): Promise<Machine> {
  const root = await mkdtemp(join(tmpdir(), 'llm-jobs-machine-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const lines: string[] = [];
  const fetched: string[] = [];
  const env: NodeJS.ProcessEnv = {
    PATH: '',
    HOME: root,
    XDG_CACHE_HOME: join(root, 'cache'),
    HTTPS_PROXY: DEAD_PROXY,
    TEMPORAL_CONFIG_FILE: join(root, 'temporal.toml'),
  };
  const cache = join(root, 'cache', 'temporal-llm-jobs');
  let folders = 0;
  return {
    env,
    lines,
    fetched,
    cache,
    options: {
      env,
      log: (line) => lines.push(line),
      progress: (text): Progress => {
        fetched.push(text);
        return { update: () => undefined, stop: () => undefined };
      },
    },
    addToPath: async (files) => {
      folders += 1;
      const folder = join(root, `bin${folders}`);
      await mkdir(folder);
      for (const [name, content] of Object.entries(files)) await executable(join(folder, name), content);
      // The scripts call sh, cat and mkdir by absolute paths, so that the PATH contains nothing else.
      env.PATH = [env.PATH, folder].filter(Boolean).join(delimiter);
      return folder;
    },
    addToCache: async (path, content) => executable(join(cache, path), content),
  };
}

async function executable(path: string, content: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  await chmod(path, 0o755);
  return path;
}

/** A Python whose pip "installs" `binary` with the given content. Every install appends a line to `log`. */
export function fakePython(log: string, binary: string, content: string): string {
  return `#!/bin/sh
[ "$2" = pip ] && [ "$3" = --version ] && echo "pip 99" && exit 0
echo "$@" >> '${log}'
while [ $# -gt 0 ]; do [ "$1" = --target ] && target="$2"; shift; done
/bin/mkdir -p "$target/bin"
/bin/cat > "$target/bin/${binary}" <<'CONTENT'
${content}CONTENT
/bin/chmod 755 "$target/bin/${binary}"
`;
}

/** A proxy that accepts connections and never answers, like a firewall that drops packets. */
export async function silentProxy(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}
