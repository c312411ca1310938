import * as prom from 'prom-client'
import type { Instruments } from './instruments.ts'
import type { Metric, MetricSet } from './metric-set.ts'
import { counter, gauge, metricName, metricSet } from './metric-set.ts'
import type { AnyLabels } from './series-limit.ts'
import { SeriesLimit, knownLabels } from './series-limit.ts'

export const processMetrics = metricSet('process', {
  buildInfo: gauge('Always 1: the version of maxbrod is in the label.', { version: 'any' }),
  seriesFoldedTotal: counter('Values of a metric that has too many series already; they went to one named "other".'),
})

/** More than 3,000 partitions with a few reasons each; every series costs memory here and in Prometheus. */
const seriesMax = 10_000

/** All metrics of one process. What was declared is there from the beginning, at 0 where all labels are known. */
export class Metrics {
  readonly contentType = prom.Registry.PROMETHEUS_CONTENT_TYPE
  readonly #registry = new prom.Registry()
  readonly #sets = new Map<MetricSet, object>()
  readonly #beforeScrape = new Set<() => void>()
  readonly #seriesMax: number

  constructor(options: { readonly seriesMax?: number } = {}) {
    this.#seriesMax = options.seriesMax ?? seriesMax
  }

  /** The instruments of a set; the same ones each time. */
  of<S extends MetricSet>(set: S): Instruments<S> {
    let instruments = this.#sets.get(set)
    if (instruments === undefined) {
      const entries = Object.entries(set.metrics)
      instruments = Object.fromEntries(
        entries.map(([key, metric]) => [key, this.#open(metricName(set.name, key), metric)]),
      )
      this.#sets.set(set, instruments)
    }
    return instruments as Instruments<S>
  }

  /** Calls `refresh` before each scrape: for gauges that follow from the time, such as ages. */
  beforeScrape(refresh: () => void): Disposable {
    this.#beforeScrape.add(refresh)
    return { [Symbol.dispose]: () => void this.#beforeScrape.delete(refresh) }
  }

  /** Adds what Prometheus users know from other programs: process_* and nodejs_*. */
  watchProcess(version: string): void {
    prom.collectDefaultMetrics({ register: this.#registry })
    this.of(processMetrics).buildInfo.set(1, { version })
  }

  /** In the text format of Prometheus. */
  async text(): Promise<string> {
    for (const refresh of this.#beforeScrape) refresh()
    return this.#registry.metrics()
  }

  #open(name: string, metric: Metric): object {
    const { help, labels, kind, buckets } = metric
    const config = { name, help, labelNames: Object.keys(labels), registers: [this.#registry] }
    const limit = new SeriesLimit(labels, this.#seriesMax, () => this.of(processMetrics).seriesFoldedTotal.add(1))
    const zeros = knownLabels(labels)
    if (kind === 'counter') {
      const series = new prom.Counter(config)
      for (const zero of zeros) series.inc(zero, 0)
      return { ...access(series, limit), add: (by: number, of: AnyLabels = {}) => series.inc(limit.fold(of), by) }
    }
    if (kind === 'histogram') {
      const series = new prom.Histogram({ ...config, buckets: [...buckets] })
      for (const zero of zeros) series.zero(zero)
      return {
        ...access(series, limit),
        observe: (it: number, of: AnyLabels = {}) => series.observe(limit.fold(of), it),
      }
    }
    const series = new prom.Gauge(config)
    for (const zero of zeros) series.set(zero, 0)
    return {
      ...access(series, limit),
      // There is no sum of gauges that were set: those beyond the limit are not shown.
      set: (to: number, of: AnyLabels = {}) => limit.admits(of) && series.set({ ...of }, to),
      add: (by: number, of: AnyLabels = {}) => limit.admits(of) && series.inc({ ...of }, by),
    }
  }
}

function access(series: prom.Counter | prom.Gauge | prom.Histogram, limit: SeriesLimit) {
  return {
    async value(of: AnyLabels = {}): Promise<number> {
      const { name, values } = (await series.get()) as { name: string; values: readonly Sample[] }
      const isWanted = ({ labels, metricName: sample = name }: Sample) =>
        (sample === name || sample === `${name}_count`) &&
        Object.entries(of).every(([label, value]) => String(labels[label]) === String(value))
      return values.find(isWanted)?.value ?? 0
    },
    remove(of: AnyLabels = {}): void {
      series.remove({ ...of })
      limit.forget(of)
    },
  }
}

interface Sample {
  readonly labels: AnyLabels
  readonly value: number
  /** Only in histograms, which consist of several. */
  readonly metricName?: string
}
