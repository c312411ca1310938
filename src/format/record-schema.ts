/** The schema of our data files, as it stands in their headers (docs/formats.md). */
export const recordSchema = JSON.stringify({
  type: 'record',
  name: 'KafkaRecord',
  namespace: 'maxbrod',
  fields: [
    { name: 'offset', type: 'long' },
    { name: 'timestamp', type: 'long', doc: 'milliseconds since 1970-01-01T00:00:00Z' },
    { name: 'key', type: ['null', 'bytes'], default: null },
    { name: 'value', type: ['null', 'bytes'], default: null },
    {
      name: 'headers',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Header',
          fields: [
            { name: 'key', type: 'string' },
            { name: 'value', type: ['null', 'bytes'], default: null },
          ],
        },
      },
    },
  ],
})

/** The schema of kafka-data-keep's files. */
export const dataKeepSchema = JSON.stringify({
  type: 'record',
  name: 'KafkaRecord',
  namespace: 'github.utilitywarehouse.kafka_backup_restore',
  fields: [
    { name: 'key', type: ['null', 'bytes'] },
    { name: 'value', type: ['null', 'bytes'] },
    { name: 'headers', type: { type: 'map', values: 'bytes' } },
    { name: 'topic', type: 'string' },
    { name: 'partition', type: 'int' },
    { name: 'timestamp', type: 'long' },
    { name: 'offset', type: 'long' },
  ],
})

export type RecordSchemaKind = 'maxbrod' | 'kafka-data-keep'

/**
 * Which of the known schemas a header's `avro.schema` is, or undefined. Schemas of unknown origin are never compiled:
 * only their canonical form is compared.
 */
export function recognizeSchema(schema: string): RecordSchemaKind | undefined {
  if (schema === recordSchema) return 'maxbrod' // as our writers write it, a hundred thousand times
  let canonical: string
  try {
    canonical = canonicalForm(JSON.parse(schema))
  } catch {
    return undefined
  }
  if (canonical === OURS) return 'maxbrod'
  return canonical === DATA_KEEP ? 'kafka-data-keep' : undefined
}

/** True when both schemas, as JSON, mean the same to a reader. False for what is no schema. */
export function isSameSchema(a: string, b: string): boolean {
  try {
    return canonicalForm(JSON.parse(a)) === canonicalForm(JSON.parse(b))
  } catch {
    return false
  }
}

const OURS = canonicalForm(JSON.parse(recordSchema))
const DATA_KEEP = canonicalForm(JSON.parse(dataKeepSchema))

/**
 * A schema without what does not change its meaning for a reader: docs, defaults, the two ways to write a full name.
 * Source: Avro 1.12 specification, "Parsing Canonical Form", for the types that occur here.
 */
function canonicalForm(schema: unknown): string {
  return JSON.stringify(essence(schema, '', 0))
}

function essence(schema: unknown, namespace: string, depth: number): unknown {
  if (depth > 8) throw new Error('a schema nested deeper than any of ours')
  if (typeof schema === 'string') return schema
  if (Array.isArray(schema)) return schema.map(branch => essence(branch, namespace, depth + 1))
  if (typeof schema !== 'object' || schema === null || !('type' in schema)) throw new Error('no schema')
  const { type, name, namespace: own, fields, items, values } = schema as Record<string, unknown>
  if (type === 'array') return { array: essence(items, namespace, depth + 1) }
  if (type === 'map') return { map: essence(values, namespace, depth + 1) }
  if (type !== 'record') return essence(type, namespace, depth + 1)
  if (typeof name !== 'string' || !Array.isArray(fields)) throw new Error('no record schema')
  const space = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : typeof own === 'string' ? own : namespace
  const record = name.includes('.') || space === '' ? name : `${space}.${name}`
  return {
    record,
    fields: fields.map((field: unknown) => {
      const { name: fieldName, type: fieldType } = field as Record<string, unknown>
      if (typeof fieldName !== 'string') throw new Error('no field')
      return [fieldName, essence(fieldType, space, depth + 1)]
    }),
  }
}
