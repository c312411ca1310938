import { backoffMs } from '../runtime/retry.ts'
import type { TopicPartition } from '../runtime/topic-partition.ts'
import type { WorkerContext } from './deps.ts'
import { backupMetrics } from './metrics.ts'
import type { Verdict } from './reading/partition-deps.ts'
import { judgeTrouble } from './trouble.ts'

const BACKOFF = { initialMs: 1_000, maxMs: 60_000 }
/** Whoever comes here has tried for a while already. */
const ATTEMPT = 3

export interface TroubleDeps {
  readonly context: WorkerContext
  readonly isOnce: boolean
  /** Aborts when the worker is to stop. */
  readonly stopping: AbortSignal
  readonly onFatal: (error: unknown) => void
}

/** Waits where there is a point in it, and says what becomes of the partition. `ended` aborts when it is no longer ours. */
export async function waitOutTrouble(
  error: unknown,
  { topic, partition }: TopicPartition,
  ended: AbortSignal,
  { context, isOnce, stopping, onFatal }: TroubleDeps,
): Promise<Verdict> {
  const { metrics, log, clock, random } = context
  metrics.of(backupMetrics).troublesTotal.add(1)
  switch (judgeTrouble(error, { isOnce, isStopping: stopping.aborted })) {
    case 'stop':
      return 'stop'
    case 'end the worker':
      onFatal(error)
      return 'give up'
    case 'give up':
      log.warn({ err: error, topic, partition }, 'could not upload; Kafka still has what was read')
      return 'give up'
    case 'wait':
      log.error({ err: error, topic, partition }, 'cannot back up for the moment, trying again')
      await clock.sleep(backoffMs(BACKOFF, ATTEMPT, random.number), AbortSignal.any([ended, stopping]))
      return 'try again'
  }
}
