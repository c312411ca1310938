import type { KindName, Option } from '../../src/config/option.ts'

type Schema = Readonly<Record<string, unknown>>

const text: Schema = { type: 'string', minLength: 1 }
const number = '(0|[1-9][0-9]*)'

/** How one text of each kind is written. YAML makes numbers and booleans of some of them. */
const one: Readonly<Record<KindName, Schema>> = {
  text,
  path: text,
  secret: { not: {} },
  flag: { type: 'boolean' },
  choice: text,
  count: { type: ['integer', 'string'], pattern: `^${number}$`, minimum: 0 },
  port: { type: ['integer', 'string'], pattern: `^${number}$`, minimum: 0, maximum: 65535 },
  bytes: {
    type: ['integer', 'string'],
    pattern: '^[0-9]+(\\.[0-9]+)? ?([kmgtKMGT]?[bB]|[kmgtKMGT][iI][bB])?$',
    minimum: 0,
  },
  rate: {
    type: ['integer', 'string'],
    pattern: '^[0-9]+(\\.[0-9]+)? ?([kmgtKMGT]?[bB]|[kmgtKMGT][iI][bB])?(/s)?$',
    minimum: 0,
  },
  duration: { type: ['integer', 'string'], pattern: '^(0|([0-9]+(\\.[0-9]+)?(ms|[smhdSMHD]))+)$', maximum: 0 },
  time: { type: ['integer', 'string'], minLength: 1 },
  list: text,
  'regex list': text,
  pairs: { type: 'string', pattern: '^[^=]+=.+$' },
}

/** What Helm accepts for an option: what the program reads, and lists for what may be given more than once. */
export function optionSchema({ doc, kind, default: preset }: Option): Schema {
  const { choices, takes } = kind
  const single = choices === undefined ? one[kind.name] : { enum: choices }
  const about = { description: preset.length === 0 ? doc : `${doc} [${preset.join(' ')}]` }
  return takes === 'many' ? { ...about, anyOf: [single, { type: 'array', items: single }] } : { ...about, ...single }
}
