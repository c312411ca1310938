import type { LabelValues, Labels, Metric, MetricSet } from './metric-set.ts'

/** What the code holds in its hands: one instrument for each metric of a set. */
export type Instruments<S extends MetricSet> = {
  readonly [K in keyof S['metrics']]: Instrument<S['metrics'][K]>
}

type Instrument<M extends Metric> =
  M extends Metric<'counter', infer L>
    ? Counter<L>
    : M extends Metric<'gauge', infer L>
      ? Gauge<L>
      : M extends Metric<'histogram', infer L>
        ? Histogram<L>
        : never

/** Labels are the last argument, and there is none when the metric has none. */
export type LabelArguments<L extends Labels> = string extends keyof L ? [] : [labels: LabelValues<L>]

interface Readable<L extends Labels> {
  /** The value now; of a histogram, how often something was observed. For tests. */
  value(...labels: LabelArguments<L>): Promise<number>
  /** Forgets the series: of a partition that others own now. */
  remove(...labels: LabelArguments<L>): void
}

export interface Counter<L extends Labels> extends Readable<L> {
  add(amount: number, ...labels: LabelArguments<L>): void
}

export interface Gauge<L extends Labels> extends Readable<L> {
  set(value: number, ...labels: LabelArguments<L>): void
  /** `amount` may be negative. */
  add(amount: number, ...labels: LabelArguments<L>): void
}

export interface Histogram<L extends Labels> extends Readable<L> {
  observe(value: number, ...labels: LabelArguments<L>): void
}
