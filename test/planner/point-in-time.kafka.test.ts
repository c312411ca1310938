import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { writePoint } from '../../src/catalog/restoration-points.ts'
import { plainRecords } from '../helpers/data-file.ts'
import { putTile } from '../helpers/put-tile.ts'
import type { RestoreScene } from '../helpers/restore-scene.ts'
import { ok, openRestoreScene, refused } from '../helpers/restore-scene.ts'

const create = ['--create-topics', '--target-prefix=r.']

/** Of the first record of each file; the n-th one is n ms later. */
const startMs = 1_700_000_000_000

/** A topic of two partitions; times begin anew in each file, so that they go up and down. */
async function backUp(scene: RestoreScene): Promise<string> {
  const topic = scene.world.name('orders')
  await scene.putFiles(topic, 0, [0, 5, 12, 40, 60])
  await scene.putFiles(topic, 1, [0, 20, 25])
  return topic
}

/** Source offsets by partition. */
async function restored(scene: RestoreScene, topic: string): Promise<number[][]> {
  ok(await scene.restore(['--verify=full']))
  const found = await scene.world.referee.records(`r.${topic}`, { restored: true })
  return [0, 1].map(n => found.filter(({ partition }) => partition === n).map(one => Number(one.sourceOffset)))
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, n) => from + n)
}

/** What a planner warns of, other than that these backups have no definitions. */
function told(json: Readonly<Record<string, unknown>>): string[] {
  return (json['warnings'] as string[]).filter(text => !text.startsWith('the backup has no definition of '))
}

test('--until restores all up to the first later record of each partition; later runs go on in the files that were cut', async t => {
  await using scene = await openRestoreScene(t)
  const topic = await backUp(scene)
  const early = [...create, `--until=${new Date(startMs + 10).toISOString()}`]
  const planned = ok(await scene.plan(early))
  const again = ok(await scene.plan(early))
  assert.deepEqual([again.json['planId'], again.json['filesAdded']], [planned.json['planId'], 0])
  const slices = async () =>
    (await scene.files())
      .toSorted((a, b) => a.target.partition - b.target.partition || a.index - b.index)
      .map(({ covers, slice, records }) => [covers.from, slice?.fromOffset, slice?.toOffset, records])
  const cutEarly = [
    [0, undefined, undefined, 5],
    [5, undefined, undefined, 7],
    [12, 12, 23, 11],
  ]
  assert.deepEqual(await slices(), [...cutEarly, [0, 0, 11, 11]])

  const late = [...create, `--until=${startMs + 22}`]
  assert.equal(ok(await scene.plan(late)).json['filesAdded'], 3)
  const cutLate = [...cutEarly, [12, 23, 35, 12]]
  const second = [
    [0, 0, 11, 11],
    [0, 11, 20, 9],
    [20, undefined, undefined, 5],
  ]
  assert.deepEqual(await slices(), [...cutLate, ...second])
  assert.deepEqual(await restored(scene, topic), [range(0, 35), range(0, 25)])
  // An earlier time than that of the plan asks for nothing more.
  assert.equal(ok(await scene.plan(early)).json['filesAdded'], 0)

  assert.equal(ok(await scene.plan(create)).json['filesAdded'], 2)
  assert.deepEqual(await slices(), [...cutLate, [12, 35, 40, 5], [40, undefined, undefined, 20], ...second])
  assert.deepEqual(await restored(scene, topic), [range(0, 60), range(0, 25)])
})

