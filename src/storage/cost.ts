import type { Metrics } from '../observe/metrics.ts'
import { outcomes, storageMetrics, verbs } from './metrics.ts'

/** What a command asked of the store: providers charge by the request and by the byte. */
export interface StorageCost {
  /** By verb, repeated ones included; verbs that were not used are left out. */
  readonly requests: Readonly<Partial<Record<(typeof verbs)[number], number>>>
  readonly sentBytes: number
  readonly receivedBytes: number
}

/** Adds up what was counted so far; undefined when the store was not asked for anything. */
export async function storageCost(metrics: Metrics): Promise<StorageCost | undefined> {
  const { requestsTotal, sentBytesTotal, receivedBytesTotal } = metrics.of(storageMetrics)
  const requests: Partial<Record<(typeof verbs)[number], number>> = {}
  for (const verb of verbs) {
    const counts = await Promise.all(outcomes.map(outcome => requestsTotal.value({ verb, outcome })))
    const sum = counts.reduce((total, count) => total + count, 0)
    if (sum > 0) requests[verb] = sum
  }
  if (Object.keys(requests).length === 0) return undefined
  return { requests, sentBytes: await sentBytesTotal.value(), receivedBytes: await receivedBytesTotal.value() }
}
