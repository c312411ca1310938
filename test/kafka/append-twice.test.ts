import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newAppender } from '../../src/kafka/kafkajs/appender.ts'
import type { ClusterView } from '../../src/kafka/kafkajs/cluster-view.ts'

test('while a batch of a partition is on its way another one is not sent, and nothing breaks', async () => {
  const away = Promise.withResolvers<void>()
  const view = {
    leader: () => undefined,
    refresh: () => away.promise,
    connections: { drop: () => undefined },
  } as unknown as ClusterView
  using appender = newAppender(view, 0)
  const request = { topic: 'copy', partition: 0, batch: Buffer.alloc(0), mayWrite: () => true }
  const first = appender.append(request)
  const second = await appender.append(request)
  assert.deepEqual(second, { kind: 'unsent', reason: 'another batch of the partition is on its way' })
  away.resolve()
  assert.deepEqual(await first, { kind: 'unsent', reason: 'the partition has no leader' })
  assert.deepEqual(await appender.append(request), { kind: 'unsent', reason: 'the partition has no leader' })
})
