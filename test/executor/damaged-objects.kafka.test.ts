import assert from 'node:assert/strict'
import { readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { must } from '../../src/runtime/assert.ts'
import { ok, openRestoreScene } from '../helpers/restore-scene.ts'
import { watchReads } from '../helpers/watched-reads.ts'

test('a chain ends exactly before an object that is missing, replaced or corrupt; the other chains are completed', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  const partitions = [0, 1, 2, 3, 4]
  const files = new Map<number, string[]>()
  for (const partition of partitions) {
    const put = await scene.putFiles(topic, partition, [0, 100, 250, 300])
    files.set(
      partition,
      put.map(({ key }) => join(scene.folder, key)),
    )
  }
  const second = (partition: number) => must(files.get(partition)?.[1], 'file')
  // Written in place: size, name and inode stay, but not the time, and so the ETag does not either. What the planner has
  // seen is damaged only in the one that is corrupt from the beginning.
  const corrupt = await readFile(second(2))
  corrupt.writeUInt8(corrupt.readUInt8(corrupt.length - 40) ^ 1, corrupt.length - 40)
  await writeFile(second(2), corrupt)
  ok(await scene.plan(['--create-topics', '--target-prefix=r.']))
  await unlink(second(0))
  await writeFile(second(1), await readFile(second(3)))

  for (const attempt of ['first', 'second']) {
    const result = await scene.restore()
    assert.equal(result.exit, 4, result.stderr) // that of what is wrong with the files
    assert.equal(result.json['result'], 'partial')
    type Chain = { partition: number; code: string; message: string; recordsPlanned: number; recordsRestored: number }
    const incomplete = (result.json['incomplete'] as Chain[]).toSorted((a, b) => a.partition - b.partition)
    assert.deepEqual(
      incomplete.map(({ partition, code }) => [partition, code]),
      [
        [0, 'OBJECT_MISSING'],
        [1, 'OBJECT_CHANGED'],
        [2, 'OBJECT_CORRUPT'],
      ],
      `${attempt} attempt`,
    )
    for (const { partition, message } of incomplete)
      assert.ok(message.includes(`${topic}-${partition}-0000000000000000100.avro`), message)
    assert.deepEqual(
      incomplete.map(({ recordsRestored, recordsPlanned }) => [recordsRestored, recordsPlanned]),
      [0, 1, 2].map(() => [100, 300]),
    )
    const read = await scene.world.referee.read(`r.${topic}`, { restored: true })
    assert.deepEqual(
      read.map(({ records, sourceFirst, sourceLast, strays }) => [records, sourceFirst, sourceLast, strays]),
      [99, 99, 99, 299, 299].map(last => [last + 1, '0', String(last), 0]),
    )
  }
})

test('a file that was read badly is read again before it is put aside: its records come, each once', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 100, 250, 300])
  ok(await scene.plan(['--create-topics', '--target-prefix=r.']))
  const damaged = `${topic}-0-0000000000000000100.avro`
  let badly = 0
  // The second file comes with another last byte, twice.
  const badReads = (key: string, n: number, chunk: Buffer): Buffer => {
    if (!key.endsWith(damaged) || n > 2) return chunk
    badly++
    const bad = Buffer.from(chunk)
    bad.writeUInt8(bad.readUInt8(bad.length - 1) ^ 1, bad.length - 1)
    return bad
  }
  const result = await scene.restore([], real => ({
    ...real,
    openStore: async (options, tools) => watchReads(await real.openStore(options, tools), badReads).store,
  }))
  assert.ok(badly >= 2, 'nothing was read badly')
  const row = { topic: `r.${topic}`, partitions: 1, recordsPlanned: 300, recordsRestored: 300 }
  assert.deepEqual(ok(result).json['topics'], [row])
  assert.equal(result.json['recordsSent'], 300)
  assert.match(result.stderr, /100\.avro: [^\n]*cannot go on right now, trying again/)
})
