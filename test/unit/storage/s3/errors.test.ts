import { describe, expect, it } from 'vitest';
import { s3Error } from '../../../../src/storage/s3/errors.js';

const uri = new URL('s3://bucket/data/f.jsonl');

/** An error as the SDK throws it. */
function answered(status: number, name: string, message = 'hunter2 https://signed?X-Amz-Signature=hunter2'): Error {
  return Object.assign(new Error(message), {
    name,
    $metadata: { httpStatusCode: status, requestId: 'REQ123' },
    StringToSign: 'hunter2',
  });
}

describe('s3Error', () => {
  it.each([
    [404, 'NoSuchKey', 'NotFound', false],
    [404, 'NotFound', 'NotFound', false],
    [404, 'NoSuchBucket', 'NotFound', false],
    [404, 'NoSuchUpload', 'Io', true],
    [403, 'AccessDenied', 'Io', false],
    [403, 'SignatureDoesNotMatch', 'Io', false],
    [403, 'RequestTimeTooSkewed', 'Io', true],
    [401, 'Unauthorized', 'Io', false],
    [400, 'ExpiredToken', 'Io', true],
    [400, 'RequestTimeout', 'Io', true],
    [400, 'BadDigest', 'Io', true],
    [400, 'KeyTooLongError', 'BadUri', false],
    [400, 'SomethingNew', 'Io', false],
    [400, 'AuthorizationHeaderMalformed', 'Io', false],
    [301, 'PermanentRedirect', 'Io', false],
    [409, 'OperationAborted', 'Io', true],
    [412, 'PreconditionFailed', 'Io', true],
    [429, 'TooManyRequests', 'Io', true],
    [500, 'InternalError', 'Io', true],
    [503, 'SlowDown', 'Io', true],
    // A proxy's page in place of XML.
    [200, 'SyntaxError', 'Io', true],
  ])('answer: HTTP %d %s → %s, retryable: %s', (status, name, code, retryable) => {
    const error = s3Error(uri, answered(status, name));
    expect(error).toMatchObject({ code, retryable, uri: uri.href });
    expect(error.message).toContain(`HTTP ${status} ${name} request REQ123`);
    expect(`${JSON.stringify(error)} ${error.stack} ${String(error.cause)}`).not.toContain('hunter2');
  });

  it.each([
    [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), true, 'ECONNREFUSED'],
    [Object.assign(new Error('socket hang up'), { name: 'TimeoutError' }), true, 'TimeoutError'],
    [Object.assign(new Error('no luck'), { name: 'CredentialsProviderError' }), true, 'no AWS credentials were found'],
    [new Error('Region is missing'), false, 'AWS_REGION'],
    ['a string', true, 'no response'],
  ])('no answer: %s → retryable: %s', (thrown, retryable, says) => {
    const error = s3Error(uri, thrown);
    expect(error).toMatchObject({ code: 'Io', retryable });
    expect(error.message).toContain(says);
  });

  it('name: not a word → not shown', () => {
    expect(s3Error(uri, answered(400, 'hunter2 <xml>')).message).not.toContain('hunter2');
  });
});
