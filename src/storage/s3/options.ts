// No type of the SDK stands here: these are public, and the SDK is an optional peer.

/** Whatever is left out comes from where the AWS SDKs look: the environment, then the profile in `~/.aws`. */
export interface S3Options {
  /**
   * URL of an S3-compatible service.
   *
   * @default AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's `endpoint_url`, else Amazon S3
   */
  readonly endpoint?: string;
  /** @default AWS_REGION, the profile's; `us-east-1` where there is neither but there is an endpoint, which rarely cares */
  readonly region?: string;
  /** @default the SDK's chain: environment, profiles, web identity, container and instance */
  readonly credentials?: S3Credentials | (() => Promise<S3Credentials>);
  /**
   * Whether the bucket stands in the path (`https://host/bucket/key`) and not in the host's name.
   *
   * @default LLM_JOBS_S3_PATH_STYLE (`true` or `false`), else true with an endpoint of one's own
   */
  readonly forcePathStyle?: boolean;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When they end; the function is then called again. */
  readonly expiration?: Date;
}
