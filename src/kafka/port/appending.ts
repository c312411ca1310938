import type { TopicPartition } from '../../runtime/topic-partition.ts'
import type { Trouble } from './trouble.ts'

export interface BatchAppender extends Disposable {
  /**
   * Sends one finished batch, together with others that are waiting for the same broker. At most one per partition may be on
   * its way: another one is not sent. The batch's bytes must not change, ever, unless the answer is `acknowledged` or `refused`: without an answer
   * they may still lie in a socket.
   */
  append(request: AppendRequest): Promise<AppendAnswer>
  /** Destroys all connections: what was not acknowledged yet becomes `unanswered`. */
  reset(): void
}

export interface AppendRequest extends TopicPartition {
  /** Where it is known, brokers from Kafka 4.1 on refuse a batch for another topic of that name. */
  readonly topicId?: string | undefined
  readonly batch: Buffer
  /** Asked at the last moment before the bytes leave; false makes the answer `unsent`. */
  readonly mayWrite: () => boolean
}

export interface Acknowledged {
  readonly kind: 'acknowledged'
  readonly baseOffset: number
  /**
   * The time that all records of the batch have now in place of their own (LogAppendTime). For a repeat, the newest time in the batch
   * that is there. Undefined when they keep their own.
   */
  readonly appendTime?: bigint | undefined
  readonly logStartOffset: number
}

export type AppendAnswer =
  | Acknowledged
  /** The leader answered with an error. Whether it appended depends on the error. */
  | { readonly kind: 'refused'; readonly trouble: Trouble }
  /** No answer came: it may have been appended, or may still be. */
  | { readonly kind: 'unanswered'; readonly reason: string }
  /** Not a byte of it left this process. */
  | { readonly kind: 'unsent'; readonly reason: string }
