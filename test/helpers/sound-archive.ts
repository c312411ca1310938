import { claimArchive } from '../../src/catalog/archive.ts'
import { claimTopicFolder } from '../../src/catalog/incarnation.ts'
import { factsOfHeader, tileFactsToMap } from '../../src/format/facts.ts'
import { parseTileKey, tileKey } from '../../src/format/keys.ts'
import type { PartitionPlace } from '../../src/format/keys.ts'
import type { TileHeader } from '../../src/format/tile-header.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { Facts, ErasableStore } from '../../src/storage/port.ts'
import { dataFile, inBlocks, plainRecords } from './data-file.ts'
import { bodyOf } from './object-bodies.ts'

/** An object as it would be put again. */
export interface StoredObject {
  readonly key: string
  readonly bytes: Buffer
  readonly facts: Facts
}

export const clusterId = 'MkU3OEVBNTcwNTJENDM2Qg'

/** A whole data file at its key, with the facts that a worker stores beside it. `to` may lie behind the last record. */
export async function wholeFile(
  place: PartitionPlace,
  from: number,
  to: number,
  change: Partial<TileHeader> = {},
): Promise<StoredObject> {
  const { topic, topicId, partition, lineage } = place
  const file = await dataFile(inBlocks(plainRecords(Math.max(1, to - from - 2), from), 5), {
    change: header => ({
      ...header,
      topic,
      partition,
      ...(topicId !== undefined && { topicId }),
      coversFrom: from,
      coversTo: to,
      ...change,
    }),
  })
  const facts = factsOfHeader(file.header, lineage, `upload-${from}`)
  return { key: tileKey(place, from), bytes: file.bytes, facts: tileFactsToMap(facts, bodyOf(file.bytes).sha256) }
}

/** Partitions with so many files each, one behind the other; `topics` of them with two partitions. */
export async function soundFiles(topics: readonly string[], filesEach: number): Promise<StoredObject[]> {
  const files: StoredObject[] = []
  for (const topic of topics) {
    for (const partition of [0, 1]) {
      const place = { topic, topicId: undefined, partition, lineage: undefined }
      for (let n = 0; n < filesEach; n++) files.push(await wholeFile(place, n * 20, (n + 1) * 20))
    }
  }
  return files
}

/** A store with these objects, and what says whose archive it is. */
export async function storeOf(objects: readonly StoredObject[], store = newMemoryStore()): Promise<ErasableStore> {
  await claimArchive(store, { clusterId, archiveId: 'archive', createdAt: '2026-11-21T05:30:13.123Z' })
  for (const topic of new Set(objects.flatMap(({ key }) => parseTileKey(key)?.topic ?? [])))
    await claimTopicFolder(store, topic, 'Hx3y8Ra6RBe9-hFQXtB2Kg')
  for (const { key, bytes, facts } of objects) await store.put(key, bodyOf(bytes), facts)
  return store
}
