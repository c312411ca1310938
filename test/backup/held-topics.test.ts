import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { HeldTopics } from '../../src/backup/topics/held-topics.ts'
import { holdChanges } from '../../src/format/hold.ts'
import type { ClusterAdmin, ConfigEntry, TopicDescription } from '../../src/kafka/port/admin.ts'
import type { Kafka } from '../../src/kafka/port.ts'
import type { Logger } from '../../src/observe/logger.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const described = (name: string): TopicDescription => ({
  name,
  topicId: undefined,
  isInternal: false,
  partitions: 1,
  replicationFactor: 1,
  error: undefined,
})

const plain = ['retention.ms', 'cleanup.policy'].map(name => ({ name, value: 'x', isOwn: false, isReadOnly: false }))
const held = [...holdChanges(plain)].map(([name, value]) => ({ name, value, isOwn: true, isReadOnly: false }))

/** A cluster with two topics, `copies` held, that does not tell their configs so often. */
function open(silent: number, there = ['orders', 'copies']) {
  let asked = 0
  const admin: Partial<ClusterAdmin> = {
    topics: async names => there.filter(name => names?.includes(name) ?? true).map(described),
    async topicConfigs(names): Promise<ReadonlyMap<string, readonly ConfigEntry[]>> {
      if (asked++ < silent) return new Promise(() => undefined)
      if (names.some(name => !there.includes(name))) throw new Error('UNKNOWN_TOPIC_OR_PARTITION')
      return new Map(names.map(name => [name, name === 'copies' ? held : plain]))
    },
  }
  const clock = new ManualClock()
  const log = { warn: () => undefined } as unknown as Logger
  const topics = new HeldTopics({ kafka: { admin } as Kafka, clock, log })
  const left = async (...more: string[]) => {
    const looking = topics.without(['orders', 'copies', ...more].map(described))
    looking.catch(() => undefined)
    for (let seconds = 0; seconds < 90; seconds++) {
      for (let n = 0; n < 10; n++) await turn()
      clock.advance(1_000)
    }
    return (await looking).map(({ name }) => name)
  }
  return { topics, left, mute: () => void (silent = Infinity) }
}

test('a first look that failed is no proof that nothing is held: it is tried again', async () => {
  const { left, topics } = open(2)
  assert.deepEqual(await left(), ['orders'])
  assert.equal(topics.isHeld('copies'), true)
  assert.equal(topics.isHeld('orders'), false)
})

test('a cluster that never tells what is held is refused, and one that told once is believed for longer', async () => {
  await assert.rejects(open(Infinity).left(), { code: 'KAFKA_GAVE_UP' })
  const { left, mute } = open(0)
  await left()
  mute()
  assert.deepEqual(await left('payments'), ['orders', 'payments'])
})

test('a topic that was deleted since it was listed does not hide that another one is held', async () => {
  assert.deepEqual(await open(0).left('deleted'), ['orders', 'deleted'])
})
