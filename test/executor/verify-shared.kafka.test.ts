import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ports } from '../../src/commands/ports.ts'
import { markText, readMark } from '../../src/executor/verify-marks.ts'
import type { VerifiedChain } from '../../src/executor/verify-shared.ts'
import { planPartitionOf } from '../../src/format/plan-partition.ts'
import type { GetOptions } from '../../src/storage/port.ts'
import { eventually } from '../helpers/eventually.ts'
import { startCommand } from '../helpers/in-process.ts'
import { logged } from '../helpers/log-lines.ts'
import { ok, openRestoreScene } from '../helpers/restore-scene.ts'

/** The world of an executor of which a test sees how many plan partitions it has, and holds its reads. */
function watched(before: (key: string, options: GetOptions) => Promise<void>) {
  const seen = { hasJoined: false, owned: 0 }
  const ports = (real: Ports): Ports => ({
    ...real,
    async openKafka(options, tools) {
      const kafka = await real.openKafka(options, tools)
      return {
        ...kafka,
        async joinGroup({ listener, ...group }, signal) {
          const counted = {
            assigned: (all: Parameters<typeof listener.assigned>[0]) => {
              seen.owned += all.length
              listener.assigned(all)
            },
            revoked: (all: Parameters<typeof listener.revoked>[0]) => {
              seen.owned -= all.length
              return listener.revoked(all)
            },
            lost: (all: Parameters<typeof listener.lost>[0]) => {
              seen.owned -= all.length
              listener.lost(all)
            },
          }
          const session = await kafka.joinGroup({ ...group, listener: counted }, signal)
          seen.hasJoined = true
          return session
        },
      }
    },
    async openStore(options, tools) {
      const store = await real.openStore(options, tools)
      return {
        ...store,
        async get(key, more = {}) {
          await before(key, more)
          return store.get(key, more)
        },
      }
    },
  })
  return { seen, ports }
}

const flags = ['--exit-when-done', '--verify=full']

test('executors share a full verification: each plan partition is read back by one of them, and all say by whom', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  for (const partition of [0, 1, 2, 3]) await scene.putFiles(topic, partition, [0, 40, 90])
  // Which chain is in which plan partition depends on its name.
  const partitionsOf = (prefix: string) => [0, 1, 2, 3].map(one => planPartitionOf(`${prefix}${topic}-${one}`, 2))
  const prefix = Array.from({ length: 99 }, (_, n) => `r${n}.`).find(one => new Set(partitionsOf(one)).size === 2)!
  ok(await scene.plan(['--create-topics', `--target-prefix=${prefix}`, '--plan-partitions=2']))
  const gate = Promise.withResolvers<void>()
  const both = [0, 1].map(() => watched(() => gate.promise))
  const executors = both.map(({ ports }, n) =>
    startCommand(scene.restoreArgv([...flags, `--worker-name=w${n}`]), ports),
  )
  await eventually('each has a plan partition', () => both.every(({ seen }) => seen.owned === 1))
  gate.resolve()
  const results = await Promise.all(executors.map(executor => executor.result))
  const [first, second] = results.map(result => ok(result).json['verified'] as VerifiedChain[])
  assert.deepEqual(first, second)
  assert.equal(first?.length, 4)
  assert.deepEqual([...new Set(first.map(({ by }) => by))].toSorted(), ['w0', 'w1'])
  const lines = executors.flatMap(executor => logged(executor.output(), 'verified'))
  assert.deepEqual(
    lines.map(line => Number(line['planPartition'])).toSorted((a, b) => a - b),
    [0, 1],
  )
})

test('what an executor has not read back when it ends, another one reads before it ends well', async t => {
  await using scene = await openRestoreScene(t)
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 40])
  ok(await scene.plan(['--create-topics', '--target-prefix=r.', '--plan-partitions=1']))
  const gate = Promise.withResolvers<void>()
  let gets = 0
  const leaver = watched(async (_, { signal }) => {
    await gate.promise
    if (++gets === 1) return
    await new Promise((_resolve, reject) =>
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    )
  })
  const stayer = watched(() => Promise.resolve())
  const first = startCommand(scene.restoreArgv(flags), leaver.ports)
  await eventually('the first one has the plan', () => leaver.seen.owned === 1)
  const second = startCommand(scene.restoreArgv(flags), stayer.ports)
  await eventually('the second one stands by', () => stayer.seen.hasJoined)
  assert.deepEqual([leaver.seen.owned, stayer.seen.owned], [1, 0])
  gate.resolve()
  await eventually('the first one is reading back', () => gets === 2)
  first.signal('SIGTERM')
  assert.equal((await first.result).exit, 143)
  const { json } = ok(await second.result)
  assert.deepEqual(json['verified'], [{ topic: `r.${topic}`, partition: 0, by: json['executor'] }])
})

test('a mark says how far a plan partition was read back, and by whom', () => {
  for (const mark of [
    { end: 0, by: 'w' },
    { end: 4_711, by: 'a worker of two words' },
  ])
    assert.deepEqual(readMark(markText(mark)), mark)
  for (const metadata of ['', 'verified', 'verified 7', 'verified x y', '{"verified":7}'])
    assert.equal(readMark(metadata), undefined, metadata)
})
