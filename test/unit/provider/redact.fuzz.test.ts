import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { redact } from '../../../src/provider/redact.js';
import { RUNS } from '../../support/fuzz.js';

const KEY = 'sk-proj-AbC123_def-456GHI';

test('redact: the known key within any text → never in what comes out', () => {
  const key = fc.oneof(
    fc.constant(KEY),
    fc.stringMatching(/^sk-[A-Za-z0-9_-]{8,60}$/),
    // Azure's keys have no shape of their own.
    fc.stringMatching(/^[A-Za-z0-9]{16,40}$/),
    fc.string({ minLength: 12, maxLength: 40 }),
  );
  const around = fc.oneof(
    fc.string(),
    fc.constantFrom('Bearer ', 'sk-', '"', '://', '@', '\\', 'authorization: ', '%'),
  );
  fc.assert(
    fc.property(key, fc.array(around, { minLength: 1, maxLength: 6 }), (secret, parts) => {
      fc.pre(!'[redacted]'.includes(secret));
      expect(redact(parts.join(secret), [secret])).not.toContain(secret);
      expect(redact(`${parts.join('')}${secret}${secret}`, [secret])).not.toContain(secret);
    }),
    RUNS,
  );
});
