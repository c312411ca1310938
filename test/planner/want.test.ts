import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wantedChains, wantedTargets } from '../../src/planner/want.ts'
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
  const targets = await wantedTargets({ store: newMemoryStore() }, looked, mapping, new AbortController().signal)
  const chains = wantedChains(looked, mapping, undefined, () => 1)
  assert.deepEqual(
    targets.map(({ topic, partitions, recordBytesMax }) => ({ topic, partitions, recordBytesMax })),
    [{ topic: 'new.orders', partitions: 1, recordBytesMax: 77 }],
  )
  assert.equal(chains[0]?.tiles.length, 250_000)
})

const audited = (partition: number, topicId?: string) => ({
  place: { topic: 'orders', topicId, partition, lineage: undefined },
  tiles: [surveyed(0, 5)],
  holes: [],
  overlaps: [],
  missingHead: undefined,
  foreign: [],
})

test('modulo puts partitions one behind the other, and all incarnations as well, the older one first', () => {
  const folder = (topicId?: string) => ({ topic: 'orders', topicId, name: 'orders' })
  const later = 'AAAAAAAAAAAAAAAAAAAAAA'
  const topics = [
    { folder: folder(), partitions: [0, 1, 2, 3, 4].map(partition => audited(partition)) },
    { folder: folder(later), partitions: [0, 1, 2].map(partition => audited(partition, later)) },
  ]
  const mapping = { targetPrefix: '', rename: [], partitionMap: 'modulo' } as const
  const chains = wantedChains({ topics }, mapping, 'all', () => 2)
  const told = (wanted: number) =>
    chains
      .filter(({ target }) => target.partition === wanted)
      .map(({ source }) => `${source.partition}${source.sourceTopicId === later ? ' again' : ''}`)
  assert.deepEqual(
    [told(0), told(1)],
    [
      ['0', '2', '4', '0 again', '2 again'],
      ['1', '3', '1 again'],
    ],
  )
})
