import type { PlanMapping } from '../format/plan.ts'
import type { PlannerContext, PlannerDeps } from './deps.ts'
import type { LookedAt } from './look.ts'
import { targetName } from './mapping.ts'
import { orderTopics } from './order.ts'
import type { PlannerOptions } from './options.ts'
import { untilLed } from './plan-topic.ts'
import { acceptFewerReplicas, createTarget } from './create-target.ts'
import { seeTarget } from './see-targets.ts'
import type { WantedTarget } from './wanted-target.ts'

/**
 * The selected topics that the backup has a definition of and no file: they held no record, or their files are gone. Not part
 * of a plan, and not to be passed over in silence.
 */
export async function emptyTopics(
  { definitions: saved }: Pick<PlannerContext, 'definitions'>,
  { topics, excludeTopics }: PlannerOptions,
  mapping: PlanMapping,
  { topics: withFiles, point }: Pick<LookedAt, 'topics' | 'point'>,
  signal: AbortSignal,
): Promise<WantedTarget[]> {
  const definitions = (await saved.at(point?.atMs, signal))?.topics ?? []
  const known = new Set(withFiles.map(({ folder }) => folder.topic))
  const then = point === undefined ? undefined : new Set(point.partitions.map(({ topic }) => topic))
  const isEmpty = (topic: string) => !known.has(topic) && then?.has(topic) !== false
  const names = orderTopics(definitions.map(({ topic }) => topic).filter(isEmpty), topics, excludeTopics)
  return names.flatMap(source => {
    const definition = definitions.find(({ topic }) => topic === source)
    if (definition === undefined) return []
    const { partitions } = definition
    const nothing = { recordBytesMax: 0, timestampMin: undefined, timestampMax: undefined }
    return [{ source, topic: targetName(source, mapping), partitions, definition, ...nothing }]
  })
}

/** Creates those that the target cluster lacks, if that is wanted; returns what to tell of each. */
export async function createEmptyTopics(
  { kafka, clock }: PlannerDeps,
  empty: readonly WantedTarget[],
  { createTopics, dryRun }: PlannerOptions,
): Promise<string[]> {
  if (empty.length === 0) return []
  const existing = new Set((await kafka.admin.topics(empty.map(({ topic }) => topic))).map(({ name }) => name))
  const told: string[] = []
  for (const target of empty) {
    const isCreating = createTopics && !existing.has(target.topic)
    if (createTopics && !dryRun) {
      const created = isCreating ? await createTarget(kafka, target) : undefined
      if (isCreating) await untilLed(kafka, clock, target.topic)
      const fewer = await acceptFewerReplicas(kafka, target, await seeTarget(kafka, target.topic), created)
      if (fewer !== undefined) told.push(fewer)
    }
    const what = existing.has(target.topic) ? 'exists already' : isCreating ? 'is created empty' : 'is not created'
    told.push(`the backup has no file of ${target.source}, which held no record: ${target.topic} ${what}`)
  }
  return told
}
