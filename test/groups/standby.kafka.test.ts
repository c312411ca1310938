import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { offsetsOf, openGroupsScene } from '../helpers/groups-scene.ts'
import { startCommand } from '../helpers/in-process.ts'
import { freePorts } from '../helpers/ports.ts'
import { ok } from '../helpers/restore-scene.ts'

test('a follower moves the groups of a standby as snapshots and data come, and never backwards', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const topic = await scene.source('orders', 20)
  const copy = `copy.${topic}`
  const group = scene.group('billing')
  const other = scene.group('other')
  const at = async (name: string) => {
    const found = (await referee.groupOffsets(name)).find(one => one.topic === copy)
    return found === undefined ? undefined : Number(found.offset)
  }
  const save = async (offset: number) => {
    await referee.commitOffsets(group, [{ topic, partition: 0, offset, metadata: `m${offset}` }])
    ok(await scene.backUpGroups())
  }
  const ship = async () => {
    await scene.backUp(topic)
    ok(await scene.plan([`--topics=${topic}`, '--create-topics', '--target-prefix=copy.']))
    ok(await scene.restore())
  }
  await referee.commitOffsets(other, [{ topic, partition: 0, offset: 3 }])
  await save(5)
  await ship()
  const [port] = await freePorts(1)
  const argv = scene
    .groupsRestoreArgv(['--follow', '--execute'])
    .map(flag => (flag === '--metrics-port=0' ? `--metrics-port=${port}` : flag))
  const follower = startCommand(argv)
  t.after(() => follower.signal('SIGTERM'))
  await eventually('the first snapshot is there', async () => (await at(group)) === 5)

  // Its consumer went further in the source than what has come: it stands at the end, and goes on from there.
  await scene.write(topic, 20)
  await save(33)
  await eventually('it stands at the end of what is there', async () => (await at(group)) === 20)
  await ship()
  await eventually('it stands where it belongs', async () => (await at(group)) === 33)

  // Somebody used a group on the standby, and it is ahead.
  await referee.commitOffsets(other, [{ topic: copy, partition: 0, offset: 17 }])
  await save(34)
  await eventually('the newest snapshot is there', async () => (await at(group)) === 34)
  assert.equal(await at(other), 17)
  await eventually('the metrics say so', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    assert.match(metrics, /maxbrod_groups_restore_offsets\{state="exact"\} 2/)
    assert.match(metrics, /maxbrod_groups_restore_snapshot_age_seconds \d/)
    return true
  })
  await referee.commitOffsets(group, [{ topic, partition: 0, offset: 36 }])
  const live = await referee.openConsumer(group, [copy], { protocol: 'consumer' })
  ok(await scene.backUpGroups())
  await eventually('it says that the group has members', () => /a group does not follow/.test(follower.output()))
  await live.close()
  await eventually('it follows again', async () => (await at(group)) === 36)
  follower.signal('SIGTERM')
  assert.equal((await follower.result).exit, 0)
})

test('a restoration point under load: two topics that were written in step come back in step, and no group is ahead', async t => {
  await using scene = await openGroupsScene(t)
  const { referee } = scene.world
  const [left, right] = [await scene.source('left', 1), await scene.source('right', 1)]
  const group = scene.group('both')
  /** Each number goes to one topic and then to the other; the group has read what it commits. */
  let written = 0
  const over = new AbortController()
  const writing = (async () => {
    const producer = await referee.openProducer(scene.world.name('load'))
    while (!over.signal.aborted) {
      for (const topic of [left, right]) await producer.send(topic, [{ partition: 0, value: `${written}` }])
      written++
      const offsets = [left, right].map(topic => ({ topic, partition: 0, offset: written + 1 }))
      if (written % 5 === 0) await referee.commitOffsets(group, offsets)
    }
    await producer.close()
  })()
  await eventually('it is under way', () => written > 20)
  for (let n = 0; n < 3; n++) {
    ok(await scene.backUpGroups())
    const soFar = written
    await eventually('more is written', () => written > soFar + 5)
  }
  const chosenAt = new Date().toISOString()
  await eventually('more is written', () => written > 40)
  ok(await scene.backUpGroups())
  over.abort()
  await writing
  await scene.backUp(left, right)
  ok(
    await scene.plan([
      `--topics=${left}`,
      `--topics=${right}`,
      '--create-topics',
      '--target-prefix=copy.',
      `--at=${chosenAt}`,
    ]),
  )
  ok(await scene.restore())
  const ends = await Promise.all(
    [left, right].map(async topic => Number((await referee.offsets(`copy.${topic}`))[0]!.end)),
  )
  // One number is between the two topics at any moment, and one more may come between two questions to the broker.
  assert.ok(Math.abs(ends[0]! - ends[1]!) <= 2, String(ends))
  assert.ok(Math.min(...ends) > 20 && Math.max(...ends) < written + 1, String(ends))
  const done = ok(await scene.restoreGroups(['--execute', `--at=${chosenAt}`]))
  const rows = offsetsOf(done)
  assert.deepEqual(
    rows.map(row => row.verdict === 'exact' || row.verdict === 'tip'),
    [true, true],
  )
  for (const [n, topic] of [left, right].entries()) {
    const row = rows.find(one => one.topic === topic)!
    assert.equal(row.offset, row.saved, 'no gaps, from 0 on')
    assert.ok(row.offset <= ends[n]!, 'no group is ahead of its data')
  }
})
