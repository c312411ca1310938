import { messageOf } from '../../runtime/errors.ts'
import { PartitionMap } from '../../runtime/topic-partition.ts'
import { kafkaErrorName, kindOf } from '../kafka-errors.ts'
import type { AppendAnswer, AppendRequest, BatchAppender } from '../port/appending.ts'
import { PRODUCE, PRODUCE_BY_ID, produceCall } from '../protocol/produce.ts'
import type { ProducedPartition } from '../protocol/produce.ts'
import type { BrokerConnection } from './broker-connection.ts'
import type { ClusterView } from './cluster-view.ts'
import type { Purpose } from './connections.ts'
import { UnsentError } from './frame-connection.ts'

/** How long the broker may wait for its followers, and how much longer we wait for the broker. */
const ACK_TIMEOUT_MS = 30_000
const GRACE_MS = 5_000
/** Brokers take requests of 100 MiB (socket.request.max.bytes); smaller ones keep latency and memory down. */
const MAX_REQUEST_BYTES = 8 * 1024 * 1024
/** A second request is on the way while the broker writes the first one; their partitions differ. */
const IN_FLIGHT = 2

interface Waiting extends AppendRequest {
  readonly answer: (answer: AppendAnswer) => void
}

/** Sends the batches that wait for one broker, many partitions per request. */
class BrokerSender {
  readonly #view: ClusterView
  readonly #nodeId: number
  readonly #purpose: Purpose
  readonly #queue: Waiting[] = []
  #inFlight = 0
  #isScheduled = false

  constructor(view: ClusterView, nodeId: number, purpose: Purpose) {
    this.#view = view
    this.#nodeId = nodeId
    this.#purpose = purpose
  }

  push(waiting: Waiting): void {
    this.#queue.push(waiting)
    if (this.#isScheduled) return
    this.#isScheduled = true
    // Batches that become ready in the same turn of the event loop share a request.
    setImmediate(() => {
      this.#isScheduled = false
      this.#sendMore()
    })
  }

  /** Answers all that were not sent yet. */
  close(reason: string): void {
    for (const { answer } of this.#queue.splice(0)) answer({ kind: 'unsent', reason })
  }

  #sendMore(): void {
    while (this.#queue.length > 0 && this.#inFlight < IN_FLIGHT) {
      const group: Waiting[] = []
      for (let bytes = 0; this.#queue[0] !== undefined;) {
        bytes += this.#queue[0].batch.length
        if (group.length > 0 && bytes > MAX_REQUEST_BYTES) break
        group.push(this.#queue.shift() as Waiting)
      }
      this.#inFlight++
      void this.#send(group).finally(() => {
        this.#inFlight--
        this.#sendMore()
      })
    }
  }

  async #send(group: readonly Waiting[]): Promise<void> {
    const answers = new PartitionMap<AppendAnswer>()
    let otherwise: AppendAnswer = { kind: 'unanswered', reason: 'the broker left this partition out of its answer' }
    const moved = new Set<string>()
    let isOpen = false
    try {
      const connection = this.#view.connection(this.#nodeId, this.#purpose)
      await connection.open()
      isOpen = true
      // That may have taken long. One that may not be written must not hold back those that share its request; the others
      // are asked again as the bytes leave.
      const willing = group.filter(waiting => {
        const mayWrite = waiting.mayWrite()
        if (!mayWrite) answers.set(waiting, { kind: 'unsent', reason: 'a check before the write said no' })
        return mayWrite
      })
      for (const produced of willing.length === 0 ? [] : await produce(connection, willing)) {
        const answer = answerOf(produced)
        answers.set(produced, answer)
        if (answer.kind === 'refused' && answer.trouble.kind === 'moved') moved.add(produced.topic)
      }
    } catch (error) {
      otherwise = { kind: !isOpen || error instanceof UnsentError ? 'unsent' : 'unanswered', reason: messageOf(error) }
      for (const { topic } of group) moved.add(topic)
    }
    for (const waiting of group) waiting.answer(answers.get(waiting) ?? otherwise)
    if (moved.size > 0) void this.#view.refresh([...moved])
  }
}

async function produce(connection: BrokerConnection, batches: readonly Waiting[]): Promise<ProducedPartition[]> {
  const isById = batches.every(({ topicId }) => topicId !== undefined) && (await takesIds(connection))
  const call = produceCall(isById ? PRODUCE_BY_ID : PRODUCE.newest, ACK_TIMEOUT_MS, batches)
  const produced = await connection.send(call, {
    timeoutMs: ACK_TIMEOUT_MS + GRACE_MS,
    mayWrite: () => batches.every(waiting => waiting.mayWrite()),
  })
  if (!isById) return produced
  const names = new Map(batches.map(({ topic, topicId }) => [topicId, topic]))
  return produced.map(answered => ({ ...answered, topic: names.get(answered.topic) ?? answered.topic }))
}

async function takesIds(connection: BrokerConnection): Promise<boolean> {
  return (await connection.version(PRODUCE.apiKey, PRODUCE_BY_ID, PRODUCE_BY_ID)) !== undefined
}

function answerOf({ errorCode, baseOffset, appendTime, logStartOffset }: ProducedPartition): AppendAnswer {
  const error = kafkaErrorName(errorCode)
  return error === undefined
    ? { kind: 'acknowledged', baseOffset, appendTime: appendTime < 0n ? undefined : appendTime, logStartOffset }
    : { kind: 'refused', trouble: { name: error, kind: kindOf(error) } }
}

/** BatchAppender over kafkajs' sockets; each `number` has connections of its own. */
export function newAppender(view: ClusterView, number: number): BatchAppender {
  const purpose: Purpose = `produce ${number}`
  const senders = new Map<number, BrokerSender>()
  const onTheirWay = new PartitionMap<true>()
  let isClosed = false

  const send = async (request: AppendRequest): Promise<AppendAnswer> => {
    if (view.leader(request) === undefined) await view.refresh([request.topic])
    const leader = view.leader(request)
    if (leader === undefined) return { kind: 'unsent', reason: 'the partition has no leader' }
    if (isClosed) return { kind: 'unsent', reason: 'the appender was closed' }
    const { nodeId } = leader
    const sender = senders.get(nodeId) ?? new BrokerSender(view, nodeId, purpose)
    senders.set(nodeId, sender)
    return new Promise(answer => sender.push({ ...request, answer }))
  }

  return {
    async append(request) {
      // A former owner's batch, when its partition was lost and came back at once: what becomes of it is not known yet.
      if (onTheirWay.has(request)) return { kind: 'unsent', reason: 'another batch of the partition is on its way' }
      onTheirWay.set(request, true)
      try {
        return await send(request)
      } finally {
        onTheirWay.delete(request)
      }
    },
    reset: () => view.connections.reset(purpose),
    [Symbol.dispose]() {
      isClosed = true
      for (const sender of senders.values()) sender.close('the appender was closed')
      view.connections.drop(purpose)
    },
  }
}
