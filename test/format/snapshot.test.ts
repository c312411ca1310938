import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import avsc from 'avsc'
import * as fc from 'fast-check'
import { compressBlock } from '../../src/format/ocf/block-codec.ts'
import { frameBlock } from '../../src/format/ocf/block-frame.ts'
import { encodeContainerHeader, parseContainerHeader } from '../../src/format/ocf/container-header.ts'
import { snapshotKind } from '../../src/format/snapshot/container.ts'
import { cleanupPolicies, topicDefinitions } from '../../src/format/snapshot/topic-definitions.ts'
import type { TopicDefinition } from '../../src/format/snapshot/topic-definitions.ts'
import { withinCpuTime } from '../helpers/cpu-time.ts'
import { zigZag } from '../helpers/plain-batch.ts'
import { checkAsync } from '../helpers/properties.ts'

const topics: TopicDefinition[] = [
  {
    topic: 'orders',
    topic_id: 'Hx3y8Ra6RBe9-hFQXtB2Kg',
    partitions: 12,
    replication_factor: 3,
    configs: { 'cleanup.policy': 'compact', 'retention.ms': '-1' },
    acls: [{ principal: 'User:k', host: '*', operation: 3, permission: 3, pattern_type: 3, resource: 'orders' }],
  },
  { topic: 'payments', topic_id: null, partitions: 1, replication_factor: 1, configs: {}, acls: [] },
]

/** avsc makes objects of its own classes. */
const plain = (records: unknown) => JSON.parse(JSON.stringify(records)) as unknown

test('topic definitions that were written are read back', async () => {
  assert.deepEqual(plain(await topicDefinitions.decode(await topicDefinitions.encode(topics))), topics)
  assert.deepEqual(await topicDefinitions.decode(await topicDefinitions.encode([])), [])
  const int32s = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  const texts = fc.string({ unit: 'grapheme' })
  const definitions = fc.record({
    topic: texts,
    topic_id: fc.option(texts, { nil: null }),
    partitions: int32s,
    replication_factor: int32s,
    configs: fc.dictionary(
      texts.filter(name => name !== '__proto__'),
      texts,
    ),
    acls: fc.array(
      fc.record({
        principal: texts,
        host: texts,
        operation: int32s,
        permission: int32s,
        pattern_type: int32s,
        resource: texts,
      }),
      { maxLength: 3 },
    ),
  })
  await checkAsync(
    fc.asyncProperty(fc.array(definitions, { maxLength: 4 }), async list => {
      assert.deepEqual(plain(await topicDefinitions.decode(await topicDefinitions.encode(list))), plain(list))
    }),
    200,
  )
})

test('what is said beside the records stands in the header', async () => {
  const { meta } = parseContainerHeader(await topicDefinitions.encode(topics, { 'cluster.id': 'c' }))!
  assert.equal(meta.get('maxbrod.cluster.id'), 'c')
  assert.equal(meta.get('maxbrod.records'), '2')
  assert.equal(meta.get('maxbrod.format'), '1')
})

test('definitions say whose configs nobody could see; what was written before they did leaves that open where there are none', async () => {
  const unseen = { ...topics[1]!, areConfigsUnseen: true } as const
  const file = await topicDefinitions.encode([topics[0]!, unseen])
  assert.deepEqual(plain(await topicDefinitions.decode(file)), [topics[0], unseen])
  const { meta, sync } = parseContainerHeader(file)!
  const again = (name: string, value: string | undefined) => {
    const changed = new Map([...meta].filter(([key]) => key !== name && key !== 'maxbrod.header.sha256'))
    if (value !== undefined) changed.set(name, value)
    return Buffer.concat([encodeContainerHeader(changed, sync), file.subarray(file.indexOf(sync) + sync.length)])
  }
  assert.deepEqual(plain(await topicDefinitions.decode(again('maxbrod.configs.unseen', undefined))), [
    topics[0],
    unseen,
  ])
  for (const broken of ['', '[]', 'AA', 'AAAA'])
    await assert.rejects(topicDefinitions.decode(again('maxbrod.configs.unseen', broken)), { name: 'DecodeError' })
  const many = Array.from({ length: 20_000 }, (_, n) =>
    n % 3 === 0 ? { ...unseen, topic: `a-long-name-${n}` } : topics[0]!,
  )
  assert.deepEqual(plain(await topicDefinitions.decode(await topicDefinitions.encode(many))), many)
})

test('definitions say what their cluster does by default; what was written before they did leaves that open', async () => {
  const inherited = topics.map(one => ({ ...one, clusterPolicy: 'compact' }))
  assert.deepEqual(plain(await topicDefinitions.decode(await topicDefinitions.encode(inherited))), inherited)
  assert.deepEqual(
    topics.map(one => cleanupPolicies({ ...one, clusterPolicy: 'compact, delete' })),
    [['compact'], ['compact', 'delete']],
  )
  assert.equal(cleanupPolicies(topics[1]!), undefined)
})

test('a snapshot that is cut anywhere is refused', async () => {
  const file = await topicDefinitions.encode(topics)
  for (let length = 0; length < file.length; length++)
    await assert.rejects(topicDefinitions.decode(file.subarray(0, length)), { name: 'DecodeError' }, `${length} bytes`)
})

test('any one flipped bit of a snapshot is found', async () => {
  const file = await topicDefinitions.encode(topics)
  for (let bit = 0; bit < file.length * 8; bit++) {
    const flipped = Buffer.from(file)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    await assert.rejects(topicDefinitions.decode(flipped), { name: 'DecodeError' }, `bit ${bit}`)
  }
})

