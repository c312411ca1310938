import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { startCommand } from '../helpers/in-process.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { logged } from '../helpers/log-lines.ts'
import { Referee } from '../helpers/referee.ts'
import { RestoreScene, ok } from '../helpers/restore-scene.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import { openWorld } from '../helpers/world.ts'
import type { World } from '../helpers/world.ts'

const patience = { timeoutMs: 120_000 }
const options = { skip: skipWithForeignKafka }
let kafka: Kafka
let referee: Referee

before(async () => {
  if (skipWithForeignKafka !== false) return
  // Producers are forgotten within a second, and quotas are those of two seconds.
  const properties = { 'producer.id.expiration.check.interval.ms': 1_000, 'quota.window.num': 2 }
  kafka = await Kafka.start({ brokers: 3, properties })
  referee = Referee.start(kafka.bootstrap)
})
after(async () => {
  await referee?.[Symbol.asyncDispose]()
  await kafka?.[Symbol.asyncDispose]()
})

function sceneOf(world: World): RestoreScene {
  return new RestoreScene({ ...world, bootstrap: kafka.bootstrap, referee })
}

async function ends(topic: string): Promise<number[]> {
  return (await referee.offsets(topic)).map(({ end }) => Number(end))
}

/** Leader and followers of a partition. */
async function replicasOf(topic: string, partition = 0): Promise<{ leader: number; followers: number[] }> {
  const { leader, replicas } = (await referee.describeTopic(topic)).partitions[partition]!
  return { leader, followers: replicas.filter(id => id !== leader) }
}

test(
  'leaders that move, too few replicas in sync, and brokers that throttle: a target gets each old record once, in order',
  options,
  async t => {
    await using scene = sceneOf(await openWorld(t))
    const records = 6_000
    const source = await scene.source('orders', records, { partitions: 2 })
    await scene.backUp(source)
    const target = scene.world.name('copy')
    const configs = { 'max.message.bytes': 8_192, 'min.insync.replicas': 2 }
    await referee.createTopic(target, { partitions: 2, replicas: 2, configs })
    ok(await scene.plan([`--rename=${source}=${target}`]))
    await referee.limitProducers(50_000)
    await using _quota = { [Symbol.asyncDispose]: () => referee.limitProducers(0) }
    const restore = startCommand(scene.restoreArgv(['--exit-when-done', '--log-level=debug']))
    const reaches = (count: number) =>
      eventually(`partition 0 has ${count} records`, async () => (await ends(target))[0]! >= count, patience)

    await reaches(500)
    const origin = await replicasOf(target)
    await referee.moveLeader(target, 0, origin.followers[0]!)
    const moved = (await ends(target))[0]!
    assert.ok(moved < records, 'the restore was over before the leader moved')
    await reaches(moved + 200)
    const { leader, followers } = await replicasOf(target)
    assert.deepEqual([leader, followers], [origin.followers[0], [origin.leader]])

    // Without its follower the partition takes nothing: the batch on its way is refused, or stays without an answer.
    const troubles = () =>
      [...restore.output().matchAll(/NOT_ENOUGH_REPLICAS|REQUEST_TIMED_OUT|no answer to a batch|not replicated/g)]
        .length
    const sofar = troubles()
    const follower = kafka.brokers[followers[0]! - 1]!
    await follower.kill9()
    await eventually('replicas are too few', () => troubles() > sofar, patience)
    assert.ok((await ends(target))[0]! < records, 'the restore was over before')
    await follower.restart({ withBrokers: 3 })

    assert.equal(ok(await restore.result).json['result'], 'ok')
    await scene.assertSame(source, target)
  },
)

test(
  'an unclean election on the target that cuts back into files which were committed: what was lost is restored again',
  options,
  async t => {
    await using scene = sceneOf(await openWorld(t))
    const source = await scene.source('orders', 500)
    await scene.backUp(source)
    const target = scene.world.name('copy')
    const configs = { 'max.message.bytes': 8_192, 'min.insync.replicas': 1, 'unclean.leader.election.enable': 'true' }
    await referee.createTopic(target, { replicas: 2, configs })
    const plan = () => scene.plan([`--rename=${source}=${target}`])
    ok(await plan())
    const restore = startCommand(scene.restoreArgv([]))
    const isSealed = (times: number) =>
      eventually(
        `it is complete for the ${times}. time`,
        () => logged(restore.output(), 'complete and sealed until maxbrod finalize').length >= times,
        patience,
      )
    await isSealed(1)

    // Only the leader gets the second file.
    const { leader, followers } = await replicasOf(target)
    const [a, b] = [kafka.brokers[leader - 1]!, kafka.brokers[followers[0]! - 1]!]
    await b.kill9()
    await scene.write(source, 1_000)
    await scene.backUp(source)
    ok(await plan())
    await isSealed(2)
    assert.deepEqual(await ends(target), [1_500])

    await a.kill9()
    await b.restart({ withBrokers: 2 })
    const lost = () =>
      logged(restore.output(), 'the target has lost records that were restored: they are restored again')
    await eventually('the loss is noticed', () => lost().length > 0, patience)
    assert.deepEqual([lost()[0]!['restored'], lost()[0]!['left']], [1_500, 500])
    await eventually('all is there again', async () => (await ends(target))[0] === 1_500, patience)
    await a.restart({ withBrokers: 3 })
    await isSealed(3)
    restore.signal('SIGTERM')
    ok(await restore.result)
    await scene.assertSame(source, target)
  },
)
