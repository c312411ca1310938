import assert from 'node:assert/strict'
import type { ObjectStore } from '../../src/storage/port.ts'
import { readSelfDescribedFile } from './avro-referee.ts'
import type { DigestRecord } from './records.ts'
import { RecordDigest } from './records.ts'

/** A data file as an independent reader (avsc) and its own metadata map see it. */
export interface StoredFile {
  readonly key: string
  readonly etag: string
  /** `<topic>[@<topicId>]` and the partition's folder. */
  readonly folder: string
  readonly from: number
  readonly to: number
  readonly gaps: readonly { readonly from: number; readonly to: number; readonly reason: string }[]
  readonly meta: Readonly<Record<string, string>>
  readonly records: readonly DigestRecord[]
}

/** What the files of one partition folder hold, one behind the other. */
export interface StoredPartition {
  readonly folder: string
  readonly files: readonly StoredFile[]
  readonly from: number
  readonly to: number
  readonly records: readonly DigestRecord[]
  /** As the referee's `read` answers it for the source. */
  readonly digest: string
  readonly gaps: StoredFile['gaps']
}

const KEY = /^([^@/]+)(@[^/]+)?\/([0-9]+)(@e[0-9]+)?\/\1-\3-([0-9]{19})\.avro$/

/**
 * Reads all data files, proves that each partition's files tile a range of offsets without a hole or an overlap, that each
 * holds what its header says, and that nothing lies in the store that is neither a tile nor ours.
 */
export async function readBackup(store: ObjectStore): Promise<StoredPartition[]> {
  const folders = new Map<string, StoredFile[]>()
  for await (const { key, etag } of store.list('')) {
    if (key.startsWith('@cluster/') || key.startsWith('@topics/')) continue
    const [, topic, id = '', partition, lineage = '', from] = KEY.exec(key) ?? []
    assert.ok(topic !== undefined && partition !== undefined, `${key} is no data file`)
    const folder = `${topic}${id}/${partition}${lineage}`
    const file = await readFile(store, key, etag, folder, Number(from))
    assert.deepEqual([file.meta['maxbrod.topic'], file.meta['maxbrod.partition']], [topic, partition], key)
    folders.set(folder, [...(folders.get(folder) ?? []), file])
  }
  return [...folders].map(([folder, files]) => proven(folder, files))
}

/** The partitions of a topic's folder, in all lineages: the first one comes first. */
export function partitionsOf(backup: readonly StoredPartition[], topicFolder: string): StoredPartition[] {
  return backup
    .filter(({ folder }) => folder.slice(0, folder.lastIndexOf('/')) === topicFolder)
    .toSorted((a, b) => Number.parseInt(a.folder.split('/')[1]!, 10) - Number.parseInt(b.folder.split('/')[1]!, 10))
}

/** Keys and ETags of all objects: compared later, they show that nothing was changed or removed. */
export async function objectsIn(store: ObjectStore): Promise<Map<string, string>> {
  const objects = new Map<string, string>()
  for await (const { key, etag } of store.list('')) objects.set(key, etag)
  return objects
}

/** Throws when an object of `before` is gone or has other bytes. */
export async function assertUntouched(store: ObjectStore, before: ReadonlyMap<string, string>): Promise<void> {
  const now = await objectsIn(store)
  for (const [key, etag] of before) assert.equal(now.get(key), etag, `${key} was changed or removed`)
}

function proven(folder: string, files: readonly StoredFile[]): StoredPartition {
  const digest = new RecordDigest()
  let next = files[0]?.from ?? 0
  for (const { key, from, to, meta } of files) {
    assert.equal(from, next, `${key} begins at ${from} and the file before ends at ${next}`)
    assert.equal(Number(meta['maxbrod.origin']), files[0]?.from, `${key}: origin`)
    next = to
  }
  const records = files.flatMap(file => file.records)
  for (const record of records) digest.add(record)
  const gaps = files.flatMap(file => file.gaps)
  return { folder, files, from: files[0]?.from ?? 0, to: next, records, digest: digest.values().digest, gaps }
}

async function readFile(
  store: ObjectStore,
  key: string,
  etag: string,
  folder: string,
  from: number,
): Promise<StoredFile> {
  const read = await store.get(key)
  const bytes = Buffer.concat(await Array.fromAsync(read.body))
  const { records, meta } = await readSelfDescribedFile(bytes)
  const number = (name: string) => Number(meta[`maxbrod.${name}`])
  const to = number('covers.to')
  const gaps = JSON.parse(meta['maxbrod.gaps'] ?? '[]') as StoredFile['gaps']

  assert.equal(meta['avro.codec'], 'zstandard', key)
  assert.equal(number('covers.from'), from, `${key}: covers.from`)
  assert.equal(number('records'), records.length, `${key}: records`)
  assert.equal(meta['maxbrod.offset.first'], records[0]?.offset.toString(), `${key}: first offset`)
  assert.equal(meta['maxbrod.offset.last'], records.at(-1)?.offset.toString(), `${key}: last offset`)
  let previous = BigInt(from) - 1n
  for (const { offset } of records) {
    assert.ok(offset > previous && offset < to, `${key}: offset ${offset} behind ${previous}, below ${to}`)
    const isInGap = gaps.some(gap => offset >= gap.from && offset < gap.to)
    assert.ok(!isInGap, `${key}: offset ${offset} inside of a declared gap`)
    previous = offset
  }
  const { facts } = read
  assert.equal(facts['covers-to'], String(to), `${key}: the facts beside it`)
  assert.equal(facts['records'], String(records.length), `${key}: the facts beside it`)
  assert.equal(facts['topic-id'], meta['maxbrod.topic.id'], `${key}: the facts beside it`)
  return { key, etag, folder, from, to, gaps, meta, records }
}
