import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigEntry } from '../../src/kafka/port/admin.ts'
import { preflightTable } from '../../src/planner/preflight-table.ts'
import { preflight } from '../../src/planner/preflight.ts'
import type { PreflightView } from '../../src/planner/preflight.ts'
import { errorOf } from '../../src/planner/refusal.ts'
import type { Refusal } from '../../src/planner/refusal.ts'
import type { SeenTarget } from '../../src/planner/see-targets.ts'
import type { TargetOptions, WantedTarget } from '../../src/planner/wanted-target.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const plain: TargetOptions = { createTopics: false, append: false, hold: 'auto', partitionMap: 'same' }

const wanted = (source: string, more: Partial<WantedTarget> = {}): WantedTarget => ({
  source,
  topic: `r.${source}`,
  partitions: 2,
  definition: {
    topic: source,
    topic_id: null,
    partitions: 2,
    replication_factor: 3,
    configs: { 'retention.ms': '3600000' },
    acls: [],
  },
  recordBytesMax: 100,
  timestampMin: BigInt(NOW - 86_400_000),
  timestampMax: BigInt(NOW),
  ...more,
})

/** A topic of which each partition goes from one offset to another. */
const seen = (name: string, logs: readonly [number, number][], configs: Record<string, string> = {}): SeenTarget => ({
  description: {
    name,
    topicId: `id of ${name}`,
    isInternal: false,
    partitions: logs.length,
    replicationFactor: 1,
    error: undefined,
  },
  configs: Object.entries({ 'max.message.bytes': '1048588', 'min.insync.replicas': '1', ...configs }).map(
    ([key, value]): ConfigEntry => ({ name: key, value, isOwn: true, isReadOnly: false }),
  ),
  logs: logs.map(([start, end], partition) => ({ topic: name, partition, start, end })),
})

const look = (targets: readonly WantedTarget[], topics: readonly SeenTarget[], more: Partial<PreflightView> = {}) => ({
  wanted: targets,
  empty: [],
  impossible: new Map<string, Refusal>(),
  seen: new Map(topics.map(topic => [topic.description.name, topic])),
  planned: () => undefined,
  ...more,
})

test('all that is refused is told at once, of every target, and the table has a row for each', () => {
  const hidden: SeenTarget = {
    ...seen('r.hidden', []),
    description: { ...seen('r.hidden', []).description, error: 'TOPIC_AUTHORIZATION_FAILED' },
  }
  const names = ['absent', 'full', 'small', 'bad', 'fine', 'hidden']
  const impossible: Refusal = { code: 'USAGE', message: 'bad would be restored into plan', details: { hint: 'rename' } }
  const topics = [
    seen('r.full', [
      [0, 0],
      [3, 9],
    ]),
    seen('r.small', [[0, 0]]),
    seen('r.fine', [
      [7, 7],
      [0, 0],
    ]),
    hidden,
  ]
  const view = look(
    names.map(name => wanted(name)),
    topics,
    { impossible: new Map([['bad', impossible]]) },
  )
  const { rows, refusals } = preflight(view, plain, NOW)
  assert.deepEqual(
    rows.map(({ source, topic, verdict, records, ownedBy }) => [source, topic, verdict, records, ownedBy]),
    [
      ['absent', 'missing', 'refused', 0, 'nobody'],
      ['full', 'exists', 'refused', 6, 'others'],
      ['small', 'exists', 'refused', 0, 'nobody'],
      ['bad', 'missing', 'refused', 0, 'nobody'],
      ['fine', 'exists', 'ok', 0, 'nobody'],
      ['hidden', 'hidden', 'refused', undefined, 'nobody'],
    ],
  )
  const error = errorOf(refusals, { preflight: rows })
  assert.equal(error?.code, 'USAGE')
  const words = [
    'bad would be restored into plan',
    'cannot look at the target topic r.hidden: TOPIC_AUTHORIZATION_FAILED',
    'r.absent does not exist in the target cluster',
    'r.small has 1 partitions where its source has 2',
    'r.full-1 already holds records (3 to 8)',
  ]
  assert.equal(error.message, words.join('; '))
  assert.match(
    error.hint ?? '',
    /^rename; grant .*; create it .*; restore into a topic of the same size.*; .*--append$/,
  )
  assert.equal(error.facts['preflight'], rows)
  const lines = preflightTable(rows).split('\n')
  assert.match(lines[0] ?? '', /^source +target +topic +partitions +holds +cleanup .* verdict$/)
  assert.match(lines[2] ?? '', /^full +r\.full +exists +2 +6 of others .*refused$/)
  assert.match(lines[3] ?? '', /^small +r\.small +exists +1 of 2 +nothing /)
  for (const word of words)
    assert.ok(
      lines.some(line => line.startsWith('refused: ') && line.endsWith(word)),
      word,
    )
})

test('without a refusal there is no error, and one that is alone keeps its facts', () => {
  assert.equal(errorOf([]), undefined)
  const { refusals } = preflight(look([wanted('absent')], []), plain, NOW)
  const error = errorOf(refusals)
  assert.deepEqual([error?.code, error?.facts['topic']], ['TARGET_MISSING', 'r.absent'])
})

