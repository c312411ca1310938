import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ports } from '../../src/commands/ports.ts'
import type { ClusterAdmin } from '../../src/kafka/port/admin.ts'
import { eventually } from '../helpers/eventually.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import type { CommandResult } from '../helpers/in-process.ts'
import { runCommand, startCommand } from '../helpers/in-process.ts'
import type { RestoreScene } from '../helpers/restore-scene.ts'
import { ok, openRestoreScene, refused } from '../helpers/restore-scene.ts'

const create = ['--create-topics', '--target-prefix=r.']

/** A plan whose planner died when the files were there and the end records were not. */
async function planInPart(scene: RestoreScene): Promise<string> {
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 50, 100])
  // Appends: the head, the files, the end.
  const planner = new FaultyCli(scene.planArgv(create), [`kafka.append~${scene.planTopic}:before:3:kill`])
  assert.equal((await planner.result).exit, 'SIGKILL', planner.output)
  planner.assertAllFired()
  assert.deepEqual(
    (await scene.entries()).map(({ entry }) => entry.kind),
    ['head', 'file', 'file'],
  )
  return `r.${topic}`
}

test('a restore does not take half a plan for a whole one: it waits, and goes on when the plan is complete', async t => {
  await using scene = await openRestoreScene(t)
  const target = await planInPart(scene)
  const restore = startCommand(scene.restoreArgv(['--exit-when-done']))
  await eventually('it says what it waits for', () => restore.output().includes('the plan is not complete yet'))
  ok(await scene.plan(create))
  const row = { topic: target, partitions: 1, recordsPlanned: 100, recordsRestored: 100 }
  assert.deepEqual(ok(await restore.result).json['topics'], [row])
})

test('a plan to which nobody adds for a minute is refused with the way out', async t => {
  await using scene = await openRestoreScene(t)
  const target = await planInPart(scene)
  // Of the time that it measures, a second is twenty.
  const fast = (real: Ports): Ports => ({
    ...real,
    clock: { ...real.clock, monotonic: () => real.clock.monotonic() * 20 },
  })
  const result = await scene.restore([], fast)
  refused(result, 4, 'PLAN_CORRUPT', `${scene.planTopic} is not complete, and nobody adds to it`, 'maxbrod plan again')
  const [{ end } = { end: '' }] = await scene.world.referee.offsets(target)
  assert.equal(end, '0')
})

test('whoever reads a plan that lost its beginning is told which partition, what took it, and what to do', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 10, 20])
  await scene.putFiles(topic, 1, [0, 10])
  const flags = [...create, '--plan-partitions=2']
  ok(await scene.plan(flags))
  const about = [`--plan-topic=${scene.planTopic}`, `--bootstrap-server=${scene.world.bootstrap}`]
  const demand = async (partition: number, commands: readonly (() => Promise<CommandResult>)[]) => {
    const everything = -1
    await scene.world.referee.deleteRecords(scene.planTopic, partition, everything)
    for (const run of commands) {
      const words = [
        `${scene.planTopic}-${partition} begins at offset `,
        'retention.ms or retention.bytes',
        'DeleteRecords',
      ]
      refused(await run(), 4, 'PLAN_CORRUPT', ...words, 'run maxbrod plan with a new --plan-topic')
    }
  }
  const status = () => runCommand(['status', ...about])
  const finalize = () => runCommand(['finalize', ...about])
  // The heads are in partition 0: without another one they are known, and some of the files are not.
  await demand(1, [() => scene.restore(), status, finalize])
  await demand(0, [() => scene.restore(), status, finalize, () => scene.plan(flags)])
})

test('targets that a planner adds while an executor starts, or a status is asked, are known to both', async t => {
  await using scene = await openRestoreScene(t)
  const addTopic = async (word: string) => {
    const topic = scene.world.name(word)
    await scene.putFiles(topic, 0, [0, 20])
    ok(await scene.plan([...create, '--plan-partitions=1']))
    return { topic: `r.${topic}`, partitions: 1, recordsPlanned: 20, recordsRestored: 20 }
  }
  const rows = [await addTopic('a')]
  /** Once the heads are read, the number of the plan topic's partitions is asked for. */
  const growing = (word: string) => (real: Ports) => ({
    ...real,
    async openKafka(...of: Parameters<Ports['openKafka']>) {
      const kafka = await real.openKafka(...of)
      let isGrown = false
      const topics: ClusterAdmin['topics'] = async names => {
        if (names?.[0] === scene.planTopic && !isGrown) {
          isGrown = true
          rows.push(await addTopic(word))
        }
        return kafka.admin.topics(names)
      }
      return { ...kafka, admin: { ...kafka.admin, topics } }
    },
  })
  const status = await runCommand(
    ['status', `--plan-topic=${scene.planTopic}`, `--bootstrap-server=${scene.world.bootstrap}`],
    growing('b'),
  )
  assert.equal((ok(status).json['topics'] as unknown[]).length, 2)

  // It has the only plan partition, so that the other one learns nothing of its chains.
  const owner = startCommand(scene.restoreArgv([]))
  const restored = async () => (await scene.world.referee.offsets(rows[0]!.topic))[0]!.end === '20'
  await eventually('it is at work', restored)
  for (const [flags, word] of [
    [[], 'c'],
    [['--retry-quarantined'], 'd'],
  ] as const)
    assert.deepEqual(ok(await scene.restore(flags, growing(word))).json['topics'], rows)
  owner.signal('SIGTERM')
  ok(await owner.result)
})
