import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { mustReadWholeFirst } from '../../src/catalog/decode-ahead.ts'
import { frameBlock } from '../../src/format/ocf/block-frame.ts'
import { encodeContainerHeader } from '../../src/format/ocf/container-header.ts'
import { dataKeepSchema } from '../../src/format/record-schema.ts'
import { dataKeepReader } from '../../src/format/transcode/avro-records.ts'
import { blockToBatches } from '../../src/format/transcode/to-batches.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { avroType, writeContainer } from '../helpers/avro-referee.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { inBlocks, plainRecords } from '../helpers/data-file.ts'
import { encodeDataKeep } from '../helpers/data-keep.ts'
import type { DataKeepRecord } from '../helpers/data-keep.ts'
import { decodeBatches, zigZag } from '../helpers/plain-batch.ts'
import { readTile } from '../helpers/read-tile.ts'
import type { DigestRecord } from '../helpers/records.ts'

const place = { topic: 'orders', topicId: undefined, partition: 3, lineage: undefined, from: 100, isEncrypted: false }
const sync = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
const type = avroType(dataKeepSchema)

const records: DataKeepRecord[] = plainRecords(950).map(({ offset, ...record }, n) => ({
  ...record,
  offset,
  timestamp: n === 5 ? -1n : record.timestamp,
  key: n % 7 === 0 ? null : record.key,
  value: n % 11 === 0 ? null : record.value,
  headers:
    n % 3 === 0
      ? [
          [Buffer.from('b'), Buffer.from(`${n}`)],
          [Buffer.from('a'), Buffer.alloc(0)],
        ]
      : [],
}))

/** As avsc wants them: headers as an object. */
const asObjects = (list: readonly DataKeepRecord[]) =>
  list.map(({ headers, ...record }) => ({
    ...record,
    headers: Object.fromEntries(headers.map(([name, value]) => [String(name), value])),
    topic: place.topic,
    partition: place.partition,
  }))

/** What a restore would send of a file, source offsets put back. */
async function restored(file: Buffer): Promise<DigestRecord[]> {
  const { blocks, error, header } = await readTile(file, place)
  if (error !== undefined) throw error
  assert.equal(header?.kind, 'kafka-data-keep')
  assert.equal(mustReadWholeFirst(header), true)
  const made: DigestRecord[] = []
  let after = place.from - 1
  for (const block of blocks) {
    const slice = { ...block, fromOffset: 0, toOffset: 2 ** 53 - 1, skip: 0, after, coversTo: 2 ** 53 - 1 }
    const reader = dataKeepReader(place.topic, place.partition)
    const taken = blockToBatches(slice, reader, 10_000, new CountingPool())
    after = taken.lastOffset
    for (const { builder } of taken.batches) {
      const bytes = await builder.finish('none', { producerId: -1n, producerEpoch: -1, baseSequence: -1 })
      for (const record of decodeBatches(Buffer.from(bytes))[0]!.records)
        made.push({
          ...record,
          offset: BigInt(String(record.headers.at(-1)![1])),
          headers: record.headers.slice(0, -1),
        })
    }
  }
  return made
}

for (const codec of ['null', 'deflate', 'zstandard'] as const) {
  test(`a file that avsc wrote in many blocks with the codec ${codec} gives all its records`, async () => {
    const file = await writeContainer(type, asObjects(records), codec, 4_000)
    assert.deepEqual(await restored(file), records)
  })
}

/** As hamba/avro writes a schema into the file: in canonical form, with the full name. */
const canonicalSchema =
  '{"name":"github.utilitywarehouse.kafka_backup_restore.KafkaRecord","type":"record","fields":[' +
  '{"name":"key","type":["null","bytes"]},{"name":"value","type":["null","bytes"]},' +
  '{"name":"headers","type":{"type":"map","values":"bytes"}},{"name":"topic","type":"string"},' +
  '{"name":"partition","type":"int"},{"name":"timestamp","type":"long"},{"name":"offset","type":"long"}]}'

