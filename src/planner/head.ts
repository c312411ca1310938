import { PRODUCER_EXPIRATION } from '../format/hold.ts'
import type { PlanHead, PlanMapping, PlanTarget } from '../format/plan.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { producerExpirationBefore } from './apply-hold.ts'
import type { PlannerDeps } from './deps.ts'
import type { PlannerOptions } from './options.ts'
import type { PlanState } from './plan-state.ts'

/** The head that begins a restore, with a producer id of its own. */
export async function firstHead(
  deps: PlannerDeps,
  { hold, topics, excludeTopics }: PlannerOptions,
  mapping: PlanMapping,
  sourceClusterId: string | undefined,
  planPartitions: number,
  targets: readonly PlanTarget[],
): Promise<PlanHead> {
  return {
    kind: 'head',
    restoreId: deps.random.id(),
    producerId: String(await deps.kafka.admin.newProducerId()),
    planPartitions,
    selection: { topics: topics.map(sourceOf), excludeTopics: excludeTopics.map(sourceOf) },
    mapping,
    sourceClusterId,
    targetClusterId: await deps.kafka.admin.clusterId(),
    hold,
    brokerDefaults: await brokerDefaults(deps, hold),
    targets,
  }
}

/** What a run adds: targets, and whether they are held. A later run may hold its own where an earlier one did not. */
export type HeadPart = Pick<PlanHead, 'hold' | 'brokerDefaults' | 'targets'>

/** The part of a run that goes on with a plan. */
export async function laterPart(
  deps: PlannerDeps,
  hold: PlanHead['hold'],
  targets: readonly PlanTarget[],
  { heads }: PlanState,
): Promise<HeadPart> {
  // What the brokers had before the first hold stands in the head of that one.
  const isHeldBefore = heads.some(head => head.hold === 'auto')
  return { hold, targets, brokerDefaults: isHeldBefore ? {} : await brokerDefaults(deps, hold) }
}

async function brokerDefaults(deps: PlannerDeps, hold: PlanHead['hold']): Promise<PlanHead['brokerDefaults']> {
  const expiration = hold === 'off' ? undefined : await producerExpirationBefore(deps)
  return expiration === undefined ? {} : { [PRODUCER_EXPIRATION.name]: expiration }
}

/** A further head for targets that the plan does not have yet; undefined when it has all of them. */
export function headFor(first: PlanHead, part: HeadPart, state: PlanState): PlanHead | undefined {
  const missing = part.targets.filter(({ topic }) => !isPlanned(state, topic))
  return missing.length === 0 ? undefined : { ...first, ...part, targets: missing }
}

/** True when the plan has a target of that name. */
export function isPlanned(state: PlanState | undefined, topic: string): boolean {
  return plannedTarget(state, topic) !== undefined
}

export function plannedTarget(state: PlanState | undefined, topic: string): PlanTarget | undefined {
  return state?.heads.flatMap(({ targets }) => targets).find(target => target.topic === topic)
}

/** The targets of a plan by name, of the heads with that hold. */
export function targetsOf(state: PlanState, wanted: PlanHead['hold']): ReadonlyMap<string, PlanTarget> {
  const heads = state.heads.filter(({ hold }) => hold === wanted)
  return new Map(heads.flatMap(({ targets }) => targets).map(target => [target.topic, target]))
}

/** Throws PLAN_FOREIGN unless the plan topic belongs to a restore of the same cluster with the same target names. */
export function checkSameMapping(
  head: PlanHead,
  mapping: PlanMapping,
  clusterId: string | undefined,
  planTopic: string,
): void {
  const isSameCluster =
    clusterId === undefined || head.sourceClusterId === undefined || head.sourceClusterId === clusterId
  if (isSameCluster && JSON.stringify(head.mapping) === JSON.stringify(mapping)) return
  throw new MaxbrodError(
    'PLAN_FOREIGN',
    `${planTopic} holds the plan of another restore (${isSameCluster ? 'other target names' : `of cluster ${head.sourceClusterId}`})`,
    {
      hint: 'every restore has a plan topic of its own: use another --plan-topic',
    },
  )
}

function sourceOf({ source }: RegExp): string {
  return source
}
