// These types are public, and the AWS SDK is an optional peer dependency, so none of its types are used here.

/** What is left out is read from where the AWS SDKs look: the environment, then the profile in `~/.aws`. */
export interface S3Options {
  /**
   * URL of an S3-compatible service.
   *
   * @default AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's `endpoint_url`, or Amazon S3
   */
  readonly endpoint?: string;
  /**
   * Region of the buckets.
   *
   * @default AWS_REGION, the profile's region, or `us-east-1` if an endpoint is set, since few services check it
   */
  readonly region?: string;
  /**
   * Credentials, or a function that returns them.
   *
   * @default the SDK's chain: environment, profiles, web identity, container and instance metadata
   */
  readonly credentials?: S3Credentials | (() => Promise<S3Credentials>);
  /**
   * Whether the bucket is part of the path (`https://host/bucket/key`) instead of the host name.
   *
   * @default LLM_JOBS_S3_PATH_STYLE (`true` or `false`), or true if an endpoint is set
   */
  readonly forcePathStyle?: boolean;
}

/** Credentials of AWS, or of an S3-compatible service. */
export interface S3Credentials {
  /** Id of the access key. */
  readonly accessKeyId: string;
  /** The secret of the access key. */
  readonly secretAccessKey: string;
  /** Token of temporary credentials. */
  readonly sessionToken?: string;
  /** When the credentials expire. After that, a function that returned them is called again. */
  readonly expiration?: Date;
}
