import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ports } from '../../src/commands/ports.ts'
import { planPartitionOf } from '../../src/format/plan-partition.ts'
import { eventually } from '../helpers/eventually.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { openForgetfulScene, skipWithoutForgetful } from '../helpers/forgetful-kafka.ts'
import { startCommand } from '../helpers/in-process.ts'
import { logged } from '../helpers/log-lines.ts'
import { ok } from '../helpers/restore-scene.ts'

const options = { skip: skipWithoutForgetful }

const standsBy = 'stands by: the other executors have all plan partitions'

/** A target each of whose partitions has a plan partition of its own, so that every executor has something to do. */
function spread(word: string, partitions: number): string {
  for (let n = 0; ; n++) {
    const name = `${word}-${n}`
    const taken = Array.from({ length: partitions }, (_, of) => planPartitionOf(`${name}-${of}`, partitions))
    if (new Set(taken).size === partitions) return name
  }
}

test(
  'partitions go to an executor that dies behind a batch and before its commit, back to the first one, and again: each record is there once, in order',
  options,
  async t => {
    await using scene = await openForgetfulScene(t)
    const { referee } = scene.world
    const source = await scene.source('orders', 4_000, { partitions: 4 })
    await scene.backUp(source)
    const target = spread(scene.world.name('copy'), 4)
    await referee.createTopic(target, { partitions: 4, configs: { 'max.message.bytes': 4_096 } })
    ok(await scene.plan([`--rename=${source}=${target}`, '--plan-partitions=4']))

    const done = async () => (await referee.offsets(target)).reduce((sum, { end }) => sum + Number(end), 0)
    const slowly = ['--exit-when-done', '--max-rate=60KiB']
    const survivor = startCommand(scene.restoreArgv(slowly))
    await eventually('the first executor works', async () => (await done()) > 0)
    for (const n of [1, 2]) {
      const fault = `kafka.append~${target}:after:${n + 2}:kill`
      const victim = new FaultyCli(scene.restoreArgv(slowly), [fault])
      assert.equal((await victim.result).exit, 'SIGKILL', victim.output)
      victim.assertAllFired()
      assert.ok((await done()) < 16_000, 'the restore was over before it died')
    }
    const result = ok(await survivor.result)
    assert.equal(result.json['result'], 'ok')
    assert.ok((result.json['recordsSent'] as number) < 16_000, 'the others restored nothing')
    await scene.assertSame(source, target)
  },
)

test(
  'an executor without a partition of its own ends when the others are done, and tells the whole restore',
  options,
  async t => {
    await using scene = await openForgetfulScene(t)
    const topic = scene.world.name('orders')
    await scene.putFiles(topic, 0, [0, 4_000])
    ok(await scene.plan(['--create-topics', '--target-prefix=r.']))
    const othersStandBy = Promise.withResolvers<void>()
    const ports = (real: Ports): Ports => ({
      ...real,
      // Ten seconds of the one that watches whether it has something to do are over at once.
      clock: { ...real.clock, sleep: (ms, signal) => real.clock.sleep(ms === 10_000 ? 300 : ms, signal) },
      async openStore(of, tools) {
        const store = await real.openStore(of, tools)
        return { ...store, get: async (...call) => (await othersStandBy.promise, store.get(...call)) }
      },
    })
    const executors = [1, 2, 3].map(() => startCommand(scene.restoreArgv(['--exit-when-done']), ports))
    const idle = () => executors.filter(executor => logged(executor.output(), standsBy).length > 0)
    await eventually('two say that they are idle', () => idle().length >= 2)
    othersStandBy.resolve()
    const results = await Promise.all(executors.map(({ result }) => result))
    for (const result of results) {
      const row = { topic: `r.${topic}`, partitions: 1, recordsPlanned: 4_000, recordsRestored: 4_000 }
      assert.deepEqual(ok(result).json['topics'], [row])
    }
    const sent = results.map(({ json }) => json['recordsSent'] as number)
    assert.equal(
      sent.reduce((a, b) => a + b, 0),
      4_000,
      `sent: ${sent.join()}`,
    )
  },
)
