import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { limitsOf, readKeepRules } from '../../src/archive/prune/rules.ts'
import { oldGenerations } from '../../src/archive/prune/generations.ts'
import { timeOf, whyKept, wholeRange } from '../../src/archive/prune/verdict.ts'
import { pruneOptions } from '../../src/archive/prune/options.ts'
import { generationName, tileKey } from '../../src/format/keys.ts'
import type { TopicDefinition } from '../../src/format/snapshot/topic-definitions.ts'
import { optionsOf } from '../helpers/options.ts'
import { check } from '../helpers/properties.ts'

const day = 24 * 3_600_000
const now = Date.UTC(2026, 10, 21)
const around = { nowMs: now, newerBytes: 1_000, needed: Infinity }
const file = (daysOld: number) => ({
  from: 0,
  to: 10,
  bytes: 100,
  storedAtMs: now - daysOld * day,
  timestampMax: BigInt(now - daysOld * day),
})
const limits = { keepMs: undefined, keepBytes: undefined, source: undefined }

const definition = (configs: Record<string, string>, clusterPolicy?: string): TopicDefinition => ({
  topic: 'a',
  topic_id: null,
  partitions: 1,
  replication_factor: 1,
  configs,
  acls: [],
  ...(clusterPolicy !== undefined && { clusterPolicy }),
})

for (const [what, rule, change, kept] of [
  ['older than --keep', { ...limits, keepMs: 30 * day }, {}, undefined],
  ['as old as --keep to the millisecond', { ...limits, keepMs: 31 * day }, {}, /newer than 31d00h/],
  ['among the newest bytes', { ...limits, keepBytes: 1_001 }, {}, /among the newest 0.978 KiB/],
  ['behind the newest bytes', { ...limits, keepBytes: 1_000 }, {}, undefined],
  ['old, and among the newest bytes', { ...limits, keepMs: day, keepBytes: 1_001 }, {}, /among/],
  ['behind the newest bytes, and young', { ...limits, keepMs: 32 * day, keepBytes: 1 }, {}, /newer/],
  ['within both limits of its topic', { ...limits, source: { keepMs: 32 * day, keepBytes: 1_001 } }, {}, /retention/],
  ['beyond one limit of its topic', { ...limits, source: { keepMs: 32 * day, keepBytes: 1_000 } }, {}, undefined],
  ['beyond the other', { ...limits, source: { keepMs: day, keepBytes: undefined } }, {}, undefined],
  ['needed by a restoration point', { ...limits, keepMs: day }, { needed: 9 }, /restoration point/],
  ['right before what a point needs', { ...limits, keepMs: day }, { needed: 10 }, undefined],
] as const) {
  test(`a file that is ${what} ${kept === undefined ? 'may go' : 'stays'}`, () => {
    const why = whyKept(file(31), rule, { ...around, ...change })
    if (kept === undefined) assert.equal(why, undefined)
    else assert.match(why ?? '', kept)
  })
}

test('a file whose end nobody knows stays', () => {
  assert.match(whyKept({ ...file(99), to: undefined }, { ...limits, keepMs: day }, around) ?? '', /where it ends/)
})

test('the age of a file is that of its newest record, unless no right clock can have said it', () => {
  const storedAtMs = now - 5 * day
  for (const [timestampMax, time] of [
    [BigInt(now - 40 * day), now - 40 * day],
    [BigInt(storedAtMs + 3_600_000), storedAtMs + 3_600_000],
    [undefined, storedAtMs],
    [-1n, storedAtMs],
    [0n, storedAtMs],
    [BigInt(now) / 1_000n, storedAtMs], // seconds
    [BigInt(now) * 1_000n, storedAtMs], // microseconds
    [2n ** 63n - 1n, storedAtMs],
    [BigInt(storedAtMs + 25 * 3_600_000), storedAtMs],
  ] as const)
    assert.equal(timeOf({ storedAtMs, timestampMax }, now), time, String(timestampMax))
})

