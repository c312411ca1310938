/** Writes the pages of docs/ and the files of deploy/ that follow from the code: `npm run docs`. test/docs.test.ts fails when one of them is stale. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { optionsTemplate } from './deploy/chart-options.ts'
import { dashboardFile } from './deploy/dashboards.ts'
import { helmSchema } from './deploy/helm-schema.ts'
import { dashboards } from './deploy/panels.ts'
import { changeNotes, changelogPage } from './docs/changelog-page.ts'
import { alertsPage, rulesFile, rulesTestFile } from './docs/alert-rules.ts'
import { configPage } from './docs/config-page.ts'
import { errorsPage } from './docs/errors-page.ts'
import { metricsPage } from './docs/metrics-page.ts'

export const docsFolder = join(import.meta.dirname, '../docs')

const chart = '../deploy/helm/maxbrod'

/** File name → content. */
export async function docsPages(): Promise<Readonly<Record<string, string>>> {
  return {
    'alerts.md': alertsPage(),
    'config.md': await configPage(),
    'errors.md': errorsPage(),
    'metrics.md': await metricsPage(),
    '../deploy/prometheus/rules.yaml': rulesFile(),
    '../deploy/prometheus/rules.test.yaml': rulesTestFile(),
    // A chart reads no file outside its folder.
    [`${chart}/files/rules.yaml`]: rulesFile(),
    [`${chart}/values.schema.json`]: await helmSchema(),
    [`${chart}/templates/_options.tpl`]: await optionsTemplate(),
    ...Object.fromEntries(
      dashboards.map(dashboard => [`${chart}/files/dashboards/${dashboard.name}.json`, dashboardFile(dashboard)]),
    ),
  }
}

if (import.meta.main) {
  const root = join(docsFolder, '..')
  writeFileSync(join(root, 'CHANGELOG.md'), changelogPage(changeNotes(root)))
  for (const [name, content] of Object.entries(await docsPages())) writeFileSync(join(docsFolder, name), content)
}
