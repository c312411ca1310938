import assert from 'node:assert/strict'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { drillOf } from '../../src/format/drill-names.ts'
import type { Ports } from '../../src/commands/ports.ts'
import { lookAtPartitions } from '../../src/groups/look.ts'
import type { Kafka } from '../../src/kafka/port.ts'
import { eventually } from '../helpers/eventually.ts'
import { FaultyCli } from '../helpers/faulty-process.ts'
import { runCommand, startCommand } from '../helpers/in-process.ts'
import type { CommandResult } from '../helpers/in-process.ts'
import { openClient } from '../helpers/kafka-client.ts'
import type { RecordToSend } from '../helpers/records.ts'
import { ok, openRestoreScene, refused } from '../helpers/restore-scene.ts'
import type { RestoreScene } from '../helpers/restore-scene.ts'

interface Difference {
  readonly kind: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly fields: readonly string[]
}

/** What the document of a drill says. */
interface Said {
  readonly drill: string
  readonly result: string
  readonly records: number
  readonly differences: number
  readonly differing: readonly Difference[]
  readonly incomplete: readonly { readonly says: string }[]
  readonly topics: readonly {
    readonly topic: string
    readonly recordsCompared: number
    readonly recordsRestored: number
  }[]
  readonly leftoversRemoved: readonly string[]
  readonly left: readonly string[]
}

function said({ json }: CommandResult): Said {
  return json as unknown as Said
}

/** The flags of a drill of these topics. */
function drillArgv(scene: RestoreScene, topics: readonly string[], ...flags: string[]): string[] {
  const selection = topics.map(topic => `--topics=${topic.replaceAll('.', String.raw`\.`)}`)
  return ['drill', '--memory=32MiB', ...selection, ...flags, ...scene.common]
}

/** All topics of drills that the cluster has; of this one, if it is named. */
async function topicsOfDrills(scene: RestoreScene, drill?: string): Promise<string[]> {
  await using kafka = openClient(scene.world.bootstrap)
  const clusterId = await kafka.admin.clusterId()
  return (await kafka.admin.topics())
    .map(({ name }) => name)
    .filter(name => {
      const own = drillOf(name, clusterId)?.name
      return own !== undefined && (drill === undefined || own === drill)
    })
}

/** Ports by which a test comes between the executor of a drill and what follows. */
function between(does: { joins?: () => void; left?: (drill: string) => Promise<void>; raised?: () => void }) {
  return (real: Ports): Ports => ({
    ...real,
    async openKafka(options, tools) {
      const kafka = await real.openKafka(options, tools)
      const joinGroup: Kafka['joinGroup'] = async (group, signal) => {
        if (!group.groupId.endsWith('.restore')) return kafka.joinGroup(group, signal)
        does.joins?.()
        const session = await kafka.joinGroup(group, signal)
        const leave = session.leave.bind(session)
        session.leave = async () => {
          await leave()
          await does.left?.(group.groupId.slice(0, -'.restore'.length))
        }
        return session
      }
      const admin = { ...kafka.admin, alterBrokerDefaults: () => Promise.resolve(does.raised?.()) }
      return Object.assign(Object.create(kafka) as Kafka, { joinGroup, admin })
    },
  })
}

/** Younger than what a sealed topic refuses. */
const lately = Date.now() - 600_000

/** Of each partition: enough for several batches of different kinds. */
function originals(partition: number): (RecordToSend & { readonly timestamp: number })[] {
  return Array.from({ length: 60 }, (_, n) => ({
    partition,
    timestamp: lately + n,
    key: n % 2 === 0 ? null : `${n}`,
    value: n % 7 === 0 ? null : `value ${n}`,
    headers: [
      ['b', '1'],
      ['a', null],
      ['b', `${n}`],
    ],
  }))
}

async function sourceOf(scene: RestoreScene, word: string): Promise<string> {
  const topic = scene.world.name(word)
  await scene.world.referee.createTopic(topic, { partitions: 3, configs: { 'retention.ms': 86_400_000 } })
  await scene.world.referee.produce(topic, [0, 1, 2].flatMap(originals))
  await scene.backUp(topic)
  return topic
}

test('a drill restores, finds every record as the backup has it, tells of it, and leaves nothing behind', async t => {
  await using scene = await openRestoreScene(t)
  const [one, other] = [await sourceOf(scene, 'one'), await sourceOf(scene, 'other.topic')]
  const { referee, folder } = scene.world
  const lookalike = `maxbrod-drill-0123456789abcdef.${scene.world.name('mine')}`
  await referee.createTopic(lookalike)
  const reports = join(folder, 'reports')
  let raised = 0
  const argv = drillArgv(scene, [one, other], `--report=${reports}`)
  const result = ok(await runCommand(argv, between({ raised: () => void raised++ })))
  const found = said(result)
  assert.deepEqual([found.result, found.records, found.differences, found.left], ['ok', 360, 0, []])
  assert.deepEqual(
    found.topics.map(topic => [topic.topic, topic.recordsRestored, topic.recordsCompared]),
    [one, other].toSorted().map(topic => [topic, 180, 180]),
  )
  assert.deepEqual(await topicsOfDrills(scene, found.drill), [])
  assert.equal((await referee.offsets(lookalike)).length, 1, 'a topic that only looks like one of a drill stays')
  await referee.deleteTopic(lookalike)
  const [json = '', text = ''] = (await readdir(reports)).toSorted()
  const kept = JSON.parse(await readFile(join(reports, json), 'utf8')) as Said & { exit: number }
  assert.deepEqual([kept.exit, kept.result, kept.topics], [0, 'ok', found.topics])
  assert.match(await readFile(join(reports, text), 'utf8'), /every record is as the backup has it/)
  assert.equal(raised, 0, 'what concerns all of the cluster stays as it is')
})

