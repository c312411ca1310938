import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { chartOptions } from './chart-options.ts'
import { optionSchema } from './option-schema.ts'

type Schema = Readonly<Record<string, unknown>>

const chart = join(import.meta.dirname, '../../deploy/helm/maxbrod')

/** What Kubernetes itself knows the shape of: whatever stands here goes into the manifests as it is. */
const passedOn = /(^|\.)(resources|securityContext|podSecurityContext)$/

const secretNames: Schema = { type: 'array', items: { type: 'string' } }

/** Where the value in values.yaml says too little. */
const exact: Readonly<Record<string, Schema>> = {
  'image.pullPolicy': { enum: ['Always', 'IfNotPresent', 'Never'] },
  'restore.mode': { enum: ['job', 'deployment'] },
  'backup.podDisruptionBudget.maxUnavailable': { type: ['integer', 'string'] },
  'restore.podDisruptionBudget.maxUnavailable': { type: ['integer', 'string'] },
  'networkPolicy.egressPorts': { type: 'array', items: { type: 'integer', minimum: 1, maximum: 65535 } },
  planTopic: { type: 'string', pattern: '^[\\w.-]{1,249}$' },
  envFromSecrets: secretNames,
  'schedules.verify.envFromSecrets': secretNames,
  'schedules.drill.envFromSecrets': secretNames,
  'schedules.prune.envFromSecrets': secretNames,
}

/** values.schema.json: the shape is that of values.yaml, and what may stand below `options` follows from the option table. */
export async function helmSchema(): Promise<string> {
  const values: unknown = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'))
  const options = await chartOptions()
  const root = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $comment: 'Written by scripts/docs.ts from values.yaml and the options.ts files of src/.',
    ...schemaOf(values, '', options),
  }
  return `${JSON.stringify(root, undefined, 2)}\n`
}

type ChartOptions = Awaited<ReturnType<typeof chartOptions>>

function schemaOf(value: unknown, path: string, options: ChartOptions): Schema {
  const special = exact[path]
  if (special !== undefined) return special
  if (Array.isArray(value)) return { type: 'array' }
  if (typeof value === 'boolean') return { type: 'boolean' }
  if (typeof value === 'number') return { type: 'integer', minimum: 0 }
  if (typeof value !== 'object' || value === null) return { type: 'string' }
  if (path.endsWith('options')) return optionsSchema(path.slice(0, -'.options'.length), options)
  const entries = Object.entries(value)
  if (entries.length === 0 || passedOn.test(path)) return { type: 'object' }
  const inside = path === '' ? '' : `${path}.`
  const properties = Object.fromEntries(entries.map(([key, one]) => [key, schemaOf(one, `${inside}${key}`, options)]))
  // Helm hands its own key to every chart that is part of another one.
  const more = path === '' ? { global: { type: 'object' } } : {}
  return { type: 'object', additionalProperties: false, properties: { ...properties, ...more } }
}

function optionsSchema(path: string, options: ChartOptions): Schema {
  const properties = Object.fromEntries((options[path] ?? []).map(({ key, option }) => [key, optionSchema(option)]))
  return { type: 'object', additionalProperties: false, properties }
}
