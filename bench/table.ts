import type { DataSet } from './load.ts'
import type { RunResult } from './scenarios.ts'

export interface DataSetResult {
  readonly data: DataSet
  readonly payloadBytes: number
  readonly floors: { readonly consumer: number; readonly zstd: { readonly cpuSeconds: number; readonly ratio: number } }
  /** Medians of the runs below. */
  readonly backup: RunResult
  readonly restore: RunResult
  readonly backups: readonly RunResult[]
  readonly restores: readonly RunResult[]
}

/** Each figure's median over the runs. */
export function medianOf(runs: readonly RunResult[]): RunResult {
  const [first] = runs
  if (first === undefined) throw new Error('no runs')
  const median = (pick: (run: RunResult) => number) =>
    runs.map(pick).toSorted((a, b) => a - b)[Math.floor(runs.length / 2)] ?? 0
  return Object.fromEntries(
    Object.keys(first).map(key => [key, median(run => run[key as keyof RunResult])]),
  ) as unknown as RunResult
}

/** The table of the README. */
export function tableOf(results: readonly DataSetResult[]): string {
  const rows = results.flatMap(({ data, payloadBytes, floors, backup, restore }) => [
    row(`backup ${data.name}`, payloadBytes, backup, floors),
    row(`restore ${data.name}`, payloadBytes, restore, floors),
  ])
  return [
    '| | records/s | MB/s | CPU s | peak RSS | objects | requests per GB | of Java’s reader | × zstd -1 |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

function row(name: string, payloadBytes: number, run: RunResult, { consumer, zstd }: DataSetResult['floors']): string {
  const cells = [
    name,
    thousands(run.recordsPerSecond),
    (payloadBytes / 1e6 / run.wallSeconds).toFixed(0),
    run.cpuSeconds.toFixed(1),
    `${run.peakRssMiB.toFixed(0)} MiB`,
    `${run.objects}, ${(run.objectBytes / 1e6).toFixed(0)} MB`,
    run.requestsPerGb.toFixed(0),
    `${((run.recordsPerSecond / consumer) * 100).toFixed(0)} %`,
    (run.cpuSeconds / zstd.cpuSeconds).toFixed(2),
  ]
  return `| ${cells.join(' | ')} |`
}

function thousands(value: number): string {
  return `${Math.round(value / 1000)} k`
}