test('one changed byte, a dropped header and two swapped records are each named by partition and offset: exit code 4', async t => {
  await using scene = await openRestoreScene(t)
  const topic = await sourceOf(scene, 'tampered')
  const { referee, folder } = scene.world
  /** Puts other records in the place of those that were restored. */
  const tamper = async (drill: string) => {
    const restored = (partition: number) =>
      originals(partition).map((record, offset) => ({
        ...record,
        headers: [...(record.headers ?? []), ['restore.source-offset', `${offset}`] as const],
      }))
    const [first, second, third] = [restored(0), restored(1), restored(2)]
    first[17] = { ...first[17]!, value: 'value 1/' }
    second[31] = { ...second[31]!, headers: second[31]!.headers.toSpliced(1, 1) }
    ;[third[5], third[6]] = [third[6]!, third[5]!]
    const scratch = `${drill}.${topic}`
    for (const partition of [0, 1, 2]) await referee.deleteRecords(scratch, partition, 60)
    await referee.produce(scratch, [...first, ...second, ...third])
  }
  let tampered = 0
  const left = async (drill: string) => {
    await tamper(drill)
    tampered++
  }
  const result = await runCommand(drillArgv(scene, [topic], `--report=${folder}/reports`), between({ left }))
  assert.equal(tampered, 1)
  assert.equal(result.exit, 4, result.stderr)
  const { differences, differing, drill, records } = said(result)
  assert.deepEqual(
    differing.map(({ kind, topic: of, partition, offset, fields }) => [kind, of, partition, offset, ...fields]),
    [
      ['changed', topic, 0, 17, 'value'],
      ['changed', topic, 1, 31, 'headers'],
      ['misplaced', topic, 2, 5, 'timestamp', 'key', 'value', 'headers'],
      ['misplaced', topic, 2, 6, 'timestamp', 'key', 'value', 'headers'],
    ],
  )
  assert.deepEqual([differences, records], [4, 180])
  assert.deepEqual(await topicsOfDrills(scene, drill), [])
  const text = (await readdir(`${folder}/reports`)).find(name => name.endsWith('.txt')) ?? ''
  assert.match(await readFile(`${folder}/reports/${text}`, 'utf8'), new RegExp(`DIFFERS {2}${topic}-1 offset 31 `))
})

test('a damaged file is named and the other partitions are compared; a hole ends the drill; both leave nothing: exit code 4', async t => {
  await using scene = await openRestoreScene(t)
  const topic = await sourceOf(scene, 'damaged')
  const key = `${topic}/1/${topic}-1-0000000000000000000.avro`
  const path = join(scene.folder, key)
  const bytes = await readFile(path)
  bytes[bytes.length - 40]! ^= 1
  await writeFile(path, bytes)
  const damaged = await runCommand(drillArgv(scene, [topic]))
  assert.equal(damaged.exit, 4, damaged.stderr)
  const found = said(damaged)
  assert.deepEqual([found.result, found.records, found.differences], ['partial', 120, 0])
  assert.equal(found.incomplete.length, 1)
  assert.match(found.incomplete[0]!.says, new RegExp(`0 of 60 records were restored: .*${key}`))
  assert.deepEqual(await topicsOfDrills(scene, found.drill), [])

  const holes = scene.world.name('holes')
  await using kafka = openClient(scene.world.bootstrap)
  const clusterId = await kafka.admin.clusterId()
  await scene.putFiles(holes, 0, [0, 20], { clusterId })
  await scene.putFiles(holes, 0, [40, 60], { clusterId })
  const reports = join(scene.world.folder, 'reports')
  refused(await runCommand(drillArgv(scene, [holes], `--report=${reports}`)), 4, 'TILING_HOLE', holes)
  const [json = ''] = (await readdir(reports)).toSorted()
  const kept = JSON.parse(await readFile(join(reports, json), 'utf8')) as { exit: number; error: { code: string } }
  assert.deepEqual([kept.exit, kept.error.code], [4, 'TILING_HOLE'])
})

