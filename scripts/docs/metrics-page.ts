import { globSync } from 'node:fs'
import { join } from 'node:path'
import type { Metric, MetricSet } from '../../src/observe/metric-set.ts'
import { metricName } from '../../src/observe/metric-set.ts'
import { generatedFrom, markdownTable } from './markdown.ts'

const root = join(import.meta.dirname, '../..')

/** All sets that any metrics.ts in src/ declares. */
export async function metricSets(): Promise<MetricSet[]> {
  const files = globSync('src/*/metrics.ts', { cwd: root }).sort()
  const modules = (await Promise.all(files.map(file => import(join(root, file))))) as object[]
  return modules.flatMap(module => Object.values(module).filter(isMetricSet))
}

export async function metricsPage(): Promise<string> {
  const sets = (await metricSets()).map(({ name, metrics }) => {
    const rows = Object.entries(metrics).map(([key, metric]) => [
      `\`${metricName(name, key)}\``,
      metric.kind,
      labelsOf(metric),
      metric.help,
    ])
    return `## ${name}\n\n${markdownTable(['name', 'type', 'labels', 'meaning'], rows)}\n`
  })
  return `${generatedFrom('the metrics.ts files of src/')}

# Metrics

Commands that run long serve \`/metrics\` for Prometheus on \`--metrics-port\` (8081), also as \`/__/metrics\`, \`/livez\` and \`/readyz\`
for [probes](kubernetes.md). What is declared is there from the start of the process, at 0 where all labels are known. Labels of topics and
partitions are bounded: after 10,000 series of one metric, counters and histograms go on under the label \`other\`, gauges are left out. Beside
these there are the usual \`process_*\` and \`nodejs_*\`.

\`maxbrod backup\` and \`maxbrod restore\` show at \`/\` of the same port what they are at, as [a page](archive.md#the-page-of-a-running-command) for people.

${sets.join('\n')}`
}

function labelsOf({ labels }: Metric): string {
  return Object.entries(labels)
    .map(([name, values]) => (values === 'any' ? `\`${name}\`` : `\`${name}\`: ${values.join(', ')}`))
    .join('; ')
}

function isMetricSet(value: unknown): value is MetricSet {
  return typeof value === 'object' && value !== null && 'metrics' in value && 'name' in value
}
