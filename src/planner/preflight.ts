import type { SeenTarget } from './see-targets.ts'
import { configsOfNew } from './create-target.ts'
import { fewerReplicas } from './enough-brokers.ts'
import { judgeTarget } from './judge-target.ts'
import type { PlannedTarget } from './judge-target.ts'
import type { Refusal } from './refusal.ts'
import { replicaDoubts } from './target-limits.ts'
import type { TargetOptions, WantedTarget } from './wanted-target.ts'

/** What is found out of one target before anything is written. */
export interface PreflightRow {
  readonly source: string
  readonly target: string
  /** `hidden`: the cluster does not tell. `refused` ones were not asked for at all. */
  readonly topic: 'exists' | 'to be created' | 'missing' | 'hidden'
  readonly partitions: number
  readonly sourcePartitions: number
  readonly replicas: number | undefined
  /** As they are before the hold; of a topic that is to be created as far as its source says. */
  readonly configs: Readonly<Record<string, string | null>>
  /** Records that are there already, in all partitions; undefined when the cluster does not tell. */
  readonly records: number | undefined
  /** Of whom they are. Those behind the base of `--append` stay where they are. */
  readonly ownedBy: 'nobody' | 'this restore' | 'others'
  readonly verdict: 'ok' | 'note' | 'refused'
  /** Why it is refused, or what is worth a word. */
  readonly reasons: readonly string[]
}

/** The configs that a restore must look at. */
const PREFLIGHT_CONFIGS = [
  'cleanup.policy',
  'retention.ms',
  'retention.bytes',
  'max.message.bytes',
  'min.insync.replicas',
  'message.timestamp.type',
] as const

export interface Preflight {
  readonly rows: readonly PreflightRow[]
  readonly refusals: readonly Refusal[]
}

export interface PreflightView {
  /** Those with records in the backup, and those that held none. */
  readonly wanted: readonly WantedTarget[]
  readonly empty: readonly WantedTarget[]
  /** By source: targets with impossible names. */
  readonly impossible: ReadonlyMap<string, Refusal>
  readonly seen: ReadonlyMap<string, SeenTarget>
  readonly planned: (target: string) => PlannedTarget | undefined
  /** How many there are, for what is to be created. */
  readonly brokers?: number | undefined
}

/** Said of a target that gets no record; it has its own words in the result. */
export const HELD_NOTHING = 'its source held no record'

/** Judges all targets at once, so that everything that is refused is told together. Pure. */
export function preflight(
  { wanted, empty, impossible, seen, planned, brokers }: PreflightView,
  options: TargetOptions,
  nowMs: number,
): Preflight {
  const lowered = (target: WantedTarget) =>
    options.createTopics && !seen.has(target.topic) ? fewerReplicas(target, brokers) : []
  const judged = wanted.map(target => {
    const found = seen.get(target.topic)
    const before = planned(target.topic)
    const no = impossible.get(target.source)
    const { refusals, notes } =
      no === undefined ? judgeTarget(target, found, before, options, nowMs) : { refusals: [no], notes: [] }
    const isFresh = before === undefined && found !== undefined && found.description.error === undefined
    const doubts = isFresh
      ? replicaDoubts(target.topic, found.description.replicationFactor, found.configs)
      : lowered(target)
    return { row: rowOf(target, found, before, options, refusals, [...doubts, ...notes]), refusals }
  })
  const without = empty.map(target => {
    const no = impossible.get(target.source)
    const refusals = no === undefined ? [] : [no]
    const notes = [...lowered(target), HELD_NOTHING]
    return { row: rowOf(target, seen.get(target.topic), undefined, options, refusals, notes), refusals }
  })
  const all = [...judged, ...without]
  return { rows: all.map(({ row }) => row), refusals: all.flatMap(({ refusals }) => refusals) }
}

function rowOf(
  wanted: WantedTarget,
  seen: SeenTarget | undefined,
  planned: PlannedTarget | undefined,
  { createTopics }: TargetOptions,
  refusals: readonly Refusal[],
  notes: readonly string[],
): PreflightRow {
  const isHidden = seen?.description.error !== undefined
  const topic = isHidden ? 'hidden' : seen !== undefined ? 'exists' : createTopics ? 'to be created' : 'missing'
  const records = seen === undefined ? 0 : isHidden ? undefined : recordsIn(seen)
  return {
    source: wanted.source,
    target: wanted.topic,
    topic,
    partitions: seen?.description.partitions ?? (topic === 'missing' ? 0 : wanted.partitions),
    sourcePartitions: wanted.partitions,
    replicas: seen?.description.replicationFactor ?? wanted.definition?.replication_factor,
    configs: configsOf(wanted, seen),
    records,
    ownedBy: records === 0 || records === undefined ? 'nobody' : planned === undefined ? 'others' : 'this restore',
    verdict: refusals.length > 0 ? 'refused' : notes.length > 0 ? 'note' : 'ok',
    reasons: [...refusals.map(({ message }) => message), ...notes],
  }
}

/** Undefined when one of its partitions does not tell. */
function recordsIn({ logs }: SeenTarget): number | undefined {
  let sum = 0
  for (const { start, end } of logs) {
    if (start === undefined || end === undefined) return undefined
    sum += end - start
  }
  return sum
}

function configsOf(wanted: WantedTarget, seen: SeenTarget | undefined): PreflightRow['configs'] {
  const present =
    seen === undefined ? configsOfNew(wanted) : new Map(seen.configs.map(({ name, value }) => [name, value] as const))
  return Object.fromEntries(
    PREFLIGHT_CONFIGS.flatMap(name => (present.has(name) ? [[name, present.get(name) ?? null]] : [])),
  )
}
