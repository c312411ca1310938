import { sealConfigs } from '../format/hold.ts'
import type { PlanCount } from './count-restored.ts'
import type { ExecutorDeps } from './deps.ts'
import type { Targets } from './targets.ts'

/** Seals the held topics of which every partition is complete: from now on they take no old records. */
export async function sealComplete(
  { kafka, log }: ExecutorDeps,
  counts: readonly PlanCount[],
  targets: Targets,
): Promise<void> {
  for (const topic of new Set(counts.map(count => count.topic))) {
    const isComplete = counts.every(count => count.topic !== topic || count.restored === count.planned)
    if (!isComplete || !targets.isHeld(topic)) continue
    const seal = sealConfigs((await kafka.admin.topicConfigs([topic])).get(topic) ?? [])
    if (seal.size === 0) continue
    await kafka.admin.alterTopicConfigs(topic, seal)
    log.info({ topic }, 'complete and sealed until maxbrod finalize')
  }
}
