/** Machines of many kinds, made of folders: a PATH with what the test puts on it, and a cache of the test's own. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { FindOptions, Progress } from '../../../dev/temporal-server/index.js';

/** Scripts are POSIX shell. */
export const TEMPORAL_SCRIPT = '#!/bin/sh\necho "temporal version 9.9.9 (Server 9, UI 9)"\n';
export const BROKEN_SCRIPT = '#!/bin/sh\necho "cannot execute: wrong architecture" >&2\nexit 1\n';

/** Nothing listens there, so a download through this proxy fails at once. */
const NO_PROXY_THERE = 'http://127.0.0.1:9';

export interface Machine {
  env: NodeJS.ProcessEnv;
  /** What was logged so far. */
  lines: string[];
  /** What was shown as being fetched so far. */
  fetched: string[];
  options: FindOptions;
  /** A folder on the PATH, in the order of adding. */
  addToPath: (files: Record<string, string>) => Promise<string>;
  /** A file in the cache folder, executable. */
  addToCache: (path: string, content: string) => Promise<string>;
  cache: string;
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
    HTTPS_PROXY: NO_PROXY_THERE,
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
      const folder = join(root, `bin${folders++}`);
      await mkdir(folder);
      for (const [name, content] of Object.entries(files)) await executable(join(folder, name), content);
      // The scripts themselves need sh, cat and mkdir; those are called by their full names, so that the PATH has nothing else on it.
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

/** A Python whose pip "installs" `binary` with the given content; every install is a line in `log`. */
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

/** A proxy that accepts connections and then says nothing, as a firewall that drops packets does. */
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
