import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import { dataKeepFile, dataKeepKey, dataKeepRecord } from '../helpers/data-keep-files.ts'
import type { DataKeepRecord } from '../helpers/data-keep.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import type { CanonicalRecord } from '../helpers/records.ts'
import { canonicalBytes } from '../helpers/records.ts'
import { RoundTrip } from '../helpers/round-trip.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

/** Of the topic's four partitions, 1 never had a record. */
const partitions = [0, 2, 3] as const
const filesPerPartition = 4
const recordsPerFile = 250

test('a backup of kafka-data-keep comes back with every record once, though its files overlap, by an executor that dies and one that goes on', async t => {
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
    const place = { topic, partition }
    let offset = partition === 2 ? 1_000 : 0
    let before: DataKeepRecord[] = []
    for (let file = 0; file < filesPerPartition; file++) {
      const records: DataKeepRecord[] = []
      for (let n = 0; n < recordsPerFile; n++) {
        records.push(dataKeepRecord(offset, dice))
        // What compaction and the markers of transactions leave, inside of files and between them.
        offset += dice.between(0, 9) === 0 ? dice.between(2, 50) : 1
      }
      written.push(...records.map(record => ({ partition, ...canonical(record) })))
      // What was uploaded and not committed is read again, and its headers stand in another order then.
      const again = file === 0 ? [] : before.slice(-dice.between(1, recordsPerFile - 1)).map(shuffled)
      const all = [...again, ...records]
      await store.put(dataKeepKey(place, all[0]!.offset), bodyOf(dataKeepFile(all, place, dice)), {})
      before = records
    }
  }
  store.close()
  return written
}

function shuffled(record: DataKeepRecord): DataKeepRecord {
  return { ...record, headers: record.headers.toReversed() }
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
