/** Writes the pages of docs/ that follow from the code: `npm run docs`. test/docs.test.ts fails when one of them is stale. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { alertsPage, rulesFile, rulesTestFile } from './docs/alert-rules.ts'
import { configPage } from './docs/config-page.ts'
import { errorsPage } from './docs/errors-page.ts'
import { metricsPage } from './docs/metrics-page.ts'

export const docsFolder = join(import.meta.dirname, '../docs')

/** File name → content. */
export async function docsPages(): Promise<Readonly<Record<string, string>>> {
  return {
    'alerts.md': alertsPage(),
    'config.md': await configPage(),
    'errors.md': errorsPage(),
    'metrics.md': await metricsPage(),
    '../deploy/prometheus/rules.yaml': rulesFile(),
    '../deploy/prometheus/rules.test.yaml': rulesTestFile(),
  }
}

if (import.meta.main) {
  for (const [name, content] of Object.entries(await docsPages())) writeFileSync(join(docsFolder, name), content)
}
