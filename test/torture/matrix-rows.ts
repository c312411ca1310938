import type { Hit, VolleyReport } from '../helpers/failpoint-volley.ts'

/** How far a matrix was run with one seed, over all runs whose volleys were kept. */
export interface SeedTally {
  readonly seed: string
  /** Of so many rows … */
  readonly rows: number
  /** … so many were hit and came out clean. */
  readonly clean: number
  /** A row may be hit again, by another number of its last call. */
  readonly hits: number
  readonly failed: number
}

type SeededVolley = Partial<Pick<VolleyReport, 'failure'>> & {
  readonly seed: string
  readonly hits?: readonly Pick<Hit, 'fault' | 'failure'>[] | undefined
}

/**
 * The row of the matrix that a fault belongs to: which call of a worker is its last one differs from run to run, and is
 * whatever is neither the first nor the second.
 */
export function rowOf(fault: string): string {
  const [verb = '', when = '', call = '', effect = ''] = fault.split(':')
  return [verb, when, call === '1' ? 'first' : call === '2' ? 'second' : 'last', effect].join(':')
}

/** The rows that came out clean with a seed. */
export function cleanRows(volleys: readonly SeededVolley[], seed: string): ReadonlySet<string> {
  const own = volleys.filter(volley => volley.seed === seed && volley.failure === undefined)
  const clean = own.flatMap(({ hits = [] }) => hits.filter(({ failure }) => failure === undefined))
  return new Set(clean.map(({ fault }) => rowOf(fault)))
}

/** One line for each seed that was ever run; `faults` are those that are known now. */
export function tallyBySeed(volleys: readonly SeededVolley[], faults: readonly string[]): SeedTally[] {
  const rows = [...new Set(faults.map(rowOf))]
  const seeds = [...new Set(volleys.map(({ seed }) => seed))].sort((a, b) => Number(a) - Number(b))
  return seeds.map(seed => {
    const hits = volleys.filter(volley => volley.seed === seed).flatMap(volley => volley.hits ?? [])
    const clean = cleanRows(volleys, seed)
    return {
      seed,
      rows: rows.length,
      clean: rows.filter(row => clean.has(row)).length,
      hits: hits.length,
      failed: hits.filter(({ failure }) => failure !== undefined).length,
    }
  })
}
