import assert from 'node:assert/strict'
import { test } from 'node:test'
import { strictDefinitions } from '../../src/catalog/sound-definitions.ts'
import { writeDefinitions } from '../../src/catalog/topic-definitions.ts'
import { doubtsAboutNew } from '../../src/planner/target-limits.ts'
import { wantedChains, wantedTargets } from '../../src/planner/want.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { surveyed, topicId as ownId } from '../helpers/planned.ts'

test('a topic may have a quarter of a million files', async () => {
  const tiles = Array.from({ length: 250_000 }, (_, n) => surveyed(n, n + 1, { recordBytesMax: n === 99_999 ? 77 : 5 }))
  const place = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }
  const audited = { place, tiles, holes: [], overlaps: [], missingHead: undefined, foreign: [] }
  const folder = { topic: 'orders', topicId: undefined, name: 'orders' }
  const looked = {
    clusterId: undefined,
    topics: [{ folder, partitions: [audited] }],
    point: undefined,
    foreignKeys: [],
    warnings: [],
  }
  const mapping = { targetPrefix: 'new.', rename: [], partitionMap: 'same' } as const
  const targets = await wantedTargets(
    { definitions: strictDefinitions(newMemoryStore()) },
    looked,
    mapping,
    new AbortController().signal,
  )
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

test('a topic that newer definitions do not name any more is created as it was last, or at the point', async () => {
  const store = newMemoryStore()
  const signal = new AbortController().signal
  const define = (name: string, partitions: number, id = ownId) => ({
    topic: name,
    topic_id: id,
    partitions,
    replication_factor: 3,
    configs: { 'cleanup.policy': 'compact' },
    acls: [],
  })
  const reborn = 'AAAAAAAAAAAAAAAAAAAAAA'
  const history = [
    [define('orders', 6)],
    [define('orders', 12), define('carts', 1)],
    [define('carts', 2)], // orders is deleted
    [define('carts', 2), define('orders', 3, reborn)],
  ]
  for (const [n, definitions] of history.entries()) await writeDefinitions(store, definitions, 1_000 + n)
  const folder = (topic: string) => ({ topic, topicId: undefined, name: topic })
  const topics = ['orders', 'carts', 'unknown'].map(topic => ({ folder: folder(topic), partitions: [audited(0)] }))
  const mapping = { targetPrefix: '', rename: [], partitionMap: 'same' } as const
  const wanted = async (atMs?: number) => {
    const point = atMs === undefined ? undefined : { key: 'k', atMs, groupsKey: undefined, partitions: [] }
    const targets = await wantedTargets({ definitions: strictDefinitions(store) }, { topics, point }, mapping, signal)
    return targets.map(({ partitions, definition }) => [partitions, definition?.configs['cleanup.policy']])
  }
  const unknown = [1, undefined]
  assert.deepEqual(await wanted(), [[12, 'compact'], [2, 'compact'], unknown])
  assert.deepEqual(await wanted(1_001), [[12, 'compact'], [1, 'compact'], unknown])
  assert.deepEqual(await wanted(1_000), [[6, 'compact'], [1, 'compact'], unknown])
  assert.deepEqual(await wanted(500), [[6, 'compact'], [1, 'compact'], unknown])
})

test('a target that is created without a definition of its source is told', () => {
  const target = { source: 'orders', topic: 'new.orders', partitions: 9, definition: undefined }
  const limits = { recordBytesMax: 0, timestampMin: undefined, timestampMax: undefined }
  assert.match(
    String(doubtsAboutNew({ ...target, ...limits })),
    /no definition of orders: new.orders is created with the partitions .* \(9\)/,
  )
  const definition = { topic: 'orders', topic_id: null, partitions: 9, replication_factor: 1, configs: {}, acls: [] }
  assert.deepEqual(doubtsAboutNew({ ...target, ...limits, definition }), [])
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
