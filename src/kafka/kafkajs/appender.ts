import { kafkaErrorName, kindOf } from '../kafka-errors.ts'
import type { AppendAnswer, AppendRequest, BatchAppender } from '../port.ts'
import { PartitionMap } from '../../runtime/topic-partition.ts'
import { produceCall } from '../protocol/produce.ts'
import { UnsentError } from './broker-connection.ts'
import type { BrokerConnection } from './broker-connection.ts'
import type { ClusterView, Purpose } from './cluster-view.ts'

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
  #connection: BrokerConnection | undefined
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

  reset(): void {
    this.#connection?.destroy()
  }

  #sendMore(): void {
    while (this.#queue.length > 0 && this.#inFlight < IN_FLIGHT) {
      const group: Waiting[] = []
      for (let bytes = 0; this.#queue[0] !== undefined;) {
        const [next] = this.#queue
        // One that may not be written must not hold back those that share its request.
        if (!next.mayWrite()) {
          this.#queue.shift()
          next.answer({ kind: 'unsent', reason: 'a check before the write said no' })
          continue
        }
        bytes += next.batch.length
        if (group.length > 0 && bytes > MAX_REQUEST_BYTES) break
        this.#queue.shift()
        group.push(next)
      }
      if (group.length === 0) return
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
    try {
      const connection = this.#view.connection(this.#nodeId, this.#purpose)
      this.#connection = connection
      const mayWrite = () => group.every(waiting => waiting.mayWrite())
      const produced = await connection.send(produceCall(ACK_TIMEOUT_MS, group), {
        timeoutMs: ACK_TIMEOUT_MS + GRACE_MS,
        mayWrite,
      })
      for (const { topic, partition, errorCode, baseOffset, logStartOffset } of produced) {
        const error = kafkaErrorName(errorCode)
        answers.set(
          { topic, partition },
          error === undefined
            ? { kind: 'acknowledged', baseOffset, logStartOffset }
            : { kind: 'refused', trouble: { name: error, kind: kindOf(error) } },
        )
        if (error !== undefined && kindOf(error) === 'moved') void this.#view.refresh([topic])
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (error instanceof UnsentError) otherwise = { kind: 'unsent', reason }
      else {
        otherwise = { kind: 'unanswered', reason }
        this.reset() // bytes may still wait in the socket
        void this.#view.refresh([...new Set(group.map(({ topic }) => topic))])
      }
    }
    for (const waiting of group) waiting.answer(answers.get(waiting) ?? otherwise)
  }
}

/** BatchAppender over kafkajs' sockets; each `number` has connections of its own. */
export function newAppender(view: ClusterView, number: number): BatchAppender {
  const purpose: Purpose = `produce ${number}`
  const senders = new Map<number, BrokerSender>()
  const reset = () => {
    for (const sender of senders.values()) sender.reset()
  }
  return {
    async append(request) {
      if (view.leader(request) === undefined) await view.refresh([request.topic])
      const leader = view.leader(request)
      if (leader === undefined) return { kind: 'unsent', reason: 'the partition has no leader' }
      const { nodeId } = leader
      const sender = senders.get(nodeId) ?? new BrokerSender(view, nodeId, purpose)
      senders.set(nodeId, sender)
      return new Promise(answer => sender.push({ ...request, answer }))
    },
    reset,
    [Symbol.dispose]: reset,
  }
}