test('a file that was stored before there was Kafka, as bad copies say, is as old as its records, or of no age: then it stays', () => {
  for (const storedAtMs of [0, Date.UTC(1980, 0)]) {
    const young = { ...file(5), storedAtMs }
    assert.equal(timeOf(young, now), now - 5 * day)
    assert.match(whyKept(young, { ...limits, keepMs: 30 * day }, around) ?? '', /newer/)
    assert.equal(whyKept({ ...file(31), storedAtMs }, { ...limits, keepMs: 30 * day }, around), undefined)
    for (const timestampMax of [undefined, -1n, BigInt(now + 2 * day)]) {
      const unknown = { ...young, timestampMax }
      assert.equal(timeOf(unknown, now), undefined)
      assert.match(whyKept(unknown, { ...limits, keepMs: 30 * day }, around) ?? '', /how old it is/)
      assert.match(whyKept(unknown, { ...limits, source: { keepMs: day, keepBytes: undefined } }, around) ?? '', /how/)
      assert.equal(whyKept(unknown, { ...limits, keepBytes: 1_000 }, around), undefined)
      assert.equal(whyKept(unknown, { ...limits, source: { keepMs: day, keepBytes: 1_000 } }, around), undefined)
    }
  }
})

test('no file goes that reaches into what stays', () => {
  const span = fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 15 }))
  check(
    fc.property(fc.array(span, { maxLength: 12 }), fc.nat(12), (spans, asked) => {
      const files = spans.map(([from, length]) => ({ from, to: from + length })).toSorted((a, b) => a.from - b.from)
      const wanted = Math.min(asked, files.length)
      const count = wholeRange(files, wanted)
      const begin = files[count]?.from ?? Infinity
      assert.ok(count <= wanted)
      assert.ok(files.slice(0, count).every(({ to }) => to <= begin))
      // As many as may: with one more, one would.
      for (let more = count + 1; more <= wanted; more++)
        assert.ok(files.slice(0, more).some(({ to }) => to > (files[more]?.from ?? Infinity)))
    }),
    300,
  )
})

const read = async (text: string, ...flags: string[]) =>
  readKeepRules({ read: async () => Buffer.from(text) }, optionsOf(pruneOptions, '--keep-rules=rules.conf', ...flags))

test('the first rule whose regex matches a topic counts, and alone; flags are for the others', async () => {
  const rules = await read(
    '# what is kept\n[audit|orders\\..*]\nkeep = forever\n\n[clicks]\nkeep = 2d\nkeep-bytes = 1GiB\n[cl.*]\nkeep=as-source\n',
    '--keep=30d',
    '--keep-bytes=1MiB',
  )
  assert.deepEqual(rules('orders.eu'), { keep: 'forever', keepBytes: undefined })
  assert.deepEqual(rules('clicks'), { keep: 2 * day, keepBytes: 1024 ** 3 })
  assert.deepEqual(rules('clients'), { keep: 'as-source', keepBytes: undefined })
  assert.deepEqual(rules('orders'), { keep: 30 * day, keepBytes: 1024 ** 2 })
})

test('rules that cannot be understood, and no rule at all, are refused before anything is looked at', async () => {
  for (const [text, says] of [
    ['[a]\nkeep = 30', /rules\.conf, line 2: '30' has no unit/],
    ['[a]\nkept = 30d', /line 2: there is no setting 'kept'/],
    ['keep = 30d', /line 1: 'keep' stands before the first \[regex\]/],
    ['[a]\nkeep = 0', /keeps nothing/],
  ] as const)
    await assert.rejects(read(text), { code: 'USAGE', message: says })
  const nothing = readKeepRules({ read: async () => undefined }, optionsOf(pruneOptions))
  await assert.rejects(nothing, { code: 'USAGE', message: /nothing says what to keep/ })
  const missing = readKeepRules({ read: async () => undefined }, optionsOf(pruneOptions, '--keep-rules=none'))
  await assert.rejects(missing, { code: 'USAGE', message: /there is no file none/ })
})