test('--from-offsets and --to-offsets restore exactly these records; partitions that they do not name are not cut', async t => {
  await using scene = await openRestoreScene(t)
  const topic = await backUp(scene)
  const [from, to] = [`${scene.world.folder}/from.txt`, `${scene.world.folder}/to.txt`]
  const flags = [...create, `--from-offsets=${from}`, `--to-offsets=${to}`]
  await writeFile(from, `${topic}:0:7\n`)
  refused(await scene.plan(flags), 2, 'USAGE', `there is no file ${to}`)
  await writeFile(to, `other:0:7\n`)
  refused(await scene.plan(flags), 2, 'USAGE', 'the file of --to-offsets names none of the selected topics')
  await writeFile(to, `${topic}:0:6\n`)
  refused(await scene.plan(flags), 2, 'USAGE', `${topic}-0 ends at 6, before it begins at 7`)
  await writeFile(to, `${topic}:0:51\n${topic}:1:26\n${topic}:2:5\n`)
  const short = await scene.plan(flags)
  refused(short, 4, 'TILING_HOLE', `${topic}/1/ has no file for offsets 25 to 25`)
  refused(short, 4, 'TILING_HOLE', `${topic}/2/ has no file for offsets 0 to 4`, `--accept-gaps ${topic}-2`)
  assert.deepEqual(await scene.entries(), [])

  await writeFile(to, `${topic}:0:51\nother:0:7\n`)
  const planned = ok(await scene.plan(flags))
  assert.deepEqual(told(planned.json), [])
  assert.deepEqual(await restored(scene, topic), [range(7, 51), range(0, 25)])
  assert.equal(ok(await scene.plan(flags)).json['filesAdded'], 0)
})

test('--at cuts all topics at the newest restoration point that their files reach, and takes the incarnations of that moment', async t => {
  await using scene = await openRestoreScene(t)
  const topic = await backUp(scene)
  const [again, late] = [scene.world.name('again'), scene.world.name('late')]
  const [first, second] = ['Hx3y8Ra6RBe9-hFQXtB2Kg', 'AAAAAAAAAAAAAAAAAAAAAA']
  await scene.putFiles(again, 0, [0, 9])
  const reborn = { topic: again, topicId: second, partition: 0, lineage: undefined }
  await putTile(scene.store, reborn, { from: 0, to: 7 }, [plainRecords(7, 0)])
  await scene.putFiles(late, 0, [0, 4])
  const hour = 3_600_000
  const point = (hours: number, id: string, ends: readonly [string, number, number][]) =>
    writePoint(scene.store, {
      atMs: startMs + hours * hour,
      groupsKey: `@groups/${hours}.avro`,
      partitions: ends.map(([of, partition, end]) => ({
        topic: of,
        topic_id: of === again ? id : first,
        partition,
        log_start: of === late ? end : 0,
        end,
      })),
    })
  const ends = (n: number): [string, number, number][] => [
    [topic, 0, n],
    [topic, 1, 20],
    [again, 0, 4],
  ]
  await point(1, first, ends(12))
  const key = await point(2, second, ends(25))
  await point(3, second, [...ends(61), [late, 0, 4]])
  const at = (hours: number) => `--at=${new Date(startMs + hours * hour).toISOString()}`

  refused(await scene.plan([...create, at(0.5)]), 10, 'BACKUP_NOT_FOUND', 'there is no restoration point up to')
  refused(await scene.plan([...create, at(1), '--until=1700000000']), 2, 'USAGE', '--at says all that --until says')
  const dry = ok(await scene.plan([...create, at(1.5), '--dry-run']))
  const rows = dry.json['topics'] as { source: string; topicId: string; records: number }[]
  assert.deepEqual(
    rows.map(row => [row.source, row.topicId, row.records]),
    [
      [again, first, 4],
      [topic, first, 32],
    ],
  )

  const planned = ok(await scene.plan([...create, at(9)]))
  const moment = new Date(startMs + 2 * hour).toISOString()
  assert.deepEqual(planned.json['restorationPoint'], { at: moment, key, groups: '@groups/2.avro' })
  assert.deepEqual(told(planned.json), [
    `the restoration point of ${new Date(startMs + 3 * hour).toISOString()} is passed over: ${topic}-0 ended at 61, and its files end at 60; the one of ${moment} is restored`,
    `${late} did not exist at ${moment} and is left out`,
  ])
  assert.deepEqual(await restored(scene, topic), [range(0, 25), range(0, 20)])
  assert.deepEqual(await restored(scene, again), [range(0, 4), []])
  assert.ok((await scene.files()).every(({ source }) => source.topic !== again || source.topicId === second))

  // When the files have come, the next run goes on to the newer point.
  await scene.putFiles(topic, 0, [60, 66])
  const newer = ok(await scene.plan([...create, at(9)]))
  assert.deepEqual(told(newer.json), [])
  assert.deepEqual(await restored(scene, topic), [range(0, 61), range(0, 20)])
})
