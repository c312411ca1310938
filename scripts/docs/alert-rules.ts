import type { Alert } from './alerts.ts'
import { alerts } from './alerts.ts'
import { anchorOf, generatedFrom, markdownTable } from './markdown.ts'

const source = 'scripts/docs/alerts.ts'
const comment = `# Written by scripts/docs.ts from ${source}: change that, then run \`npm run docs\`.`

/** docs/alerts.md: what each alert means, and what to do. */
export function alertsPage(): string {
  const rows = alerts.map(({ name, severity, reads }) => [`[${name}](#${name.toLowerCase()})`, severity, reads])
  const parts = alerts.map(
    ({ name, expression, for: wait, reads, todo, runbook }) =>
      `## ${name}\n\n> ${reads}\n\n${todo} Step by step: [${runbook}](operations.md#${anchorOf(runbook)}).\n\n\`\`\`promql\n${expression}   # for ${wait}\n\`\`\`\n`,
  )
  return `${generatedFrom(source)}

# Alerts

deploy/prometheus/rules.yaml is for Prometheus, \`promtool test rules deploy/prometheus/rules.test.yaml\` proves that each of them fires and resolves.

${markdownTable(['alert', 'severity', 'for example'], rows)}

${parts.join('\n')}`
}

/** Rules as Prometheus takes them. Every text is quoted as in JSON, which is YAML, too. */
export function rulesFile(): string {
  const rules = alerts.map(
    alert => `      - alert: ${alert.name}
        expr: ${JSON.stringify(alert.expression)}
        for: ${alert.for}
        labels: ${JSON.stringify({ severity: alert.severity })}
        annotations: ${JSON.stringify(annotations(alert, alert.says))}
`,
  )
  return `${comment}\ngroups:\n  - name: maxbrod\n    rules:\n${rules.join('')}`
}

/** Its tests: each alert fires in its example, and resolves. */
export function rulesTestFile(): string {
  const tests = alerts.map(alert => {
    const { name, severity, example, labels, reads } = alert
    const series = Object.entries(example).map(([id, values]) => ({ series: id, values }))
    const at = (minute: number, isFiring: boolean) =>
      `      - ${JSON.stringify({
        eval_time: `${minute}m`,
        alertname: name,
        exp_alerts: isFiring
          ? [{ exp_labels: { ...labels, severity }, exp_annotations: annotations(alert, reads) }]
          : [],
      })}\n`
    return `  - interval: 1m
    input_series: ${JSON.stringify(series)}
    alert_rule_test:
${at(1, false)}${at(60, true)}${at(150, false)}`
  })
  return `${comment}\nrule_files: [rules.yaml]\nevaluation_interval: 1m\ntests:\n${tests.join('')}`
}

function annotations({ runbook }: Alert, summary: string): object {
  return { summary, runbook: `docs/operations.md#${anchorOf(runbook)}` }
}
