import type { Labels } from './metric-set.ts'

export type AnyLabels = Readonly<Record<string, string | number>>

/** Keeps the number of series of one metric bounded, however many topics a cluster has. */
export class SeriesLimit {
  /** Labels that can have any value: only these make new series. */
  readonly #open: readonly string[]
  readonly #max: number
  readonly #onRefusal: () => void
  readonly #seen = new Set<string>()

  constructor(labels: Labels, max: number, onRefusal: () => void) {
    this.#open = Object.keys(labels).filter(label => labels[label] === 'any')
    this.#max = max
    this.#onRefusal = onRefusal
  }

  /** True when the series exists or may be opened. */
  admits(labels: AnyLabels): boolean {
    if (this.#open.length === 0) return true
    const series = this.#seriesOf(labels)
    if (this.#seen.has(series)) return true
    if (this.#seen.size >= this.#max) {
      this.#onRefusal()
      return false
    }
    this.#seen.add(series)
    return true
  }

  /** The labels themselves, or the ones under which the rest is added up. */
  fold(labels: AnyLabels): Record<string, string | number> {
    if (this.admits(labels)) return { ...labels }
    return { ...labels, ...Object.fromEntries(this.#open.map(label => [label, 'other'])) }
  }

  forget(labels: AnyLabels): void {
    this.#seen.delete(this.#seriesOf(labels))
  }

  /** The closed labels have few values and do not count. */
  #seriesOf(labels: AnyLabels): string {
    return this.#open.map(label => labels[label]).join('\n')
  }
}

/** All label sets of a metric whose labels are all known; none when one of them can be anything. */
export function knownLabels(labels: Labels): Record<string, string>[] {
  let sets: Record<string, string>[] = [{}]
  for (const [name, values] of Object.entries(labels)) {
    sets = values === 'any' ? [] : sets.flatMap(set => values.map(value => ({ ...set, [name]: value })))
  }
  return sets
}
