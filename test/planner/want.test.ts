import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlannerDeps } from '../../src/planner/deps.ts'
import { wantedOf } from '../../src/planner/want.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { surveyed } from '../helpers/planned.ts'

test('a topic may have a quarter of a million files', async () => {
  const tiles = Array.from({ length: 250_000 }, (_, n) => surveyed(n, n + 1, { recordBytesMax: n === 99_999 ? 77 : 5 }))
  const place = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }
  const audited = { place, tiles, holes: [], overlaps: [], missingHead: undefined, foreign: [] }
  const folder = { topic: 'orders', topicId: undefined, name: 'orders' }
  const looked = {
    clusterId: undefined,
    topics: [{ folder, partitions: [audited] }],
    foreignKeys: [],
    warnings: [],
  }
  const mapping = { targetPrefix: 'new.', rename: [], partitionMap: 'same' } as const
  const deps = { store: newMemoryStore() } as unknown as PlannerDeps
  const { targets, chains } = await wantedOf(deps, looked, mapping, new AbortController().signal)
  assert.deepEqual(
    targets.map(({ topic, partitions, recordBytesMax }) => ({ topic, partitions, recordBytesMax })),
    [{ topic: 'new.orders', partitions: 1, recordBytesMax: 77 }],
  )
  assert.equal(chains[0]?.tiles.length, 250_000)
})
