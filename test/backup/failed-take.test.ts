import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterFailedTake } from '../../src/backup/reading/failed-take.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import type { ErrorCode } from '../../src/runtime/error-codes.ts'

test('a cluster that could not be asked is asked again, what cannot be read keeps what was, and anything else ends at once', () => {
  const codes = {
    KAFKA_GAVE_UP: 'ask again',
    KAFKA_UNREACHABLE: 'ask again',
    KAFKA_AUTH: 'stop reading',
    BATCH_CORRUPT: 'stop reading',
    BATCH_MAGIC: 'stop reading',
    LOG_BEHIND_BACKUP: 'stop',
    DISK: 'stop',
  } satisfies Partial<Record<ErrorCode, ReturnType<typeof afterFailedTake>>>
  for (const [code, then] of Object.entries(codes))
    assert.equal(afterFailedTake(new MaxbrodError(code as ErrorCode, 'a reason')), then, code)
  assert.equal(afterFailedTake(new Error('a bug')), 'stop')
})