test('what will be created is shown as its source was; what is unknown of it is a note', () => {
  const targets = [wanted('known'), wanted('unknown', { definition: undefined })]
  const { rows, refusals } = preflight(look(targets, []), { ...plain, createTopics: true }, NOW)
  assert.deepEqual(refusals, [])
  assert.deepEqual(
    rows.map(({ topic, partitions, configs, verdict }) => [topic, partitions, configs['retention.ms'], verdict]),
    [
      ['to be created', 2, '3600000', 'ok'],
      ['to be created', 2, undefined, 'note'],
    ],
  )
  assert.match(rows[1]?.reasons[0] ?? '', /the backup has no definition of unknown/)
})

test('a cluster with fewer brokers than a source had replicas is a note on what will be created, and on nothing else', () => {
  const definition = { ...wanted('a').definition!, configs: { 'min.insync.replicas': '2' } }
  const targets = [wanted('new', { definition }), wanted('there'), wanted('unknown', { definition: undefined })]
  const view = look(
    targets,
    [
      seen('r.there', [
        [0, 0],
        [0, 0],
      ]),
    ],
    { empty: [wanted('void')] },
  )
  const reasonsWith = (brokers: number | undefined, createTopics = true) => {
    const { rows } = preflight({ ...view, brokers }, { ...plain, createTopics }, NOW)
    return rows.map(({ reasons }) => reasons.filter(reason => reason.includes('fewer replicas')))
  }
  const lowered = (topic: string, brokers: string) =>
    `${topic} is created with fewer replicas than the 3 of its source: the cluster has ${brokers}`
  const inSync = ', and min.insync.replicas is lowered from 2 to as many'
  assert.deepEqual(reasonsWith(1), [[lowered('r.new', '1 broker') + inSync], [], [], [lowered('r.void', '1 broker')]])
  assert.deepEqual(reasonsWith(2), [[lowered('r.new', '2 brokers')], [], [], [lowered('r.void', '2 brokers')]])
  for (const none of [reasonsWith(3), reasonsWith(undefined), reasonsWith(1, false)])
    assert.deepEqual(none, [[], [], [], []])
  const { rows, refusals } = preflight({ ...view, brokers: 1 }, { ...plain, createTopics: true }, NOW)
  assert.deepEqual([refusals, rows[0]?.verdict], [[], 'note'])
  assert.ok(preflightTable(rows).includes(`note: ${lowered('r.new', '1 broker')}`))
})

test('limits of a target are notes while it will be held, and refusals where the hold is off', () => {
  const bounds = { 'message.timestamp.type': 'LogAppendTime', 'min.insync.replicas': '2', 'retention.ms': '60000' }
  const view = look([wanted('a', { partitions: 1, recordBytesMax: 2_000_000 })], [seen('r.a', [[0, 0]], bounds)])
  const held = preflight(view, plain, NOW)
  assert.deepEqual(held.refusals, [])
  const [row] = held.rows
  assert.equal(row?.verdict, 'note')
  assert.match(row.reasons.join('\n'), /2 must be in sync[^]*max\.message\.bytes/)
  assert.equal(row.configs['message.timestamp.type'], 'LogAppendTime')
  const free = preflight(view, { ...plain, hold: 'off' }, NOW)
  assert.deepEqual(
    free.refusals.map(({ code, message }) => [code, message]),
    [['USAGE', 'r.a would give every record the time of the restore']],
  )
  assert.match(free.rows[0]?.reasons.join('\n') ?? '', /without a hold they are gone within minutes/)
})

test('records of a target that is planned are those of this restore; what is more than planned is a note, another topic a refusal', () => {
  const logs: [number, number][] = [
    [5, 9],
    [0, 0],
  ]
  const target = { topic: 'r.a', topicId: 'id of r.a', created: false, finalConfigs: {}, baseOffsets: [5, 0] }
  const judge = (records: number[], topicId = target.topicId) =>
    preflight(
      look([wanted('a')], [seen('r.a', logs)], { planned: () => ({ target: { ...target, topicId }, records }) }),
      plain,
      NOW,
    )
  const [row] = judge([4, 7]).rows
  assert.deepEqual([row?.records, row?.ownedBy, row?.verdict], [4, 'this restore', 'ok'])
  assert.match(judge([3, 7]).rows[0]?.reasons[0] ?? '', /r\.a-0 holds 4 records behind its beginning, and 3 of them/)
  assert.deepEqual(
    judge([4, 7], 'other').refusals.map(({ code }) => code),
    ['TARGET_REPLACED'],
  )
})

test('--append takes what is there for its base, and a partition that does not tell its ends is refused', () => {
  const logs: [number, number][] = [
    [0, 3],
    [0, 0],
  ]
  const full = look([wanted('a')], [seen('r.a', logs)])
  assert.deepEqual(preflight(full, { ...plain, append: true }, NOW).refusals, [])
  const dumb = seen('r.a', logs)
  const silent = { ...dumb, logs: dumb.logs.map(log => ({ ...log, end: undefined })) }
  const { refusals, rows } = preflight(look([wanted('a')], [silent]), plain, NOW)
  assert.deepEqual(
    refusals.map(({ code, message }) => [code, message]),
    [['KAFKA_GAVE_UP', 'cannot tell where r.a-0 begins and ends']],
  )
  assert.equal(rows[0]?.records, undefined)
})
