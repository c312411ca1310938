import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drillOf, drillTopics, newScratch, renamesFor } from '../../src/format/drill-names.ts'
import { stretchesOf } from '../../src/archive/drill-sample.ts'
import { surveyArchive } from '../../src/archive/survey.ts'
import { Dice } from '../helpers/seed.ts'
import { soundFiles, storeOf, wholeFile } from '../helpers/sound-archive.ts'
import { archiveDeps } from '../helpers/verifying.ts'

const cluster = 'MkU3OEVBNTcwNTJENDM2Qg'
const scratch = newScratch('0123456789abcdef', cluster)

test('a topic of a drill says so by its name, and no other one is taken for it', () => {
  assert.match(scratch.name, /^maxbrod-drill-01234567[0-9a-f]{8}$/)
  for (const topic of [scratch.name, `${scratch.prefix}orders`, `${scratch.prefix}a.b`])
    assert.deepEqual(drillOf(topic, cluster), scratch)
  const others = [
    'orders',
    'maxbrod-drill-',
    'maxbrod-drill-orders',
    'maxbrod-drill-0123456789abcdef',
    'maxbrod-drill-0123456789abcdef.orders',
    `${scratch.name}orders`,
    `${scratch.name}-orders`,
    `my.${scratch.prefix}orders`,
    scratch.name.toUpperCase(),
  ]
  assert.deepEqual(
    others.filter(topic => drillOf(topic, cluster) !== undefined),
    [],
  )
  assert.equal(drillOf(scratch.name, 'another-cluster'), undefined, 'a copy in another cluster is not of a drill there')
  assert.ok(drillTopics.test(`${scratch.prefix}orders`) && !drillTopics.test('maxbrod-drill-orders'))
})

test('topics with long names are restored under names that Kafka takes, each its own', () => {
  const long = ['a', 'b'].map(end => `${'x'.repeat(248)}${end}`)
  const renames = renamesFor(['orders', 'y'.repeat(249 - scratch.prefix.length), ...long], scratch)
  assert.deepEqual(
    renames.map(([source]) => source),
    long,
  )
  const targets = renames.map(([, target]) => target)
  assert.equal(new Set(targets).size, 2)
  for (const target of targets) {
    assert.ok(target.length <= 249)
    assert.deepEqual(drillOf(target, cluster), scratch)
  }
})

test('a sample is a stretch of each partition inside its files, and many of them see every offset', async t => {
  const place = { topic: 'twice', topicId: undefined, partition: 0, lineage: undefined }
  const again = { ...place, topicId: 'BBBBBBBBBBBBBBBBBBBBBA' }
  const files = [
    ...(await soundFiles(['a'], 5)),
    await wholeFile(place, 0, 20),
    await wholeFile(again, 0, 20, { topicId: again.topicId }),
  ]
  const store = await storeOf(files)
  const selection = { topics: [/.*/], excludeTopics: [] }
  const { topics } = await surveyArchive(archiveDeps(store), selection, new AbortController().signal)
  const dice = new Dice(t.fullName)
  const seen = new Set<number>()
  for (let n = 0; n < 2_000; n++) {
    const { from, to } = stretchesOf(topics, 0.1, () => dice.number())!
    const [begin, end] = [from, to].map(text =>
      text
        .trim()
        .split('\n')
        .map(line => line.split(':')),
    )
    assert.deepEqual(
      begin!.map(([topic, partition]) => `${topic}-${partition}`),
      ['a-0', 'a-1'],
    )
    for (const [line, [, , first]] of begin!.entries()) {
      const [start, last] = [Number(first), Number(end![line]![2])]
      assert.ok(start >= 0 && last <= 100 && last - start === 10, `${start} to ${last}`)
      for (let offset = start; offset < last; offset++) seen.add(offset)
    }
  }
  assert.equal(seen.size, 100)
})