test('a snapshot of another kind is refused', async () => {
  const numbers = snapshotKind<{ a: number }>({
    type: 'record',
    name: 'Numbers',
    fields: [{ name: 'a', type: 'long' }],
  })
  await assert.rejects(topicDefinitions.decode(await numbers.encode([{ a: 1 }])), {
    name: 'DecodeError',
    message: /schema/,
  })
})

/** A snapshot that says all the right things of whatever bytes its one block holds: its author meant it. */
async function forged(content: Buffer, records = 1, said: Record<string, string> = {}): Promise<Buffer> {
  const genuine = parseContainerHeader(await topicDefinitions.encode(topics))!
  const sync = Buffer.alloc(16, 5)
  const block = Buffer.concat(frameBlock(records, await compressBlock(content, 1), sync))
  const meta = new Map(genuine.meta)
  meta.delete('maxbrod.header.sha256')
  meta.set('maxbrod.records', String(records))
  meta.set('maxbrod.blocks.sha256', createHash('sha256').update(block).digest('hex'))
  for (const [name, value] of Object.entries(said)) meta.set(name, value)
  return Buffer.concat([encodeContainerHeader(meta, sync), block])
}

const number = (value: number | bigint) => zigZag(BigInt(value))
const text = (content: string) => Buffer.concat([number(content.length), Buffer.from(content)])
/** Topic, id, partitions, replication factor, configs, ACLs. */
const start = [text('orders'), number(0), number(12), number(3)]

test('a forged snapshot is read when there is nothing wrong in it', async () => {
  const content = Buffer.concat([...start, number(0), number(0)])
  assert.deepEqual(plain(await topicDefinitions.decode(await forged(content))), [
    { topic: 'orders', topic_id: null, partitions: 12, replication_factor: 3, configs: {}, acls: [] },
  ])
  const sized = Buffer.concat([...start, number(-1), number(4), text('a'), text('b'), number(0), number(0)])
  assert.deepEqual((await topicDefinitions.decode(await forged(sized)))[0]!.configs, { a: 'b' })
})

describe('a forged snapshot is refused, soon and in little memory,', () => {
  const cases: Record<string, Promise<Buffer>> = {
    'with 2^40 ACLs': forged(Buffer.concat([...start, number(0), number(2n ** 40n), number(0)])),
    'with −2^40 ACLs': forged(Buffer.concat([...start, number(0), number(-(2n ** 40n)), number(0), number(0)])),
    'with 2^62 configs': forged(Buffer.concat([...start, number(2n ** 62n), number(0)])),
    'with 2^40 configs': forged(Buffer.concat([...start, number(2n ** 40n), number(0)])),
    'with a name of 2^40 bytes': forged(Buffer.concat([number(2n ** 40n), Buffer.from('orders')])),
    'with a name of negative length': forged(Buffer.concat([number(-1), Buffer.from('orders')])),
    'with a union branch that is none': forged(Buffer.concat([text('orders'), number(2), number(12), number(3)])),
    'with a negative union branch': forged(Buffer.concat([text('orders'), number(-1), number(12), number(3)])),
    'with an int of 40 bits': forged(
      Buffer.concat([text('orders'), number(0), number(2 ** 40), number(3), number(0), number(0)]),
    ),
    'with bytes behind its records': forged(Buffer.concat([...start, number(0), number(0), number(0)])),
    'with fewer records than it says': forged(Buffer.concat([...start, number(0), number(0)]), 2),
    'with 2^27 records': forged(Buffer.concat([...start, number(0), number(0)]), 2 ** 27),
    'with all the configs that it says, and millions of them': forged(
      Buffer.concat([...start, number(2 ** 23 + 1), Buffer.alloc(2 * (2 ** 23 + 1)), number(0), number(0)]),
    ),
    'with another codec': forged(Buffer.concat([...start, number(0), number(0)]), 1, { 'avro.codec': 'null' }),
    'that says it has more records': forged(Buffer.concat([...start, number(0), number(0)]), 1, {
      'maxbrod.records': '2',
    }),
    'of another format': forged(Buffer.concat([...start, number(0), number(0)]), 1, { 'maxbrod.format': '2' }),
    'with no records in a block': forged(Buffer.alloc(0), 0),
  }
  for (const [title, making] of Object.entries(cases)) {
    test(title, async () => {
      const file = await making
      await withinCpuTime(500, () => assert.rejects(topicDefinitions.decode(file), { name: 'DecodeError' }))
    })
  }
})

test('whatever stands in the block of a forged snapshot, it is read as avsc reads it or refused by a DecodeError', async () => {
  const { meta } = parseContainerHeader(await topicDefinitions.encode([]))!
  const type = avsc.Type.forSchema(JSON.parse(meta.get('avro.schema')!) as avsc.Schema)
  const genuine = Buffer.concat(topics.map(topic => type.toBuffer(topic)))
  const edits = fc.record({ at: fc.nat(), cut: fc.nat(3), bytes: fc.uint8Array({ maxLength: 3 }) })
  let read = 0
  let refused = 0
  await checkAsync(
    fc.asyncProperty(fc.array(edits, { minLength: 1, maxLength: 2 }), async list => {
      let content = genuine
      for (const { at, cut, bytes } of list) {
        const where = at % (content.length + 1)
        content = Buffer.concat([content.subarray(0, where), bytes, content.subarray(where + cut)])
      }
      try {
        const records = await topicDefinitions.decode(await forged(content, 2))
        const first = type.decode(content, 0)
        assert.deepEqual(plain(records), plain([first.value, type.fromBuffer(content.subarray(first.offset))]))
        read++
      } catch (error) {
        assert.equal((error as Error).name, 'DecodeError', (error as Error).stack)
        refused++
      }
    }),
    1_000,
  )
  assert.ok(read > 50 && refused > 50, `${read} read, ${refused} refused`)
})
