import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Every executable of that name on the PATH, in its order. */
export async function onPath(command: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const file = process.platform === 'win32' ? `${command}.exe` : command;
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter(Boolean);
  const found: string[] = [];
  for (const folder of new Set(folders)) {
    const path = join(folder, file);
    if (await isExecutable(path)) found.push(path);
  }
  return found;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