test('a sample restores a stretch of each partition, and up to a moment no more than that; a report that cannot be written hides neither', async t => {
  await using scene = await openRestoreScene(t)
  const topic = await sourceOf(scene, 'sampled')
  const sampled = said(ok(await runCommand(drillArgv(scene, [topic], '--sample=10%'))))
  assert.deepEqual([sampled.records, sampled.topics[0]?.recordsCompared], [18, 18])
  const until = new Date(lately + 9).toISOString()
  const unwritten = await runCommand(drillArgv(scene, [topic], `--until=${until}`, '--report=/dev/null/reports'))
  assert.equal(unwritten.exit, 3, unwritten.stderr)
  const early = said(unwritten)
  assert.deepEqual([early.records, early.topics[0]?.recordsCompared], [30, 30])
  const before = new Date(lately - 60_000).toISOString()
  const nothing = await runCommand(drillArgv(scene, [topic], `--until=${before}`))
  assert.deepEqual([nothing.exit, said(nothing).result, said(nothing).records], [3, 'partial', 0], nothing.stderr)
  const both = await runCommand(drillArgv(scene, [topic], `--at=${until}`, '--sample=10%'))
  refused(both, 2, 'USAGE', '--sample')
})

test('an interrupted drill removes what it has made, and ends as shells expect it', async t => {
  await using scene = await openRestoreScene(t)
  const topic = await sourceOf(scene, 'interrupted')
  let joined = 0
  const joins = () => {
    joined++
    running.signal('SIGINT')
  }
  const running = startCommand(drillArgv(scene, [topic]), between({ joins }))
  const { exit, stderr } = await running.result
  assert.deepEqual([joined, exit], [1, 130], stderr)
  const [, drill = ''] = /"(maxbrod-drill-[0-9a-f]{16})"/.exec(stderr) ?? []
  assert.notEqual(drill, '', stderr)
  assert.deepEqual(await topicsOfDrills(scene, drill), [])
})

test('what killed drills have left is removed by the next one, at whatever call they died, and nothing of one that lives', async t => {
  await using scene = await openRestoreScene(t)
  const topic = await sourceOf(scene, 'killed')
  const dying = [
    ['admin.createTopic:after:1:kill', 1],
    ['admin.createTopic:after:2:kill', 2],
    ['kafka.leave~.restore:after:1:kill', 2],
  ] as const
  const left: string[][] = []
  // One behind the other: each may remove what those before it have left.
  for (const [fault, topics] of dying) left.push(await killDrill(scene, topic, fault, topics))
  const stopped = 'admin.createTopic:after:2:stop'
  const living = new FaultyCli(drillArgv(scene, [topic], '--session-timeout=10m'), [stopped])
  try {
    await living.happened(stopped)
    const others = left.flat()
    const own = await eventually('the living one has made its first topic', async () =>
      (await topicsOfDrills(scene)).find(name => name.endsWith(topic) && !others.includes(name)),
    )
    await using kafka = openClient(scene.world.bootstrap)
    const topics = (await kafka.admin.topics()).filter(({ name }) => name === own || name === topic)
    const { partitions } = await lookAtPartitions(kafka, topics, () => Date.now())
    assert.deepEqual(new Set(partitions.map(one => one.topic)), new Set([topic]), 'no point has to do with a drill')
    const { json } = ok(await runCommand(['topics', '--topics=maxbrod.*', scene.common[0]!]))
    const listed = (json['topics'] as { topic: string; backedUp: string }[]).find(one => one.topic === own)
    assert.equal(listed?.backedUp, 'of a drill')
    await eventually('the group forgets the dead', async () => {
      const groups = await scene.world.referee.listGroups()
      return others.every(name => {
        const drill = name.split('.')[0]
        return groups.every(({ group, state }) => group !== drill || ['Empty', 'Dead', 'EMPTY', 'DEAD'].includes(state))
      })
    })
    const next = said(ok(await runCommand(drillArgv(scene, [topic]))))
    const there = await topicsOfDrills(scene)
    assert.deepEqual(
      others.filter(name => there.includes(name)),
      [],
    )
    assert.ok(there.includes(own), 'who stands still for a moment is not dead')
    assert.equal(next.records, 180)
    living.process.kill('SIGCONT')
    const { exit, stderr } = await living.result
    assert.equal(exit, 0, stderr)
    assert.ok(!(await topicsOfDrills(scene)).includes(own))
  } finally {
    living.process.kill('SIGKILL')
  }
})

/** Lets a drill die at a call, and answers with the topics that it had made. */
async function killDrill(scene: RestoreScene, topic: string, fault: string, topics: number): Promise<string[]> {
  const killed = new FaultyCli(drillArgv(scene, [topic], '--session-timeout=10s'), [fault])
  const { exit, stderr } = await killed.result
  assert.equal(exit, 'SIGKILL', stderr)
  killed.assertAllFired()
  const [, drill = ''] = /(maxbrod-drill-[0-9a-f]{16})/.exec(stderr) ?? []
  return eventually(`${fault} leaves ${topics} topics`, async () => {
    const left = await topicsOfDrills(scene, drill)
    return left.length === topics ? left : undefined
  })
}
