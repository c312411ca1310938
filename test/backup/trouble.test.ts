import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeTrouble } from '../../src/backup/trouble.ts'
import type { TroubleVerdict } from '../../src/backup/trouble.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import type { ErrorCode } from '../../src/runtime/error-codes.ts'

const stores = ['STORAGE_UNREACHABLE', 'STORAGE_AUTH', 'STORAGE_REFUSED', 'DISK'] as const
const clusters = ['KAFKA_GAVE_UP', 'KAFKA_UNREACHABLE'] as const
const finals = ['TILE_CONFLICT', 'LOG_BEHIND_BACKUP', 'KAFKA_AUTH', 'BATCH_CORRUPT'] as const

function assertJudged(codes: readonly ErrorCode[], isOnce: boolean, isStopping: boolean, verdict: TroubleVerdict) {
  for (const code of codes)
    assert.equal(judgeTrouble(new MaxbrodError(code, 'a reason'), { isOnce, isStopping }), verdict, code)
}

test('a worker waits for a store, a disk or a cluster for as long as it runs, and gives up only when it is to stop', () => {
  assertJudged([...stores, ...clusters], false, false, 'wait')
  assertJudged([...stores, ...clusters], false, true, 'give up')
})

test('--once ends by a store that fails, and leaves out a partition that the cluster does not give', () => {
  for (const isStopping of [false, true]) {
    assertJudged(stores, true, isStopping, 'end the worker')
    assertJudged(clusters, true, isStopping, 'stop')
  }
})

test('what time does not heal stops one partition and nothing else', () => {
  for (const isOnce of [false, true])
    for (const isStopping of [false, true]) {
      assertJudged(finals, isOnce, isStopping, 'stop')
      assert.equal(judgeTrouble(new Error('a bug'), { isOnce, isStopping }), 'stop')
    }
})
