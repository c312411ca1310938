import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { runCommand } from '../helpers/in-process.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { manyFiles } from '../helpers/many-files.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { Referee } from '../helpers/referee.ts'
import type { PlanPlace } from '../helpers/restore-scene.ts'
import { RestoreScene, ok } from '../helpers/restore-scene.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import { openWorld } from '../helpers/world.ts'

/** Half a minute each: so long a planner waits for the answer of a broker that stands still. */
const rounds = 4
const [files, topics, partitions, planPartitions] = [6_000, 4, 6, 3] as const
const planned = /^kafka\.append:after:[0-9]+-:note$/

/** Files of each chain, in the order of the plan topic: which object, and what the plan counts before it. */
function chainsOf(places: readonly PlanPlace[]): Map<string, string[]> {
  const chains = new Map<string, string[]>()
  for (const { entry } of places) {
    if (entry.kind !== 'file') continue
    const name = `${entry.target.topic}-${entry.target.partition}`
    const said = `${entry.index} ${entry.recordsBefore}+${entry.records} ${entry.object.key}`
    chains.set(name, [...(chains.get(name) ?? []), said])
  }
  return chains
}

test(
  'a plan topic on three brokers, one of which stands still, and planners killed at any of their appends: the plan is the one that was to be',
  { skip: skipWithForeignKafka },
  async t => {
    await using kafka = await Kafka.start({ brokers: 3 })
    await using referee = Referee.start(kafka.bootstrap)
    await using scene = new RestoreScene(await openWorld(t, { bootstrap: kafka.bootstrap, referee }))
    const { world, store } = scene
    for (const { key, bytes } of manyFiles(files, topics, partitions)) await store.put(key, bodyOf(bytes), {})
    for (let n = 0; n < topics; n++) await referee.createTopic(`scale-${n}`, { partitions })
    const argvFor = (planTopic: string) => scene.planArgv([`--plan-partitions=${planPartitions}`], planTopic)

    const golden = new FaultyCli(argvFor(world.name('golden')), ['kafka.append:after:1-:note'])
    assert.equal((await golden.result).exit, 0, golden.output)
    const appends = golden.fired.filter(fault => planned.test(fault)).length
    assert.ok(appends >= files / 500, `${appends} appends`)
    const wanted = chainsOf(await scene.entries(world.name('golden')))
    assert.equal([...wanted.values()].flat().length, files)

    for (let round = 0; round < rounds; round++) {
      const planTopic = world.name(`plan${round}`)
      const fault = `kafka.append:${world.dice.pick(['before', 'after'])}:${world.dice.between(2, appends)}:kill`
      const planner = new FaultyCli(argvFor(planTopic), ['kafka.append:after:1:note', fault])
      await planner.happened('kafka.append:after:1:note')
      const { partitions: leaders } = await referee.describeTopic(planTopic)
      const paused = kafka.brokers[leaders[round % planPartitions]!.leader - 1]!
      paused.pause()
      try {
        assert.equal((await planner.result).exit, 'SIGKILL', planner.output)
        planner.assertAllFired()
        // In every other round the next planner comes while the broker still stands.
        if (round % 2 === 0) paused.resume()
        ok(await runCommand(argvFor(planTopic)))
      } finally {
        paused.resume()
      }
      // Until then, who has just woken up may take itself for the leader, and tell what it knew.
      await eventually('three brokers are in sync', async () =>
        (await referee.describeTopic(planTopic)).partitions.every(({ inSync }) => inSync.length === 3),
      )
      const places = await scene.entries(planTopic)
      assert.deepEqual(chainsOf(places), wanted, `${fault}, round ${round}`)
      const ends = places.filter(({ entry }) => entry.kind === 'end').map(({ partition }) => partition)
      assert.deepEqual(
        ends,
        Array.from({ length: planPartitions }, (_, partition) => partition),
      )
    }
  },
)
