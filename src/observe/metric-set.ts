/**
 * The metrics of one room or floor, declared beside the code that counts:
 *
 *     export const backupMetrics = metricSet('backup', {
 *       filesTotal: counter('Files uploaded.', { reason: ['size', 'age', 'flush'] }),
 *       bufferedBytes: gauge('Bytes not yet uploaded.'),
 *     })
 *
 * A key becomes a name: filesTotal is maxbrod_backup_files_total. It ends in the unit; counters end in Total.
 */
export function metricSet<const M extends Readonly<Record<string, Metric>>>(name: string, metrics: M): MetricSet<M> {
  return { name, metrics }
}

export interface MetricSet<M extends Readonly<Record<string, Metric>> = Readonly<Record<string, Metric>>> {
  readonly name: string
  readonly metrics: M
}

export interface Metric<K extends MetricKind = MetricKind, L extends Labels = Labels> {
  readonly kind: K
  readonly help: string
  readonly labels: L
  /** Of a histogram: upper bounds, ascending. */
  readonly buckets: readonly number[]
}

export type MetricKind = 'counter' | 'gauge' | 'histogram'

/** The values a label can have, or `any` for topics and partitions: the number of those is bounded by the registry. */
export type Labels = Readonly<Record<string, 'any' | readonly string[]>>

export type NoLabels = Readonly<Record<string, never>>

export type LabelValues<L extends Labels> = {
  readonly [K in keyof L]: L[K] extends readonly (infer V)[] ? V : string | number
}

/** What only grows. */
export function counter(help: string): Metric<'counter', NoLabels>
export function counter<const L extends Labels>(help: string, labels: L): Metric<'counter', L>
export function counter(help: string, labels: Labels = {}): Metric<'counter'> {
  return { kind: 'counter', help, labels, buckets: [] }
}

/** What goes up and down. */
export function gauge(help: string): Metric<'gauge', NoLabels>
export function gauge<const L extends Labels>(help: string, labels: L): Metric<'gauge', L>
export function gauge(help: string, labels: Labels = {}): Metric<'gauge'> {
  return { kind: 'gauge', help, labels, buckets: [] }
}

/** How long things took, or how large they were. */
export function histogram(help: string, buckets: readonly number[]): Metric<'histogram', NoLabels>
export function histogram<const L extends Labels>(
  help: string,
  buckets: readonly number[],
  labels: L,
): Metric<'histogram', L>
export function histogram(help: string, buckets: readonly number[], labels: Labels = {}): Metric<'histogram'> {
  return { kind: 'histogram', help, labels, buckets }
}

/** Seconds, from a request in the same rack to one that nearly timed out. */
export const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const

/** `maxbrod_backup_files_total` for the key `filesTotal` of the set `backup`. */
export function metricName(set: string, key: string): string {
  return `maxbrod_${set}_${key.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)}`
}
