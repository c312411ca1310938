import type { TileFacts } from '../../src/format/facts.ts'
import { tileFactsToMap } from '../../src/format/facts.ts'
import type { PartitionPlace } from '../../src/format/keys.ts'
import { tileKey } from '../../src/format/keys.ts'
import type { TileHeader } from '../../src/format/tile-header.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { dataFile, plainRecords } from './data-file.ts'
import { bodyOf } from './object-bodies.ts'

/** The partition that `tileFile` is about. */
export const place: PartitionPlace = { topic: 'orders', topicId: undefined, partition: 3, lineage: undefined }
export const identity = { clusterId: 'cluster', topicId: 'Hx3y8Ra6RBe9-hFQXtB2Kg', lineage: undefined } as const

export interface TileFile {
  readonly from: number
  readonly key: string
  readonly bytes: Buffer
  readonly facts: TileFacts
}

/** A whole file that covers `from` ≤ o < `to`, with a few records. */
export async function tileFile(
  from: number,
  to: number,
  { uploadId = `upload-${from}`, ...change }: Partial<TileHeader> & { uploadId?: string } = {},
): Promise<TileFile> {
  const records = plainRecords(Math.min(to - from, 3), from)
  const file = await dataFile([records], {
    change: header => ({
      ...header,
      clusterId: identity.clusterId,
      topicId: identity.topicId,
      coversFrom: from,
      coversTo: to,
      ...change,
    }),
  })
  const { clusterId, topicId } = file.header
  const facts = { clusterId, topicId, lineage: undefined, coversTo: to, records: records.length, uploadId }
  return { from, key: tileKey(place, from), bytes: file.bytes, facts }
}

/** Puts a file where it belongs, with the facts beside it unless others are given. */
export async function putTile(store: ObjectStore, file: TileFile, facts?: Record<string, string>): Promise<void> {
  const body = bodyOf(file.bytes)
  await store.put(file.key, body, facts ?? tileFactsToMap(file.facts, body.sha256))
}
