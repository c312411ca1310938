import assert from 'node:assert/strict'
import { test } from 'node:test'
import { triesAgain } from '../../src/executor/trouble.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import type { ErrorCode } from '../../src/runtime/error-codes.ts'

/** How often a chain that always fails with this error tries, when its time is over after seven attempts. */
function attemptsWith(error: unknown): number {
  let attempts = 1
  while (triesAgain(error, attempts, attempts >= 7)) attempts++
  return attempts
}

test('what may be a bad or an old answer is looked at twice again, what time may heal until its time is over, nothing else', () => {
  const cases: readonly (readonly [ErrorCode, number])[] = [
    ['OBJECT_CORRUPT', 3],
    ['OBJECT_MISSING', 3],
    ['OBJECT_CHANGED', 1],
    ['OBJECT_LIMIT', 1],
    ['TARGET_REFUSED', 1],
    ['KAFKA_GAVE_UP', 7],
    ['STORAGE_UNREACHABLE', 7],
    ['TARGET_CHANGED', 3],
    ['TARGET_REPLACED', 3],
    ['TARGET_SPOILED', 1],
    ['PLAN_CORRUPT', 1],
  ]
  for (const [code, attempts] of cases) assert.equal(attemptsWith(new MaxbrodError(code, 'so it is')), attempts, code)
  assert.equal(attemptsWith(new TypeError('a mistake of ours')), 1)
})
