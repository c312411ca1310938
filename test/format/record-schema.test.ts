import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { dataKeepSchema, recognizeSchema, recordSchema } from '../../src/format/record-schema.ts'
import { check } from '../helpers/properties.ts'

const changed = (from: string, to: string, schema = recordSchema) => {
  assert.ok(schema.includes(from), from)
  return schema.replace(from, to)
}

test('our schema and that of kafka-data-keep are known', () => {
  assert.equal(recognizeSchema(recordSchema), 'maxbrod')
  assert.equal(recognizeSchema(dataKeepSchema), 'kafka-data-keep')
})

describe('our schema is known', () => {
  const parsed = JSON.parse(recordSchema) as { fields: { type: { items: object } }[] }
  const variants: Record<string, string> = {
    'with white space and its members in another order': JSON.stringify(
      Object.fromEntries(Object.entries(parsed).toReversed()),
      null,
      4,
    ),
    'with the full name in one word': changed(
      '"name":"KafkaRecord","namespace":"maxbrod"',
      '"name":"maxbrod.KafkaRecord"',
    ),
    'with the full name of the inner record': changed('"name":"Header"', '"name":"maxbrod.Header"'),
    'with the namespace again at the inner record': changed('"name":"Header"', '"name":"Header","namespace":"maxbrod"'),
    'with primitives written as objects': changed(
      '"name":"offset","type":"long"',
      '"name":"offset","type":{"type":"long"}',
    ),
    'without docs and defaults': recordSchema.replaceAll(',"default":null', '').replace(/,"doc":"[^"]*"/, ''),
    'with entries that mean nothing to a reader': changed(
      '"type":"record"',
      '"type":"record","aliases":["X"],"x":{"y":[1]}',
    ),
  }
  for (const [title, schema] of Object.entries(variants))
    test(title, () => assert.equal(recognizeSchema(schema), 'maxbrod'))
})

describe('another schema is not known:', () => {
  const cases: Record<string, string> = {
    'no text': '',
    'no JSON': '{"type":',
    null: 'null',
    'a number': '1',
    'a list': '[]',
    'an object': '{}',
    'a type name': '"KafkaRecord"',
    'another name': changed('"name":"KafkaRecord"', '"name":"Record"'),
    'another namespace': changed('"namespace":"maxbrod"', '"namespace":"maxbrot"'),
    'no namespace': changed(',"namespace":"maxbrod"', ''),
    'another type of a field': changed('"name":"offset","type":"long"', '"name":"offset","type":"int"'),
    'a union in another order': changed('["null","bytes"]', '["bytes","null"]'),
    'a union with one branch more': changed('["null","bytes"]', '["null","bytes","string"]'),
    'a field less': changed('{"name":"offset","type":"long"},', ''),
    'a field twice': changed(
      '{"name":"offset","type":"long"},',
      '{"name":"offset","type":"long"},{"name":"offset","type":"long"},',
    ),
    'fields in another order': recordSchema.replace(
      /(\{"name":"offset".*?\}),(\{"name":"timestamp".*?\})/,
      (_, offset: string, timestamp: string) => `${timestamp},${offset}`,
    ),
    'two fields in one name': changed(
      /"name":"offset","type":"long"\},\{"name":"timestamp","type":"long"/.exec(recordSchema)![0],
      '"name":"offset:long,timestamp","type":"long"',
    ),
    'two fields in one type': changed('"type":"long"},{"name":"timestamp",', '"type":"long,timestamp:long"},{'),
    'a name that is no text': changed('"name":"KafkaRecord"', '"name":{"toString":1}'),
    'a name that is a number': changed('"name":"offset"', '"name":1'),
    'fields that are no list': '{"type":"record","name":"maxbrod.KafkaRecord","fields":{}}',
    'a field that is null': '{"type":"record","name":"maxbrod.KafkaRecord","fields":[null]}',
    'types within types without end': '{"type":'.repeat(5_000) + '"long"' + '}'.repeat(5_000),
    'lists within lists without end': '['.repeat(30_000) + ']'.repeat(30_000),
    'a prototype': changed('"name":"KafkaRecord"', '"__proto__":{"name":"KafkaRecord"}'),
  }
  for (const [title, schema] of Object.entries(cases))
    test(title, () => assert.equal(recognizeSchema(schema), undefined))
})

test('whatever JSON it is, a schema is known or not, without an error', () => {
  check(
    fc.property(fc.oneof(fc.json(), fc.string()), text => assert.equal(recognizeSchema(text), undefined)),
    3_000,
  )
})
