import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { BackupRun, begun } from '../helpers/backup-run.ts'
import { eventually } from '../helpers/eventually.ts'
import { runCommand } from '../helpers/in-process.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { logged } from '../helpers/log-lines.ts'
import { Referee } from '../helpers/referee.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

const configs = { 'min.insync.replicas': 1, 'unclean.leader.election.enable': 'true' }
const cutLine = 'files hold records that Kafka lost: they stay, and a new lineage begins where the log was cut'

/** Topics of one partition with the same leader and the same follower. */
async function createTwins(world: World): Promise<{ twins: string[]; leader: number; follower: number }> {
  const { referee } = world
  const twins = new Map<string, string[]>()
  for (let n = 0; n < 50; n++) {
    const topic = world.name(`orders${n}`)
    await referee.createTopic(topic, { replicas: 2, configs })
    const [leader, follower] = (await referee.describeTopic(topic)).partitions[0]!.replicas
    const same = [...(twins.get(`${leader} ${follower}`) ?? []), topic]
    twins.set(`${leader} ${follower}`, same)
    if (same.length === 2) return { twins: same, leader: leader!, follower: follower! }
  }
  throw new Error('no two topics of 50 have the same replicas')
}

async function ledBy({ referee }: World, topics: readonly string[], node: number): Promise<void> {
  for (const topic of topics)
    await eventually(`broker ${node} leads ${topic}`, async () => {
      const [partition] = (await referee.describeTopic(topic)).partitions
      return partition!.leader === node
    })
}

test(
  'an unclean election that loses records: both histories are kept, and a restore gives the one that survived',
  { skip: skipWithForeignKafka },
  async t => {
    await using outer = await openWorld(t)
    await using kafka = await Kafka.start({ brokers: 3 })
    await using referee = Referee.start(kafka.bootstrap)
    const world: World = { ...outer, bootstrap: kafka.bootstrap, referee }
    const { twins, leader, follower } = await createTwins(world)
    const [grown, short] = twins as [string, string]
    const write = async (topic: string, records: number, seed: number) =>
      void (await referee.generate(topic, { partitions: 1, records, seed }))
    const [a, b] = [kafka.brokers[leader - 1]!, kafka.brokers[follower - 1]!]

    // Both replicas have 1,000 records, and only the leader has 500 more when the backup comes.
    for (const topic of twins) await write(topic, 1_000, 1)
    await b.kill9()
    for (const topic of twins) await write(topic, 500, 2)
    const backup = new BackupRun({ world, topics: twins })
    await backup.onceOk()
    const lost = (await backup.stored(grown))[0]!
    assert.equal(lost.to, 1_500)

    // The leader dies, and the follower that never had them becomes leader.
    await a.kill9()
    await b.restart({ withBrokers: 2 })
    await ledBy(world, twins, follower)
    await write(grown, 700, 3)
    await a.restart({ withBrokers: 3 })
    assert.deepEqual(
      (await Promise.all(twins.map(topic => referee.offsets(topic)))).map(([one]) => Number(one!.end)),
      [1_700, 1_000],
    )

    const { exit, json, stderr } = await backup.once()
    assert.equal(exit, 3, stderr)
    assert.equal(json['result'], 'partial')
    assert.deepEqual(json['stopped'], [])
    const cuts = json['cuts'] as { topic: string; partition: number; at: number; lineage: number }[]
    assert.deepEqual(
      new Set(cuts.map(({ topic, partition, at }) => `${topic}-${partition} ${at}`)),
      new Set([`${grown}-0 1000`, `${short}-0 1000`]),
    )
    assert.equal(logged(stderr, cutLine).length, 2)

    // Later, nothing is new about it.
    await write(short, 200, 4)
    assert.deepEqual((await backup.onceOk()).json['cuts'], [])
    for (const topic of twins) {
      const [old, surviving] = await backup.stored(topic)
      const { lineage } = cuts.find(cut => cut.topic === topic)!
      assert.deepEqual([old!.folder, surviving!.folder], [`${topic}/0`, `${topic}/0@e${lineage}`])
      assert.deepEqual([old!.to, surviving!.from], [1_500, 1_000])
    }
    assert.equal((await backup.stored(grown))[0]!.digest, lost.digest)

    const store = `--storage=file://${world.folder}/backup`
    const common = [store, `--bootstrap-server=${kafka.bootstrap}`, `--plan-topic=${world.name('plan')}`]
    const planned = await runCommand(['plan', '--create-topics', '--target-prefix=r.', ...common])
    assert.equal(planned.exit, 0, planned.stderr)
    const restored = await runCommand([
      'restore',
      '--exit-when-done',
      '--metrics-port=0',
      '--session-timeout=6s',
      ...common,
    ])
    assert.equal(restored.exit, 0, restored.stderr)
    for (const topic of twins) {
      const [source] = await referee.read(topic)
      const [target] = await referee.read(`r.${topic}`, { restored: true })
      assert.deepEqual([target!.records, target!.digest], [source!.records, source!.digest], topic)
    }
  },
)

