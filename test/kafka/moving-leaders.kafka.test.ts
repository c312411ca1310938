import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newFetcher } from '../../src/kafka/kafkajs/fetcher.ts'
import type { BatchFetcher, FetchedBatches } from '../../src/kafka/port/fetching.ts'
import type { Kafka as Client } from '../../src/kafka/port.ts'
import { readTail } from '../../src/kafka/tail.ts'
import { must } from '../../src/runtime/assert.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import type { TopicPartition } from '../../src/runtime/topic-partition.ts'
import { kindsOf, troublesIn, valuesOf, want } from '../helpers/answers.ts'
import { openClusterView } from '../helpers/cluster-view.ts'
import { eventually } from '../helpers/eventually.ts'
import { batchOf } from '../helpers/kafka-batches.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { openClient } from '../helpers/kafka-client.ts'
import { Referee } from '../helpers/referee.ts'
import { Dice } from '../helpers/seed.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'

const mayWrite = () => true
const live = new AbortController().signal
const options = { isolation: 'uncommitted', maxBytes: 1_000_000, minBytes: 1, maxWaitMs: 500 } as const

suite('three brokers', { skip: skipWithForeignKafka }, () => {
  let kafka: Kafka
  let referee: Referee
  let topics = 0

  before(async () => {
    kafka = await Kafka.start({ brokers: 3 })
    referee = Referee.start(kafka.bootstrap)
  })

  after(async () => {
    await referee[Symbol.asyncDispose]()
    await kafka[Symbol.asyncDispose]()
  })

  /** A topic all of whose partitions the first broker leads. */
  async function topicAt(partitions: number, nodeId = 1): Promise<string> {
    const topic = `t${++topics}`
    await referee.createTopic(topic, { partitions })
    for (let partition = 0; partition < partitions; partition++) await referee.moveLeader(topic, partition, nodeId)
    return topic
  }

  /** Knows the leaders as they are now, and will believe in them until an error tells otherwise. */
  async function clientOf(topic: string): Promise<Client> {
    const client = openClient(kafka.bootstrap)
    await eventually('the client knows who leads', async () => {
      await client.routes.refresh([topic])
      return client.routes.leader({ topic, partition: 0 })?.nodeId === 1
    })
    return client
  }

  for (const way of ['name', 'id']) {
    test(`produce by ${way}: of partitions in one request, the one that moved is refused, and the others are taken`, async () => {
      const topic = await topicAt(3)
      await using client = await clientOf(topic)
      using appender = client.newAppender()
      const topicId = way === 'id' ? client.routes.leader({ topic, partition: 0 })?.topicId : undefined
      const append = (partition: number, value: string) =>
        appender.append({ topic, topicId, partition, batch: batchOf([value]), mayWrite })
      await referee.moveLeader(topic, 1, 2)
      await untilGivenUp(client, { topic, partition: 1 })
      const [first, moved, last] = await Promise.all([append(0, 'a'), append(1, 'b'), append(2, 'c')])
      assert.deepEqual(kindsOf([first, moved, last]), ['acknowledged', 'NOT_LEADER_OR_FOLLOWER', 'acknowledged'])
      await eventually('the new leader is known', () => client.routes.leader({ topic, partition: 1 })?.nodeId === 2)
      assert.deepEqual(kindsOf([await append(1, 'b')]), ['acknowledged'])
      assert.deepEqual(await valuesIn(topic), [['a'], ['b'], ['c']])
    })
  }

  test('produce by id: what was meant for a topic that is gone does not get into the one that has its name', async () => {
    const [topic, other] = [await topicAt(1), await topicAt(1)]
    await using client = await clientOf(other)
    const idOf = async (name: string) => {
      await client.routes.refresh([name])
      return client.routes.leader({ topic: name, partition: 0 })?.topicId
    }
    const [gone, otherId] = [await idOf(topic), await idOf(other)]
    await referee.deleteTopic(topic)
    await eventually('it can be created again', () => referee.createTopic(topic).then(() => true))
    await referee.moveLeader(topic, 0, 1)
    using appender = client.newAppender()
    const append = (name: string, topicId: string | undefined) =>
      appender.append({ topic: name, topicId, partition: 0, batch: batchOf(['x']), mayWrite })
    const answers = await Promise.all([append(topic, gone), append(other, otherId)])
    assert.deepEqual(kindsOf(answers), ['UNKNOWN_TOPIC_ID', 'acknowledged'])
    assert.deepEqual([await valuesIn(topic), await valuesIn(other)], [[[]], [['x']]])
  })

  test('produce: a batch that may not be written does not hold back those that share its request', async () => {
    const topic = await topicAt(3)
    await using client = await clientOf(topic)
    using appender = client.newAppender()
    const append = (partition: number, may: boolean) =>
      appender.append({ topic, partition, batch: batchOf([`${partition}`]), mayWrite: () => may })
    const answers = await Promise.all([append(0, true), append(1, false), append(2, true)])
    assert.deepEqual(kindsOf(answers), ['acknowledged', 'unsent', 'acknowledged'])
    assert.deepEqual(await valuesIn(topic), [['0'], [], ['2']])
  })

  test('produce while leaders move: with a look after each refusal nothing is lost, doubled or out of order', async t => {
    const partitions = 4
    const batches = 40
    const topic = await topicAt(partitions)
    await using client = await clientOf(topic)
    using appender = client.newAppender()
    const { topicId } = must(client.routes.leader({ topic, partition: 0 }), 'leader')
    const producerId = await client.admin.newProducerId()
    const dice = new Dice(t.name)
    const troubles: string[] = []
    const moved = { times: 0 }
    const fill = async (partition: number) => {
      for (let count = 0; count < batches;) {
        if (count === batches / 2) await eventually('leaders move', () => moved.times >= partitions)
        const batch = batchOf([`${partition}:${count}`], { producerId, baseSequence: count })
        const answer = await appender.append({ topic, topicId, partition, batch, mayWrite })
        if (answer.kind === 'acknowledged') {
          assert.equal(answer.baseOffset, count)
          count++
        } else {
          troubles.push(...kindsOf([answer]))
          await client.routes.refresh([topic])
          count = await endOf(client, { topic, partition })
        }
        await sleep(dice.between(0, 10))
      }
    }
    const filled = Promise.all(Array.from({ length: partitions }, (_, partition) => fill(partition)))
    await Promise.all([filled, moveLeaders(topic, partitions, filled, moved)])
    assert.ok(troubles.includes('NOT_LEADER_OR_FOLLOWER'), `no leader moved: ${troubles.join()}`)
    const wanted = (partition: number) => Array.from({ length: batches }, (_, n) => `${partition}:${n}`)
    assert.deepEqual(await valuesIn(topic), [0, 1, 2, 3].map(wanted))
  })

  test('fetch: of partitions in one request, the one that moved has an error, and the others their records', async () => {
    const topic = await topicAt(2)
    await referee.produce(
      topic,
      [0, 1].map(partition => ({ partition, value: `${partition}` })),
    )
    await using client = await clientOf(topic)
    const leader = must(client.routes.leader({ topic, partition: 1 }), 'leader')
    await referee.moveLeader(topic, 1, 3)
    await untilGivenUp(client, { topic, partition: 1 })
    // With the epoch, old knowledge is told from new, whoever is asked: followers serve consumers, too.
    const both = [0, 1].map(partition =>
      want({ topic, partition }, must(client.routes.leader({ topic, partition }), 'leader')),
    )
    using answer = await client.fetcher.fetch(1, both, options)
    assert.deepEqual(troublesIn(answer), [undefined, 'FENCED_LEADER_EPOCH'])
    assert.deepEqual(valuesOf(answer), [['0'], []])
    using stale = await client.fetcher.fetch(3, both.slice(1), options)
    assert.deepEqual(troublesIn(stale), ['FENCED_LEADER_EPOCH'])
    await client.routes.refresh([topic])
    const now = must(client.routes.leader({ topic, partition: 1 }), 'leader')
    assert.ok(now.nodeId === 3 && now.leaderEpoch > leader.leaderEpoch)
    // A new leader shows a record only when its followers have told it that they have it.
    await eventually('the new leader shows the record', async () => {
      using fresh = await client.fetcher.fetch(3, [want({ topic, partition: 1 }, now)], options)
      assert.deepEqual(troublesIn(fresh), [undefined])
      return valuesOf(fresh)[0]?.[0] === '1'
    })
  })

  test('fetch by name and by topic id bring the same bytes; of a topic that was created again, only the id tells', async () => {
    const topic = await topicAt(1)
    await referee.produce(topic, [{ value: 'old' }])
    using view = openClusterView(kafka.bootstrap)
    const { topics: described } = await view.metadata([topic])
    const topicId = must(described[0]?.topicId, 'topic id')
    const fetchers: BatchFetcher[] = [11, 12, 13].map(version => newFetcher(view, version))
    const fetchAll = (nodeId: number) =>
      Promise.all(fetchers.map(fetcher => fetcher.fetch(nodeId, [want({ topic, partition: 0 }, { topicId })], options)))
    const answers = await fetchAll(1)
    const sameFor = (answer: FetchedBatches) => answer.partitions.map(one => ({ ...one, isNamedById: undefined }))
    for (const answer of answers) {
      assert.deepEqual(valuesOf(answer), [['old']])
      assert.deepEqual(sameFor(answer), sameFor(answers[0]!))
    }
    assert.deepEqual(
      answers.map(({ partitions: [only] }) => only?.isNamedById),
      [false, false, true],
    )
    for (const answer of answers) answer[Symbol.dispose]()

    await referee.deleteTopic(topic)
    await eventually('it can be created again', () => referee.createTopic(topic).then(() => true))
    await referee.moveLeader(topic, 0, 1)
    await referee.produce(topic, [{ value: 'new' }])
    const later = await fetchAll(1)
    assert.deepEqual(later.map(troublesIn), [[undefined], [undefined], ['UNKNOWN_TOPIC_ID']])
    assert.deepEqual(later.map(valuesOf), [[['new']], [['new']], [[]]])
    for (const answer of later) answer[Symbol.dispose]()
  })

  test('fetch: an offset that the log does not have is reported, beside others, and nothing is read instead', async () => {
    const topic = await topicAt(3)
    const values = ['a', 'b', 'c', 'd']
    await referee.produce(
      topic,
      [0, 1, 2].flatMap(partition => values.map(value => ({ partition, value }))),
    )
    await referee.deleteRecords(topic, 1, 2)
    await using client = await clientOf(topic)
    const { topicId } = must(client.routes.leader({ topic, partition: 0 }), 'leader')
    const offsets = [2, 1, 5] // inside, below the start, beyond the end
    const wanted = offsets.map((offset, partition) => want({ topic, partition }, { topicId, offset }))
    using answer = await client.fetcher.fetch(1, wanted, options)
    assert.deepEqual(troublesIn(answer), [undefined, 'OFFSET_OUT_OF_RANGE', 'OFFSET_OUT_OF_RANGE'])
    assert.deepEqual(
      answer.partitions.toSorted((a, b) => a.partition - b.partition).map(({ trouble }) => trouble?.kind),
      [undefined, 'out of range', 'out of range'],
    )
    assert.deepEqual(valuesOf(answer), [['a', 'b', 'c', 'd'], [], []])
    await assert.rejects(
      Array.fromAsync(client.readRecords({ topic, partition: 1 }, 1, 4, live)),
      /OFFSET_OUT_OF_RANGE/,
    )
  })

  test('two fetches on their way to one broker are answered each with its own', async () => {
    const topic = await topicAt(2)
    await referee.produce(topic, [{ partition: 1, value: 'there' }])
    await using client = await clientOf(topic)
    const { topicId } = must(client.routes.leader({ topic, partition: 0 }), 'leader')
    const fetchOne = (partition: number) =>
      client.fetcher.fetch(1, [want({ topic, partition }, { topicId })], { ...options, maxWaitMs: 5_000 })
    const waiting = fetchOne(0) // nothing there yet: it waits
    const second = fetchOne(1)
    await referee.produce(topic, [{ partition: 0, value: 'came later' }])
    using answers = new DisposableStack()
    const [early, late] = [answers.use(await waiting), answers.use(await second)]
    assert.deepEqual([valuesOf(early), valuesOf(late)], [[['came later']], [['there']]])
    assert.deepEqual(
      [early, late].map(({ partitions }) => partitions[0]?.partition),
      [0, 1],
    )
  })

  test('a reader that follows its leaders misses nothing while they move', async () => {
    const partitions = 3
    const count = 30
    const moved = { times: 0 }
    const topic = await topicAt(partitions)
    await using client = await clientOf(topic)
    const write = async () => {
      const all = (value: string) => Array.from({ length: partitions }, (_, partition) => ({ partition, value }))
      for (let n = 0; n < count; n++) {
        await eventually('leaders move', () => moved.times >= Math.floor(n / 6))
        await referee.produce(topic, all(`${n}`))
      }
    }
    const readAll = async (partition: number) => {
      const values: string[] = []
      for await (const { value } of client.readRecords({ topic, partition }, 0, count, live)) values.push(String(value))
      return values
    }
    const reading = Promise.all(Array.from({ length: partitions }, (_, partition) => readAll(partition)))
    const written = write()
    await Promise.all([written, moveLeaders(topic, partitions, written, moved)])
    const wanted = Array.from({ length: count }, (_, n) => `${n}`)
    assert.deepEqual(await reading, [wanted, wanted, wanted])
  })

  test('produce: without an answer it is unanswered, and what never left is unsent', async () => {
    const topic = await topicAt(1, 1)
    await using client = await clientOf(topic)
    using appender = client.newAppender()
    const producerId = await client.admin.newProducerId()
    const first = batchOf(['a'], { producerId, baseSequence: 0 })
    assert.deepEqual(kindsOf([await appender.append({ topic, partition: 0, batch: first, mayWrite })]), [
      'acknowledged',
    ])

    const [broker] = kafka.brokers
    broker!.pause()
    const second = batchOf(['b'], { producerId, baseSequence: 1 })
    let hasLeft = false
    const waiting = appender.append({ topic, partition: 0, batch: second, mayWrite: () => (hasLeft = true) })
    await eventually('the bytes leave', () => hasLeft)
    await sleep(50)
    appender.reset()
    assert.deepEqual(kindsOf([await waiting]), ['unanswered'])
    broker!.resume()
    await eventually('the broker leads again', () => referee.moveLeader(topic, 0, 1).then(() => true))
    // Whether it got there or not: a look tells, and the right next sequence makes it one copy.
    const count = await eventually('the tail can be read', () => endOf(client, { topic, partition: 0 }))
    if (count === 1) {
      const repeat = async () => kindsOf([await appender.append({ topic, partition: 0, batch: second, mayWrite })])
      await eventually('it is there', async () => (await repeat())[0] === 'acknowledged')
    }
    assert.deepEqual(await valuesIn(topic), [['a', 'b']])

    const closed = client.newAppender()
    closed[Symbol.dispose]()
    const unsent = [
      await closed.append({ topic, partition: 0, batch: first, mayWrite }),
      await appender.append({ topic: 'no-such-topic', partition: 0, batch: first, mayWrite }),
    ]
    assert.deepEqual(kindsOf(unsent), ['unsent', 'unsent'])
    await broker!.kill9()
    const nobody = client.newAppender()
    assert.deepEqual(kindsOf([await nobody.append({ topic, partition: 0, batch: first, mayWrite })]), ['unsent'])
    await broker!.restart({ withBrokers: 3 })
  })

  /** Makes one broker after another lead one partition after another, until `work` is done; counts how often. */
  async function moveLeaders(
    topic: string,
    partitions: number,
    work: Promise<unknown>,
    moved: { times: number },
  ): Promise<void> {
    const done = new AbortController()
    void work.catch(() => undefined).then(() => done.abort())
    for (; !done.signal.aborted; moved.times++)
      await referee.moveLeader(topic, moved.times % partitions, 1 + ((moved.times + 1) % 3))
  }

  /** Resolves when the broker that the client believes in has heard that it leads no more: others know it earlier. */
  async function untilGivenUp({ routes }: Client, partition: TopicPartition): Promise<void> {
    const leader = must(routes.leader(partition), 'leader')
    using view = openClusterView(kafka.bootstrap)
    await view.metadata([partition.topic])
    const fetcher = newFetcher(view)
    await eventually('the old leader knows', async () => {
      using answer = await fetcher.fetch(leader.nodeId, [want(partition, leader)], options)
      return troublesIn(answer)[0] === 'FENCED_LEADER_EPOCH'
    })
  }

  async function valuesIn(topic: string): Promise<string[][]> {
    const partitions = await referee.offsets(topic)
    const records = await referee.records(topic)
    return partitions.map(({ partition }) =>
      records
        .filter(record => record.partition === partition)
        .map(({ value }) => Buffer.from(value ?? '', 'hex').toString()),
    )
  }
})

async function endOf(client: Client, partition: TopicPartition): Promise<number> {
  const tail = await readTail({ kafka: client, clock: systemClock, deadlineMs: 20_000 }, partition, live)
  return tail.logEnd
}
