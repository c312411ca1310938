import type { DataSet } from './load.ts'
import type { BesideResult, RunResult } from './scenarios.ts'

/** Of one program: each run, and the medians of them. */
export interface Columns<T extends BesideResult> {
  readonly backup: T
  readonly restore: T
  readonly backups: readonly T[]
  readonly restores: readonly T[]
}

export interface DataSetResult extends Partial<Columns<RunResult>> {
  readonly data: DataSet
  readonly payloadBytes: number
  readonly floors: { readonly consumer: number; readonly zstd: { readonly cpuSeconds: number; readonly ratio: number } }
  readonly kafkaDataKeep?: Columns<BesideResult>
}

/** Undefined when nothing ran. */
export function columnsOf<T extends BesideResult>(
  backups: readonly T[],
  restores: readonly T[],
): Columns<T> | undefined {
  if (backups.length === 0 || restores.length === 0) return undefined
  return { backup: medianOf(backups), restore: medianOf(restores), backups, restores }
}

/** Each figure's median over the runs. */
function medianOf<T extends BesideResult>(runs: readonly T[]): T {
  const [first] = runs
  if (first === undefined) throw new Error('no runs')
  const median = (pick: (run: T) => number) =>
    runs.map(pick).toSorted((a, b) => a - b)[Math.floor(runs.length / 2)] ?? 0
  return Object.fromEntries(
    Object.keys(first).map(key => [key, median(run => run[key as keyof T] as number)]),
  ) as unknown as T
}

/** The table of the README. */
export function tableOf(results: readonly DataSetResult[]): string {
  const rows = results.flatMap(result =>
    (['backup', 'restore'] as const).flatMap(verb => {
      const name = `${verb} ${result.data.name}`
      const { [verb]: own, kafkaDataKeep } = result
      const other = kafkaDataKeep?.[verb]
      return [
        ...(own === undefined ? [] : [row(name, result, own, own.requestsPerGb)]),
        ...(other === undefined ? [] : [row(`${name}, kafka-data-keep`, result, other)]),
      ]
    }),
  )
  return [
    '| | records/s | MB/s | CPU s | peak RSS | objects | requests per GB | of Java’s reader | × zstd -1 |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

/** One line for each column in which both programs ran: CPU seconds and records per second of one in terms of the other. */
export function comparisonOf(results: readonly DataSetResult[]): string[] {
  return results.flatMap(result =>
    (['backup', 'restore'] as const).flatMap(verb => {
      const { [verb]: own, kafkaDataKeep } = result
      const other = kafkaDataKeep?.[verb]
      if (own === undefined || other === undefined) return []
      const cpu = `${((own.cpuSeconds / other.cpuSeconds) * 100).toFixed(0)} % of its CPU seconds`
      const speed = `${(own.recordsPerSecond / other.recordsPerSecond).toFixed(1)} times its records/s`
      return [`${verb} ${result.data.name}, beside kafka-data-keep: ${cpu}, ${speed}`]
    }),
  )
}

function row(name: string, result: DataSetResult, run: BesideResult, requestsPerGb?: number): string {
  const { consumer, zstd } = result.floors
  const cells = [
    name,
    thousands(run.recordsPerSecond),
    (result.payloadBytes / 1e6 / run.wallSeconds).toFixed(0),
    run.cpuSeconds.toFixed(1),
    `${run.peakRssMiB.toFixed(0)} MiB`,
    `${run.objects}, ${(run.objectBytes / 1e6).toFixed(0)} MB`,
    requestsPerGb?.toFixed(0) ?? '',
    `${((run.recordsPerSecond / consumer) * 100).toFixed(0)} %`,
    (run.cpuSeconds / zstd.cpuSeconds).toFixed(2),
  ]
  return `| ${cells.join(' | ')} |`
}

function thousands(value: number): string {
  return `${Math.round(value / 1000)} k`
}
