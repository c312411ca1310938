import { pruneArchive } from '../../src/archive/prune/prune.ts'
import type { Pruned } from '../../src/archive/prune/prune.ts'
import { pruneOptions } from '../../src/archive/prune/options.ts'
import { claimTopicFolder } from '../../src/catalog/incarnation.ts'
import { writePoint } from '../../src/catalog/restoration-points.ts'
import { parseTileKey } from '../../src/format/keys.ts'
import type { PartitionPlace } from '../../src/format/keys.ts'
import type { TileHeader } from '../../src/format/tile-header.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import type { ErasableStore } from '../../src/storage/port.ts'
import { plainRecords } from './data-file.ts'
import { optionsOf } from './options.ts'
import { putTile } from './put-tile.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { storeOf } from './sound-archive.ts'
import { archiveDeps } from './verifying.ts'

export const dayMs = 24 * 3_600_000
/** Of all files that putTile writes. */
export const firstId = 'Hx3y8Ra6RBe9-hFQXtB2Kg'

export function placeOf(topic: string, partition = 0, more: Partial<PartitionPlace> = {}): PartitionPlace {
  return { topic, topicId: undefined, partition, lineage: undefined, ...more }
}

/** A file of ten offsets for each age in days, the first one at offset `from`: its records are that old. */
export async function putAged(
  store: ErasableStore,
  place: PartitionPlace,
  daysOld: readonly number[],
  from = 0,
  more: Partial<TileHeader> = {},
): Promise<string[]> {
  const keys: string[] = []
  for (const [n, days] of daysOld.entries()) {
    const start = from + n * 10
    const timestamp = BigInt(Math.round(Date.now() - days * dayMs))
    const records = plainRecords(8, start).map(record => ({ ...record, timestamp }))
    keys.push((await putTile(store, place, { from: start, to: start + 10 }, [records], undefined, more)).key)
  }
  if (place.topicId === undefined) await claimTopicFolder(store, place.topic, firstId)
  return keys
}

/** An archive with nothing but its name. */
export function emptyArchive(): Promise<ErasableStore> {
  return storeOf([])
}

/** A point of so many days ago: what Kafka had of each partition then. */
export function putPoint(
  store: ErasableStore,
  daysAgo: number,
  partitions: readonly (readonly [topic: string, partition: number, logStart: number, end: number, id?: string])[],
  groupsKey?: string,
): Promise<string> {
  return writePoint(store, {
    atMs: Math.round(Date.now() - daysAgo * dayMs),
    groupsKey,
    partitions: partitions.map(([topic, partition, start, end, id = firstId]) => ({
      topic,
      topic_id: id,
      partition,
      log_start: start,
      end,
    })),
  })
}

/** `maxbrod prune` with these flags, on any store. */
export function pruning(store: ErasableStore, ...argv: string[]): Promise<Pruned> {
  return pruningAt(store, systemClock.now(), ...argv)
}

/** The same at a moment of the test's choice. */
export function pruningAt(store: ErasableStore, nowMs: number, ...argv: string[]): Promise<Pruned> {
  const deps = archiveDeps(store)
  const clock = { ...systemClock, now: () => nowMs }
  return pruneArchive(
    { ...deps, store, clock, log: silentLogger, writer: 'maxbrod test' },
    optionsOf(pruneOptions, ...argv),
    new AbortController().signal,
  )
}

/** Where each file of a topic's folder begins, by `partition[@lineage]`. */
export async function beginnings(store: ErasableStore): Promise<Record<string, number[]>> {
  const found: Record<string, number[]> = {}
  for await (const { key } of store.list('')) {
    const tile = parseTileKey(key)
    if (tile !== undefined) (found[key.slice(0, key.lastIndexOf('/'))] ??= []).push(tile.from)
  }
  return found
}
