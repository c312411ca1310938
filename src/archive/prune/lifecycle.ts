import type { TopicRule } from './rules.ts'
import type { RuledTopic } from './topics.ts'

/** A rule as `aws s3api put-bucket-lifecycle-configuration` takes it. */
export interface LifecycleRule {
  readonly ID: string
  readonly Filter: { readonly Prefix: string }
  readonly Status: 'Enabled'
  readonly Expiration: { readonly Days: number }
}

export interface Lifecycle {
  readonly rules: readonly LifecycleRule[]
  /** Topics of which a bucket can take nothing by time alone, and why. */
  readonly without: readonly { readonly topic: string; readonly why: string }[]
}

const ID_CHARS_MAX = 255
const DAY_MS = 24 * 3_600_000
/** Of one bucket. */
export const LIFECYCLE_RULES_MAX = 1000

/**
 * Lifecycle rules that take files of each topic away once they are as old as its rule says, in whole days. They go by when an
 * object was stored, and know nothing of restoration points and of a partition's newest file. `prefix` is that of the backup. Pure.
 */
export function lifecycleOf(topics: readonly RuledTopic[], prefix: string): Lifecycle {
  const above = prefix === '' ? '' : `${prefix}/`
  const rules: LifecycleRule[] = []
  const without: { topic: string; why: string }[] = []
  for (const [topic, incarnations] of Map.groupBy(topics, ({ folder }) => folder.topic)) {
    // A rule of a bucket cannot tell the later ones from each other: what keeps one of them longest counts.
    const why = incarnations.flatMap(({ rule }) => whyWithout(rule) ?? [])[0]
    const keepMs = longestOf(incarnations.map(({ rule }) => timeIn(rule)))
    if (why !== undefined || keepMs === undefined) {
      without.push({ topic, why: why ?? BY_BYTES })
      continue
    }
    const days = Math.max(1, Math.ceil(keepMs / DAY_MS))
    for (const end of ['/', '@']) {
      rules.push({
        ID: `maxbrod ${rules.length + 1} ${topic}${end}`.slice(0, ID_CHARS_MAX),
        Filter: { Prefix: `${above}${topic}${end}` },
        Status: 'Enabled',
        Expiration: { Days: days },
      })
    }
  }
  return { rules, without }
}

function whyWithout(rule: TopicRule): string | undefined {
  return 'keepsAll' in rule ? rule.keepsAll : rule.keepBytes === undefined ? undefined : BY_BYTES
}

function timeIn(rule: TopicRule): number | undefined {
  return 'keepsAll' in rule ? undefined : (rule.source?.keepMs ?? rule.keepMs)
}

/** Undefined when one of them is. */
function longestOf(all: readonly (number | undefined)[]): number | undefined {
  return all.reduce((a, b) => (a === undefined || b === undefined ? undefined : Math.max(a, b)))
}

const BY_BYTES = 'a bucket cannot go by the number of bytes'