test(
  'an unclean election behind the back of a running worker: it goes on with the history that survived, and keeps the other',
  { skip: skipWithForeignKafka },
  async t => {
    await using outer = await openWorld(t)
    await using kafka = await Kafka.start({ brokers: 3 })
    await using referee = Referee.start(kafka.bootstrap)
    const world: World = { ...outer, bootstrap: kafka.bootstrap, referee }
    const { twins, leader, follower } = await createTwins(world)
    const [durable, buffered] = twins as [string, string]
    const write = async (topic: string, records: number, seed: number) =>
      void (await referee.generate(topic, { partitions: 1, records, seed }))
    const [a, b] = [kafka.brokers[leader - 1]!, kafka.brokers[follower - 1]!]
    const rules = `${world.folder}/rules.conf`
    await writeFile(rules, `[${buffered}]\nmax-file-age = 1h\n`)
    const backup = new BackupRun({ world, topics: twins })
    const worker = backup.start('worker', ['--max-file-age=500ms', `--topic-rules=${rules}`])
    await using _ = {
      async [Symbol.asyncDispose]() {
        worker.signal('SIGTERM')
        await worker.result
      },
    }
    for (const topic of twins) await write(topic, 1_000, 1)
    await eventually('the worker has begun', () => begun(worker.output()).length === 2, { timeoutMs: 120_000 })
    await backup.reachesEnds(durable)
    await b.kill9()
    for (const topic of twins) await write(topic, 500, 2)
    // Of one topic what will be lost is in the store by then, of the other it was only read.
    await backup.reachesEnds(durable)
    await eventually(
      'the worker has read all',
      () => logged(worker.output(), 'read and not uploaded yet').some(({ offsets }) => offsets === 1_500),
      { timeoutMs: 90_000 },
    )

    await a.kill9()
    await b.restart({ withBrokers: 2 })
    await ledBy(world, twins, follower)
    for (const topic of twins) await write(topic, 700, 3)
    await a.restart({ withBrokers: 3 })
    await eventually('the worker follows', () => logged(worker.output(), cutLine).length === 1, { timeoutMs: 120_000 })
    worker.signal('SIGTERM')
    assert.equal((await worker.result).exit, 3, 'the end of a worker says it, too')
    const { json, exit } = await backup.once()
    assert.ok(exit === 0 || exit === 3)
    assert.deepEqual(json['stopped'], [])

    const [old, surviving] = await backup.stored(durable)
    assert.deepEqual([old!.to, surviving!.from], [1_500, 1_000])
    // What was in no file yet is dropped, and read again as it is now.
    assert.equal((await backup.stored(buffered)).length, 1)
    for (const [topic, stored] of [
      [durable, surviving],
      [buffered, (await backup.stored(buffered))[0]],
    ] as const) {
      const [read] = await referee.read(topic)
      assert.equal(stored!.to, Number(read!.end), topic)
      if (topic === buffered) assert.equal(stored!.digest, read!.digest)
    }
  },
)
