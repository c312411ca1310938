import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, deflateRawSync, zstdCompressSync } from 'node:zlib'
import { dataKeepSchema } from '../../src/format/record-schema.ts'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import { encodeDataKeep } from '../helpers/data-keep.ts'
import type { DataKeepRecord, MapBlocks } from '../helpers/data-keep.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { formatContainer } from '../helpers/plain-container.ts'
import type { PlainBlock } from '../helpers/plain-container.ts'
import type { CanonicalRecord } from '../helpers/records.ts'
import { canonicalBytes } from '../helpers/records.ts'
import { RoundTrip } from '../helpers/round-trip.ts'
import type { Dice } from '../helpers/seed.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

/** Of the topic's four partitions, 1 never had a record. */
const partitions = [0, 2, 3] as const
const filesPerPartition = 4
const recordsPerFile = 250

/** The program's zstd frames have no checksum. */
const codecs: Readonly<Record<string, (content: Buffer) => Buffer>> = {
  zstandard: content => zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag]: 0 } }),
  deflate: content => deflateRawSync(content),
  null: content => content,
}

test('a backup of kafka-data-keep comes back whole, by an executor that dies and one that goes on', async t => {
  await using world = await openWorld(t)
  const topic = world.name('orders')
  const written = await writeBackup(world, topic)
  const roundTrip = new RoundTrip(world)
  const target = roundTrip.target(topic)
  // Small batches: the first executor dies inside a file.
  await world.referee.createTopic(target, { partitions: 4, configs: { 'max.message.bytes': 4_096 } })
  const { json: plan } = await roundTrip.plan()
  const records = partitions.length * filesPerPartition * recordsPerFile
  assert.equal(plan['filesAdded'], partitions.length * filesPerPartition)
  assert.deepEqual(
    (plan['topics'] as { records: number }[]).map(one => one.records),
    [records],
  )

  const death = 'kafka.append:after:40:kill'
  const first = new FaultyCli(roundTrip.restoreCommand(), [death])
  assert.equal((await first.result).exit, 'SIGKILL')
  first.assertAllFired()
  const before = (await world.referee.read(target)).reduce((sum, partition) => sum + partition.records, 0)
  assert.ok(before > 0 && before < records, `${before} of ${records} records`)

  const { json: restored } = await roundTrip.restore('--verify=full')
  assert.equal(restored['recordsSent'], records - before)
  const found = await world.referee.records(target, { restored: true })
  for (const [n, record] of written.entries()) assert.deepEqual(contentOf(found[n]!), record)
  assert.equal(found.length, written.length)
})

/** As kafka-data-keep names and fills its files; returns what must come back. */
async function writeBackup({ folder, dice }: World, topic: string): Promise<object[]> {
  const store = openDirectoryStore(`${folder}/backup`)
  const written: object[] = []
  for (const partition of partitions) {
    let offset = partition === 2 ? 1_000 : 0
    for (let file = 0; file < filesPerPartition; file++) {
      const codec = dice.pick(Object.keys(codecs))
      const records: DataKeepRecord[] = []
      for (let n = 0; n < recordsPerFile; n++) {
        records.push(recordAt(offset, dice))
        // What compaction and the markers of transactions leave, inside of files and between them.
        offset += dice.between(0, 9) === 0 ? dice.between(2, 50) : 1
      }
      const name = `${topic}/${partition}/${topic}-${partition}-${String(records[0]!.offset).padStart(19, '0')}.avro`
      await store.put(name, bodyOf(fileOf(records, { topic, partition }, codec, dice)), {})
      written.push(...records.map(record => ({ partition, ...canonical(record) })))
    }
  }
  store.close()
  return written
}

/** Many small blocks; each map of headers in blocks by chance, with and without their sizes. */
function fileOf(
  records: readonly DataKeepRecord[],
  place: { readonly topic: string; readonly partition: number },
  codec: string,
  dice: Dice,
): Buffer {
  const blocks: PlainBlock[] = []
  for (let at = 0; at < records.length;) {
    const some = records.slice(at, at + dice.between(1, 30))
    const content = some.map(record => encodeDataKeep(record, place, mapBlocks(record.headers.length, dice)))
    blocks.push({ records: BigInt(some.length), compressed: codecs[codec]!(Buffer.concat(content)) })
    at += some.length
  }
  const meta = [
    ['avro.schema', dataKeepSchema],
    ['avro.codec', codec],
  ] as const
  return formatContainer({ meta, sync: dice.bytes(16), blocks })
}

function mapBlocks(headers: number, dice: Dice): MapBlocks {
  const blocks: number[] = []
  for (let left = headers; left > 0;) {
    const count = dice.between(1, left)
    blocks.push(dice.between(0, 1) === 0 ? count : -count)
    left -= count
  }
  return blocks
}

function recordAt(offset: number, dice: Dice): DataKeepRecord {
  const field = (likely: number) => (dice.between(0, likely) === 0 ? null : dice.bytes(dice.between(0, 200)))
  const headers = Array.from({ length: dice.between(0, 4) }, (_, n) => {
    const name = dice.pick(['b', 'a', '', '__proto__', 'restore.source-offset'])
    return [Buffer.from(`${name}${n === 0 ? '' : n}`), dice.bytes(dice.between(0, 20))] as const
  })
  const timestamp = dice.between(0, 20) === 0 ? -1n : BigInt(1_600_000_000_000 + offset)
  return { offset: BigInt(offset), timestamp, key: field(4), value: field(10), headers }
}

function canonical({ offset, timestamp, key, value, headers }: DataKeepRecord): object {
  return {
    sourceOffset: `${offset}`,
    timestamp: `${timestamp}`,
    key: canonicalBytes(key),
    value: canonicalBytes(value),
    headers: headers.map(([name, of]) => [canonicalBytes(name), canonicalBytes(of)]),
  }
}

function contentOf({ partition, sourceOffset, timestamp, key, value, headers }: CanonicalRecord): object {
  return { partition, sourceOffset, timestamp, key, value, headers }
}