for (const [what, keep, configs, rule] of [
  ['30 days', 30 * day, {}, { keepMs: 30 * day, keepBytes: undefined, source: undefined }],
  ['as Kafka keeps it', 'as-source', { 'retention.ms': '86400000' }, { source: { keepMs: day, keepBytes: undefined } }],
  [
    'as Kafka keeps it, by bytes',
    'as-source',
    { 'retention.ms': '-1', 'retention.bytes': '99' },
    { source: { keepMs: undefined, keepBytes: 99 } },
  ],
  ['as Kafka keeps it: for ever', 'as-source', { 'retention.ms': '-1' }, /for ever/],
  ['as Kafka keeps it, which nobody saved', 'as-source', {}, /not known/],
  ['30 days of a compacted topic', 30 * day, { 'cleanup.policy': 'compact' }, /compacted/],
  ['as a compacted topic is kept', 'as-source', { 'cleanup.policy': 'compact', 'retention.ms': '1' }, /compacted/],
  [
    'a compacted topic that loses records, too',
    'as-source',
    { 'cleanup.policy': 'compact,delete', 'retention.ms': '1' },
    { source: { keepMs: 1, keepBytes: undefined } },
  ],
  ['for ever', 'forever', {}, /for ever/],
  ['what no rule is for', undefined, {}, /no rule/],
] as const) {
  test(`what a rule means: ${what}`, () => {
    const found = limitsOf({ keep, keepBytes: undefined }, definition(configs, 'delete'))
    if (rule instanceof RegExp) assert.match('keepsAll' in found ? found.keepsAll : '', rule)
    else assert.deepEqual(found, { ...limits, ...rule })
  })
}

test('what a rule means: nothing, for a topic whose configs nobody could see', () => {
  const unseen = { ...definition({}), areConfigsUnseen: true } as const
  for (const keep of [30 * day, 'as-source'] as const) {
    const found = limitsOf({ keep, keepBytes: 1 }, unseen)
    assert.match('keepsAll' in found ? found.keepsAll : '', /seen its configs/)
  }
})

for (const [clusterPolicy, configs, goes] of [
  ['compact', {}, /compacted/],
  ['compact,delete', {}, true],
  ['compact', { 'cleanup.policy': 'delete' }, true],
  ['delete', { 'cleanup.policy': 'compact' }, /compacted/],
  ['delete', {}, true],
  [undefined, {}, /nothing says what its cluster does/],
  [undefined, { 'retention.ms': '1' }, /nothing says what its cluster does/],
  [undefined, { 'cleanup.policy': 'delete' }, true],
] as const) {
  const own = JSON.stringify(configs)
  test(`what a rule means: the cluster's policy ${clusterPolicy} is that of a topic which has ${own}, unless that says one`, () => {
    const found = limitsOf({ keep: day, keepBytes: undefined }, definition(configs, clusterPolicy))
    if (goes === true) assert.deepEqual(found, { ...limits, keepMs: day })
    else assert.match('keepsAll' in found ? found.keepsAll : '', goes)
  })
}

test('files that nobody finished go a day after the newest of them, and later the longer all of them take to be read back', () => {
  const place = {
    topic: 'a',
    topicId: undefined,
    partition: 0,
    lineage: undefined,
    generation: generationName('compacted', 0),
  }
  const goes = (newestDaysOld: number, gibibytes: number) => {
    const files = [9, newestDaysOld].map((daysOld, n) => ({
      key: tileKey(place, n, false),
      place: { ...place, from: n, isEncrypted: false },
      bytes: (gibibytes / 2) * 2 ** 30,
      etag: '',
      modifiedAtMs: now - daysOld * day,
    }))
    const unfinished = {
      place,
      kind: 'compacted',
      atMs: now - 9 * day,
      files,
      sealed: undefined,
      seal: undefined,
    } as const
    return oldGenerations([unfinished], () => 0, now).length === 1
  }
  const found = [0.9, 1.1, 2.1, 2.3].map(daysOld => [goes(daysOld, 0), goes(daysOld, 100)])
  // 100 GiB at 1 MiB/s take 28 hours.
  assert.deepEqual(found, [
    [false, false],
    [true, false],
    [true, false],
    [true, true],
  ])
})
