import type { MaxbrodError } from '../runtime/errors.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import type { AuditedTopic } from './audit.ts'
import { judgeFindings } from './judge-findings.ts'
import type { PlannerOptions } from './options.ts'
import type { PreflightRow } from './preflight.ts'

/** A topic of the selection that is not planned, and why. */
export interface LeftOutTopic {
  readonly topic: string
  readonly reason: string
}

/** What of a topic itself may be wrong: its files, or what they say. */
const OF_A_TOPIC = ['TILING_HOLE', 'FOREIGN_CLUSTER', 'OBJECT_CORRUPT', 'OBJECT_LIMIT', 'OBJECT_CHANGED'] as const

/** Collects the topics that a plan goes on without (--ignore-errors); without that flag every error is thrown. */
export class LeftOut {
  readonly #isWanted: boolean
  readonly #topics = new Map<string, string>()
  #first: MaxbrodError | undefined

  constructor({ ignoreErrors }: Pick<PlannerOptions, 'ignoreErrors'>) {
    this.#isWanted = ignoreErrors
  }

  get topics(): readonly LeftOutTopic[] {
    return [...this.#topics].map(([topic, reason]) => ({ topic, reason }))
  }

  has(topic: string): boolean {
    return this.#topics.has(topic)
  }

  /** Does what concerns one topic; undefined when that topic is left out for it. */
  async unless<T>(topic: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      if (!this.#isWanted || !isMaxbrodError(error, ...OF_A_TOPIC)) throw error
      this.#add(topic, error.message, error)
      return undefined
    }
  }

  /** The topics whose files tile, of those that were not left out for other files. */
  async whole(topics: readonly AuditedTopic[], options: Pick<PlannerOptions, 'acceptGaps'>): Promise<AuditedTopic[]> {
    if (!this.#isWanted) return [...topics]
    for (const { folder, partitions } of topics)
      await this.unless(folder.topic, async () => judgeFindings(partitions, options))
    return topics.filter(({ folder }) => !this.has(folder.topic))
  }

  /** Whether the plan goes on without the refused targets of these. */
  takes(rows: readonly PreflightRow[]): boolean {
    const refused = rows.filter(({ verdict }) => verdict === 'refused')
    if (!this.#isWanted || refused.length === rows.length) return false
    for (const { source, reasons } of refused) this.#add(source, reasons.join('; '), undefined)
    return true
  }

  /** Throws what was wrong with the first of them: nothing is left to plan. */
  rethrow(): void {
    if (this.#first !== undefined) throw this.#first
  }

  #add(topic: string, reason: string, error: MaxbrodError | undefined): void {
    if (!this.#topics.has(topic)) this.#topics.set(topic, reason)
    this.#first ??= error
  }
}
