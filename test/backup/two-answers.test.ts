import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { answerOf, batchAt, openLonePartition } from '../helpers/lone-partition.ts'

test('records that two brokers send at the same time, because the leader moves, are taken once', async () => {
  const batches: Buffer[] = []
  let end = 0
  for (let n = 0; n < 24; n++) {
    const records = 1 + ((n * 37) % 300)
    batches.push(batchAt(end, records, { bytes: 400, codec: 'gzip', encodePayload: plain => gzipSync(plain) }))
    end += records
  }
  // Which of the two is ahead depends on the thread pool; in one of five rounds it used to matter.
  for (let round = 0; round < 40; round++) {
    await using lone = await openLonePartition()
    const { partition, uploaded, stopped } = lone
    await Promise.all([partition.take(answerOf(batches), 0, false), partition.take(answerOf(batches), 0, false)])
    await partition.flush('the test wants to see it')
    assert.deepEqual(stopped, [])
    assert.deepEqual(
      uploaded.map(({ from, to, records }) => ({ from, to, records })),
      [{ from: 0, to: end, records: end }],
    )
  }
})
