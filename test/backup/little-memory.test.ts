import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { BlockPress } from '../../src/format/ocf/block-press.ts'
import { eventually } from '../helpers/eventually.ts'
import { answerOf, batchAt, openLonePartition } from '../helpers/lone-partition.ts'

test('a batch that was compressed a thousandfold does not become blocks faster than they are compressed', async () => {
  const press = new BlockPress(1)
  let most = 0
  let counted = 0
  await using lone = await openLonePartition({
    deps: {
      press: Object.assign(press, {
        compress(content: Buffer) {
          most = Math.max(most, lone.pool.taken)
          counted = Math.max(counted, lone.memory.budget.usedBytes)
          return BlockPress.prototype.compress.call(press, content)
        },
      }),
    },
  })
  const { partition, uploaded, stopped } = lone
  const megabytes = 50
  const batch = batchAt(0, megabytes, {
    bytes: 1024 * 1024,
    codec: 'gzip',
    encodePayload: plain => gzipSync(plain),
  })
  assert.ok(batch.length < 1024 * 1024, `${batch.length} bytes in Kafka`)
  await partition.take(answerOf([batch]), 0, false)
  await partition.flush('the test wants to see it')
  assert.deepEqual(stopped, [])
  assert.equal(
    uploaded.reduce((sum, { records }) => sum + records, 0),
    megabytes,
  )
  assert.ok(counted > megabytes * 1024 * 1024, 'what was decompressed is counted while it is there')
  await eventually('all of it was given back', () => lone.memory.budget.usedBytes === 0)
  assert.ok(most > 0 && most <= 16, `${most} blocks in memory at the same time`)
})
