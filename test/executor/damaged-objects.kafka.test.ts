import assert from 'node:assert/strict'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { must } from '../../src/runtime/assert.ts'
import { runCommand } from '../helpers/in-process.ts'
import type { CommandResult } from '../helpers/in-process.ts'
import { ok, openRestoreScene, refused } from '../helpers/restore-scene.ts'
import { watchReads } from '../helpers/watched-reads.ts'

test('a chain ends exactly before an object that is missing, replaced or corrupt; others are completed, and --retry-quarantined goes on with what was mended', async t => {
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
  const away = `${second(0)}.away`
  await rename(second(0), away)
  await writeFile(second(1), await readFile(second(3)))

  const assertStopped = async (result: CommandResult, stopped: Readonly<Record<number, string | undefined>>) => {
    assert.equal(result.json['result'], 'partial')
    type Chain = { partition: number; code: string; message: string; recordsPlanned: number; recordsRestored: number }
    const incomplete = (result.json['incomplete'] as Chain[]).toSorted((a, b) => a.partition - b.partition)
    const found = Object.fromEntries(incomplete.map(({ partition, code }) => [partition, code]))
    assert.deepEqual(found, stopped)
    for (const { partition, code, message } of incomplete)
      assert.ok(
        message.includes(code === undefined ? 'restore --retry-quarantined' : nameOf(topic, partition)),
        message,
      )
    for (const { recordsRestored, recordsPlanned } of incomplete)
      assert.deepEqual([recordsRestored, recordsPlanned], [100, 300])
    const read = await scene.world.referee.read(`r.${topic}`, { restored: true })
    const lastOf = (partition: number) => (partition in stopped ? 99 : 299)
    assert.deepEqual(
      read.map(({ records, sourceFirst, sourceLast, strays }) => [records, sourceFirst, sourceLast, strays]),
      partitions.map(partition => [lastOf(partition) + 1, '0', String(lastOf(partition)), 0]),
    )
  }
  const first = await scene.restore()
  assert.equal(first.exit, 3, first.stderr)
  await assertStopped(first, { 0: 'OBJECT_MISSING', 1: 'OBJECT_CHANGED', 2: 'OBJECT_CORRUPT' })
  const asked = ['status', scene.common[0]!, `--plan-topic=${scene.planTopic}`]
  assert.equal((await runCommand(asked)).exit, 3)
  ok(await runCommand([...asked, '--is-planned'])) // who waits for the plan can begin, to try again

  await rename(away, second(0))
  const again = await scene.restore()
  assert.equal(again.exit, 3, again.stderr)
  assert.equal(again.json['recordsSent'], 0)
  await assertStopped(again, { 0: undefined, 1: undefined, 2: undefined })

  const third = await scene.restore(['--retry-quarantined'])
  assert.equal(third.exit, 3, third.stderr)
  assert.equal(third.json['recordsSent'], 200)
  await assertStopped(third, { 1: 'OBJECT_CHANGED', 2: 'OBJECT_CORRUPT' })
})

test('another place than that of the plan is refused before anything is put aside, and the right one named; then all is restored', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 100])
  ok(await scene.plan(['--create-topics', '--target-prefix=r.']))
  const common = [...scene.common, '--metrics-port=0', `--plan-topic=${scene.planTopic}`, '--exit-when-done']
  const elsewhere = common.map(flag => flag.replace(scene.folder, scene.world.folder))
  refused(
    await runCommand(['restore', ...elsewhere]),
    10,
    'BACKUP_NOT_FOUND',
    scene.planTopic,
    `file://${scene.folder}`,
  )
  ok(await scene.restore())
  assert.equal((await scene.world.referee.read(`r.${topic}`))[0]?.records, 100)
  ok(await runCommand(['restore', ...elsewhere])) // what is done needs no backup
})

test('a file that was pruned after it was planned is put aside, and the reason says that it was', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 100, 250, 300])
  await scene.putFiles(topic, 1, [0, 100])
  ok(await scene.plan(['--create-topics', '--target-prefix=r.']))
  const prune = ['prune', '--keep-bytes=1B', '--yes', `--storage=file://${scene.folder}`]
  assert.equal(ok(await runCommand(prune)).json['deleted'], 2)
  const { exit, json, stderr } = await scene.restore()
  assert.equal(exit, 3, stderr)
  const [stopped, ...others] = json['incomplete'] as { partition: number; message: string; recordsRestored: number }[]
  assert.deepEqual([stopped?.partition, stopped?.recordsRestored, others], [0, 0, []])
  assert.match(stopped?.message ?? '', /-0000000000000000000\.avro was pruned after it was planned/)
})

function nameOf(topic: string, partition: number): string {
  return `${topic}-${partition}-0000000000000000100.avro`
}

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
