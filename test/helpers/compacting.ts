import { compactArchive } from '../../src/archive/compact/compact.ts'
import type { Compaction } from '../../src/archive/compact/made.ts'
import { compactOptions } from '../../src/archive/compact/options.ts'
import { scanRecords } from '../../src/catalog/scan-records.ts'
import { parseTileKey, tileKey } from '../../src/format/keys.ts'
import type { PartitionPlace } from '../../src/format/keys.ts'
import { plainRecord } from '../../src/format/transcode/plain-record.ts'
import { BufferPool } from '../../src/runtime/buffer-pool.ts'
import { ByteBudget } from '../../src/runtime/byte-budget.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { dataFile } from './data-file.ts'
import { bodyOf } from './object-bodies.ts'
import { optionsOf } from './options.ts'
import type { DigestRecord } from './records.ts'
import type { Dice } from './seed.ts'
import { archiveDeps } from './verifying.ts'

/** What `maxbrod compact` makes in a store, with these flags. `folder` is its working folder. */
export function compacting(store: ObjectStore, folder: string, ...argv: string[]): Promise<Compaction> {
  const deps = { ...archiveDeps(store), writer: 'maxbrod test', random: { number: () => 0.5, id: newId } }
  const options = optionsOf(compactOptions, `--working-dir=${folder}`, ...argv)
  return compactArchive(deps, options, new AbortController().signal)
}

let ids = 0

function newId(): string {
  return (ids++).toString(16).padStart(32, '0')
}

/** So many updates of so many keys from an offset on: some delete their key, some have none, some offsets are missing. */
export function updates(dice: Dice, records: number, keys: number, from: number): DigestRecord[] {
  let offset = from
  return Array.from({ length: records }, (): DigestRecord => {
    if (dice.between(0, 9) === 0) offset += dice.between(1, 5)
    const key = dice.between(0, 20) === 0 ? null : Buffer.from(`key-${dice.between(1, keys)}`)
    const value = dice.between(0, 9) === 0 ? null : dice.bytes(dice.between(0, 60))
    const timestamp = 1_700_000_000_000n + BigInt(offset) * 60_000n
    const headers = dice.between(0, 3) === 0 ? [[Buffer.from('h'), dice.bytes(3)] as const] : []
    return { offset: BigInt(offset++), timestamp, key, value, headers }
  })
}

/** What compaction leaves of records: the latest of each key, those without one, and no tombstones before a moment. */
export function latestOf(records: readonly DigestRecord[], dropBefore = -Infinity): DigestRecord[] {
  const latest = new Map<string, bigint>()
  for (const { key, offset } of records) if (key !== null) latest.set(Buffer.from(key).toString('hex'), offset)
  return records.filter(
    ({ key, value, offset, timestamp }) =>
      key === null ||
      (latest.get(Buffer.from(key).toString('hex')) === offset && (value !== null || Number(timestamp) >= dropBefore)),
  )
}

/** Puts a file with these records, covering offsets from `from` to `to`. */
export async function putRecords(
  store: ObjectStore,
  { topic, partition }: { readonly topic: string; readonly partition: number },
  from: number,
  to: number,
  records: readonly DigestRecord[],
): Promise<string> {
  const blocks = records.length === 0 ? [] : [records.slice(0, 7), records.slice(7)].filter(one => one.length > 0)
  const file = await dataFile(blocks, {
    change: header => ({ ...header, topic, partition, coversFrom: from, coversTo: to }),
  })
  const key = tileKey({ topic, topicId: undefined, partition, lineage: undefined }, from)
  await store.put(key, bodyOf(file.bytes), {})
  return key
}

/** All records of data files, one file behind the other. */
export async function recordsIn(store: ObjectStore, keys: readonly string[]): Promise<DigestRecord[]> {
  const found: DigestRecord[] = []
  const limits = {
    pool: new BufferPool(0),
    budget: new ByteBudget(2 ** 28),
    maxRecordBytes: 2 ** 27,
    signal: new AbortController().signal,
  }
  for (const key of keys) {
    await scanRecords({ store, key, place: parseTileKey(key), etag: undefined }, limits, ({ bytes, spans, reader }) => {
      const { offset, timestamp, key: name, value, headers } = plainRecord(bytes, spans, reader)
      const copy = (part: Buffer | null) => (part === null ? null : Buffer.from(part))
      found.push({
        offset: BigInt(offset),
        timestamp: BigInt(timestamp),
        key: copy(name),
        value: copy(value),
        headers: headers.map(([one, other]) => [Buffer.from(one), copy(other)] as const),
      })
    })
  }
  return found
}

export const firstPartition: PartitionPlace = { topic: 'users', topicId: undefined, partition: 0, lineage: undefined }
