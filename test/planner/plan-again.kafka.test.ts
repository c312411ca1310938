import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlanEntry } from '../../src/format/plan.ts'
import { planPartitionOf } from '../../src/format/plan-partition.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { runCommand } from '../helpers/in-process.ts'
import type { PlanPlace, RestoreScene } from '../helpers/restore-scene.ts'
import { ok, openRestoreScene } from '../helpers/restore-scene.ts'

/** Files of two topics, enough of them for two plan partitions. */
async function backUp(scene: RestoreScene): Promise<string[]> {
  const topics = [scene.world.name('orders'), scene.world.name('payments')]
  for (const topic of topics)
    for (const partition of [0, 1, 2]) await scene.putFiles(topic, partition, [0, 5, 9, 9 + 2])
  return topics
}

const flags = ['--create-topics', '--target-prefix=r.', '--plan-partitions=2']

/** The entries that readers take: of heads, those of the restore that came first. */
function counted(places: readonly PlanPlace[]): PlanEntry[] {
  const heads = places.flatMap(({ entry }) => (entry.kind === 'head' ? [entry] : []))
  return places
    .filter(({ entry }) => entry.kind !== 'head' || entry.restoreId === heads[0]?.restoreId)
    .map(({ entry }) => entry)
}

/** What a plan says of each file, whatever the targets are called and whichever plan partitions they fall to. */
function told(places: readonly PlanPlace[]): string[] {
  const files = places.flatMap(({ entry }) => (entry.kind === 'file' ? [entry] : []))
  return files
    .map(({ object, index, records, recordsBefore }) => `${object.key} ${index} ${recordsBefore}+${records}`)
    .toSorted()
}

function assertWhole(places: readonly PlanPlace[], files: number): void {
  const entries = counted(places)
  assert.equal(entries.filter(({ kind }) => kind === 'file').length, files)
  for (const partition of [0, 1]) {
    const own = places.filter(place => place.partition === partition)
    assert.equal(own.findLast(({ entry }) => entry.kind !== 'head')?.entry.kind, 'end', `plan partition ${partition}`)
    assert.equal(own.filter(({ entry }) => entry.kind === 'end').length, 1, `plan partition ${partition}`)
  }
}

test('planners that run at the same time make one plan, without doubles, under one id', async t => {
  await using scene = await openRestoreScene(t)
  await backUp(scene)
  const results = await Promise.all([1, 2, 3].map(() => scene.plan(flags)))
  for (const result of results) ok(result)
  assert.equal(new Set(results.map(({ json }) => json['planId'])).size, 1)
  assert.equal(new Set(results.map(({ json }) => json['restoreId'])).size, 1)
  assertWhole(await scene.entries(), 18)
})

test('planning again adds nothing and says so; a later run adds the files that came, and no others', async t => {
  await using scene = await openRestoreScene(t)
  const topics = await backUp(scene)
  const first = ok(await scene.plan(flags))
  const before = await scene.entries()

  const again = ok(await scene.plan(flags))
  assert.deepEqual(again.json['warnings'], [])
  assert.equal(again.json['filesAdded'], 0)
  assert.equal(again.json['planId'], first.json['planId'])
  assert.match(again.stderr, /nothing new to plan/)
  const wider = ok(await scene.plan([...flags.slice(0, -1), '--plan-partitions=7']))
  const words = `${scene.planTopic} is there already, with 2 partitions: --plan-partitions 7 counts for a new plan topic`
  assert.ok(String(wider.json['warnings']).includes(words), wider.stdout)
  assert.ok(wider.stderr.includes(words), wider.stderr)
  assert.deepEqual(await scene.entries(), before)

  await scene.putFiles(topics[0]!, 1, [11, 20])
  const later = ok(await scene.plan(flags))
  assert.equal(later.json['filesAdded'], 1)
  assert.notEqual(later.json['planId'], first.json['planId'])
  assert.equal(later.json['restoreId'], first.json['restoreId'])
  const added = (await scene.entries()).filter(
    ({ partition, offset }) => !before.some(place => place.partition === partition && place.offset === offset),
  )
  assert.deepEqual(
    added.map(({ entry }) => entry.kind),
    ['file', 'end'],
  )
  const [file] = added.map(({ entry }) => entry)
  assert.ok(file?.kind === 'file')
  assert.deepEqual(
    [file.target.partition, file.index, file.covers.from, file.recordsBefore, file.records],
    [1, 3, 11, 11, 9],
  )
})

test('a planner that is killed at any step leaves a beginning; run again, it makes exactly the plan that was to be', async t => {
  await using scene = await openRestoreScene(t)
  const topics = await backUp(scene)
  const wholePlan = scene.world.name('whole')
  const flagsOf = (planTopic: string) => ['--create-topics', `--target-prefix=${planTopic}.`, '--plan-partitions=2']
  const whole = ok(await runCommand(scene.planArgv(flagsOf(wholePlan), wholePlan)))
  assert.equal(whole.json['filesAdded'], 18)
  const wanted = told(await scene.entries(wholePlan))

  // Appends: 1 is the head, 2 and 3 the files, 4 and 5 the ends. Topics: 1 is the plan topic.
  const steps = [
    'admin.createTopic:after:2:kill',
    'kafka.append:before:1:kill',
    'kafka.append:after:1:kill',
    'admin.alterTopicConfigs:after:1:kill',
    'kafka.append:after:2:kill',
    'kafka.append:before:5:kill',
    'kafka.append:after:5:kill',
  ]
  // Where chains go depends on their names: all may go to one plan partition, and then there are fewer appends.
  const namesOf = (n: number) => Array.from({ length: 99 }, (_, k) => scene.world.name(`plan${n}-${k}`))
  const isSpread = (name: string) => {
    const chains = topics.flatMap(topic => [0, 1, 2].map(partition => `${name}.${topic}-${partition}`))
    return new Set(chains.map(chain => planPartitionOf(chain, 2))).size === 2
  }
  const hit = async (fault: string, n: number) => {
    const planTopic = namesOf(n).find(isSpread)!
    const argv = scene.planArgv(flagsOf(planTopic), planTopic)
    const planner = new FaultyCli(argv, [fault])
    assert.equal((await planner.result).exit, 'SIGKILL', planner.output)
    planner.assertAllFired()
    const again = ok(await runCommand(argv))
    const places = await scene.entries(planTopic)
    assert.deepEqual(told(places), wanted, fault)
    assertWhole(places, 18)
    const [head] = await scene.heads(planTopic)
    assert.equal(head?.targets.length, 2, fault)
    assert.equal(again.json['restoreId'], head?.restoreId, fault)
  }
  const waiting = [...steps.entries()]
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await hit(next[1], next[0])
  }
  await Promise.all([lane(), lane()])
})