/** A header whose map is in one block that says its size, as Go writes maps. */
function goHeader(schema: string, codec: string): Buffer {
  const text = (content: string) => Buffer.concat([zigZag(BigInt(Buffer.byteLength(content))), Buffer.from(content)])
  const entries = Buffer.concat([text('avro.schema'), text(schema), text('avro.codec'), text(codec)])
  const map = [zigZag(-2n), zigZag(BigInt(entries.length)), entries, zigZag(0n)]
  return Buffer.concat([Buffer.from('Obj\u0001', 'latin1'), ...map, sync])
}

/** As the Go program writes a file: 100 records in a block, each map in one block that says its size. */
function goFile(list: readonly DataKeepRecord[], schema = canonicalSchema): Buffer {
  const blocks = inBlocks(list, 100).flatMap(run => {
    const content = run.map(record =>
      encodeDataKeep(record, place, record.headers.length === 0 ? [] : [-record.headers.length]),
    )
    return frameBlock(run.length, deflateRawSync(Buffer.concat(content)), sync)
  })
  return Buffer.concat([goHeader(schema, 'deflate'), ...blocks])
}

test('a file as the Go program writes it gives all its records, header order and duplicates included', async () => {
  const twice = records.map(record => ({ ...record, headers: [...record.headers, ...record.headers] }))
  assert.deepEqual(await restored(goFile(twice)), twice)
})

describe('the schema of kafka-data-keep is known', () => {
  const variants: Record<string, string> = {
    'as the project publishes it': dataKeepSchema,
    'with white space': JSON.stringify(JSON.parse(dataKeepSchema), null, 2),
    'in canonical form': canonicalSchema,
    'with a doc and a logical type': dataKeepSchema.replace(
      '{"name":"timestamp","type":"long"}',
      '{"name":"timestamp","doc":"ms","type":{"type":"long","logicalType":"timestamp-millis"}}',
    ),
  }
  for (const [title, schema] of Object.entries(variants))
    test(title, async () => assert.deepEqual(await restored(goFile(records.slice(0, 5), schema)), records.slice(0, 5)))
})

test('a file of another schema is refused', async () => {
  for (const schema of [
    '"bytes"',
    '{"type":"array","items":"bytes"}',
    canonicalSchema.replace('KafkaRecord', 'Record'),
    canonicalSchema.replace('"partition","type":"int"', '"partition","type":"long"'),
    canonicalSchema.replace('kafka_backup_restore.', ''),
    'no JSON at all',
    '',
  ]) {
    const { error } = await readTile(goFile(records.slice(0, 5), schema), place)
    assert.ok(isMaxbrodError(error, 'OBJECT_CORRUPT'), schema)
    assert.match(error.message, /schema/)
  }
})

test('a file of another codec is refused by its name', async () => {
  const { error } = await readTile(Buffer.concat([goHeader(canonicalSchema, 'snappy')]), place)
  assert.ok(isMaxbrodError(error, 'OBJECT_CORRUPT'))
  assert.match(error.message, /snappy/)
})

test('a file that is cut inside a block is refused; cut between blocks nothing in it could tell', async () => {
  const ends = [goHeader(canonicalSchema, 'deflate').length, goFile(records.slice(0, 100)).length]
  const file = goFile(records.slice(0, 105))
  for (let length = 0; length < file.length; length++) {
    const { error } = await readTile(file.subarray(0, length), place)
    assert.equal(isMaxbrodError(error, 'OBJECT_CORRUPT'), !ends.includes(length), `${length} bytes`)
  }
})

test('a file that ends in a block without records, where other readers stop, is refused', async () => {
  const file = goFile(records.slice(0, 5))
  const { error } = await readTile(Buffer.concat([file, Buffer.from([0, 0]), sync, file]), place)
  assert.ok(isMaxbrodError(error, 'OBJECT_CORRUPT'))
})

test('a file without an entry for its codec has none', async () => {
  const header = encodeContainerHeader(new Map([['avro.schema', dataKeepSchema]]), sync)
  const block = frameBlock(1, encodeDataKeep(records[0]!, place), sync)
  assert.deepEqual(await restored(Buffer.concat([header, ...block])), [records[0]])
})
