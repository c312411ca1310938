import { allCommands, commandTable } from '../../src/commands/command-table.ts'
import { commonSections } from '../../src/commands/common-sections.ts'
import type { Declared } from '../../src/config/declared.ts'
import { declaredOptions } from '../../src/config/declared.ts'
import { must } from '../../src/runtime/assert.ts'

/** Path in values.yaml → the command whose options stand there. */
export const chartCommands = {
  backup: 'backup',
  groupsBackup: 'groups-backup',
  plan: 'plan',
  restore: 'restore',
  groupsRestore: 'groups-restore',
  finalize: 'finalize',
  'schedules.verify': 'verify',
  'schedules.drill': 'drill',
  'schedules.prune': 'prune',
} as const

/** Sections that stand once in values.yaml, because all commands mean the same by them. */
const shared = ['kafka', 'storage', 'log', 'output', 'metrics']

/**
 * What the chart sets itself, from its own values or because a pod of this kind makes sense with nothing else. `yes` as a key
 * is no text in the YAML of Helm.
 */
const setByChart = ['workingDir', 'planTopic', 'metricsPort', 'once', 'exitWhenDone', 'yes']

/** Path in values.yaml → the options that may stand in its `options`. */
export async function chartOptions(): Promise<Readonly<Record<string, readonly Declared[]>>> {
  const commands = await allCommands(commandTable)
  const sections = [...commonSections, ...commands.flatMap(command => command.sections)]
  const found: Record<string, readonly Declared[]> = {}
  for (const path of ['kafka', 'storage', 'log'])
    found[path] = forValues(declaredOptions(sections.filter(({ name }) => name === path).slice(0, 1)))
  for (const [path, name] of Object.entries(chartCommands)) {
    const command = must(
      commands.find(one => one.name === name),
      name,
    )
    const own = command.sections.filter(section => !shared.includes(section.name))
    const profiles = command.sections.filter(section => section.name === 'metrics')
    found[path] = forValues(declaredOptions([...own, ...profiles]))
  }
  return found
}

function forValues(options: readonly Declared[]): readonly Declared[] {
  // A secret is nothing for a values file: its variable comes from a Secret of the cluster.
  return options.filter(({ key, option }) => option.kind.name !== 'secret' && !setByChart.includes(key))
}

/** Keys whose list is written with commas in a variable; others are written with blanks. */
export async function commaSeparatedKeys(): Promise<readonly string[]> {
  const all = Object.values(await chartOptions()).flat()
  return [...new Set(all.filter(({ option }) => option.kind.name === 'list').map(({ key }) => key))].sort()
}

/** templates/_options.tpl */
export async function optionsTemplate(): Promise<string> {
  return `{{/* Written by scripts/docs.ts from the options.ts files of src/: change that, then run \`npm run docs\`. */}}
{{- define "maxbrod.commaSeparated" -}}
${JSON.stringify(await commaSeparatedKeys())}
{{- end }}
`
}
