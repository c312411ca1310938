import { listGenerations, readSeal } from '../catalog/generations.ts'
import type { ListedGeneration } from '../catalog/generations.ts'
import type { Hole } from '../catalog/tiling.ts'
import type { GenerationSeal } from '../format/generation.ts'
import type { GenerationKind, PartitionPlace } from '../format/keys.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import type { PlannerDeps } from './deps.ts'
import type { SurveyedTile } from './surveyed-tile.ts'

/** Files of a partition that were made of others: finished, and as they are read. */
export interface PartitionGeneration {
  /** `compacted/<utc>` */
  readonly name: string
  readonly atMs: number
  readonly seal: GenerationSeal
  readonly tiles: readonly SurveyedTile[]
}

type SurveyTile = (file: ListedGeneration['files'][number]) => Promise<SurveyedTile>

/** What lies beside the originals; read only where it is asked for. */
export class Generations {
  /** About those that cannot be read, for people. */
  readonly warnings: string[] = []
  readonly #deps: PlannerDeps
  readonly #listed: readonly ListedGeneration[]
  readonly #signal: AbortSignal

  private constructor(deps: PlannerDeps, listed: readonly ListedGeneration[], signal: AbortSignal) {
    this.#deps = deps
    this.#listed = listed
    this.#signal = signal
  }

  static async list(deps: PlannerDeps, onForeign: (key: string) => void, signal: AbortSignal): Promise<Generations> {
    return new Generations(deps, await listGenerations(deps.store, { onForeign, signal }), signal)
  }

  /** Files with the very records of originals: for those that are gone. In the order of their offsets. */
  async standIns(place: PartitionPlace, survey: SurveyTile): Promise<SurveyedTile[]> {
    const found = await this.#of(place, kind => kind !== 'compacted', survey)
    // Of those with the same records the newest, which is there for longest.
    return found
      .toSorted((a, b) => b.atMs - a.atMs)
      .flatMap(({ tiles }) => tiles)
      .toSorted((a, b) => a.from - b.from)
  }

  /** Those that hold the latest record of each key: first the one that reaches furthest. */
  async compacted(place: PartitionPlace, survey: SurveyTile): Promise<PartitionGeneration[]> {
    const found = await this.#of(place, kind => kind === 'compacted', survey)
    return found.toSorted((a, b) => b.seal.covers.to - a.seal.covers.to || b.atMs - a.atMs)
  }

  /** The newest compacted generation that has these offsets, whether it can be opened or not. */
  async compactedOver(place: PartitionPlace, { from, to }: Hole): Promise<string | undefined> {
    let name: string | undefined
    for (const listed of this.#listed) {
      if (listed.kind !== 'compacted' || !isIn(listed, place)) continue
      const seal = await this.#sealOf(listed)
      if (seal !== undefined && seal.covers.from <= from && to <= seal.covers.to) name = seal.generation
    }
    return name
  }

  async #of(
    place: PartitionPlace,
    isWanted: (kind: GenerationKind) => boolean,
    survey: SurveyTile,
  ): Promise<PartitionGeneration[]> {
    const found: PartitionGeneration[] = []
    for (const listed of this.#listed) {
      const { generation } = listed.place
      if (!isIn(listed, place) || !isWanted(listed.kind)) continue
      try {
        const seal = await readSeal(this.#deps.store, listed, this.#signal)
        if (seal === undefined) continue
        const tiles = await Promise.all(listed.files.map(survey))
        found.push({ name: generation, atMs: listed.atMs, seal, tiles })
      } catch (error) {
        // An encrypted one is for who has the key; what is missing without it is told as such.
        if (isMaxbrodError(error, 'NO_IDENTITY') || isMaxbrodError(error, 'NOT_ENCRYPTED')) continue
        this.#leaveOut(listed, error)
      }
    }
    return found
  }

  /** What a generation says of itself; undefined when it is not finished, or damaged, which is told. */
  async #sealOf(listed: ListedGeneration): Promise<GenerationSeal | undefined> {
    try {
      return await readSeal(this.#deps.store, listed, this.#signal)
    } catch (error) {
      this.#leaveOut(listed, error)
      return undefined
    }
  }

  /** Only what is damaged or gone: a store that does not answer says nothing of what is there. */
  #leaveOut({ place: { generation } }: ListedGeneration, error: unknown): void {
    if (!isMaxbrodError(error, 'OBJECT_CORRUPT', 'OBJECT_MISSING')) throw error
    const warning = `@${generation} was left out: ${error.message}`
    if (!this.warnings.includes(warning)) this.warnings.push(warning)
  }
}

function isIn({ place: { topic, topicId, partition, lineage } }: ListedGeneration, place: PartitionPlace): boolean {
  const isOfTopic = topic === place.topic && topicId === place.topicId
  return isOfTopic && partition === place.partition && lineage === place.lineage
}
