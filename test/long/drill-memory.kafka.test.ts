import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measuredCli } from '../helpers/measured-cli.ts'
import { putTile } from '../helpers/put-tile.ts'
import { openRestoreScene } from '../helpers/restore-scene.ts'

const blockRecords = 100
const valueBytes = 15_000
const partitions = 4
/** What --memory bounds, in MiB: a tenth of what the larger backup has. */
const memory = 24

test('a drill takes no more memory for a backup ten times its bound than for a small one', async t => {
  await using scene = await openRestoreScene(t)
  const peaks: number[] = []
  for (const blocks of [4, 40]) {
    const topic = scene.world.name(`orders${blocks}`)
    const content = Array.from({ length: blocks }, (_, block) =>
      Array.from({ length: blockRecords }, (_unused, n) => {
        const offset = BigInt(block * blockRecords + n)
        // No two alike, so that nothing is compressed away on its way.
        const value = Buffer.from(scene.world.dice.bytes(valueBytes))
        return { offset, timestamp: BigInt(Date.now() - 600_000) + offset, key: null, value, headers: [] }
      }),
    )
    const records = blocks * blockRecords
    for (let partition = 0; partition < partitions; partition++) {
      const place = { topic, topicId: undefined, partition, lineage: undefined }
      await putTile(scene.store, place, { from: 0, to: records }, content)
    }
    const argv = ['drill', `--memory=${memory}MiB`, `--topics=${topic}`, '--output=json', ...scene.common]
    const { exit, stdout, stderr, peakMB } = await measuredCli(argv)
    assert.equal(exit, 0, stderr)
    const said = JSON.parse(stdout) as { differences: number; topics: readonly { recordsCompared: number }[] }
    assert.deepEqual([said.differences, said.topics[0]?.recordsCompared], [0, records * partitions])
    peaks.push(peakMB)
  }
  const [small, large] = peaks as [number, number]
  t.diagnostic(`${small} MB at ${6 * partitions} MB, ${large} MB at ${60 * partitions} MB`)
  assert.ok(small > 0 && large < small + 100, `${small} MB, and ${large} MB`)
  assert.ok(large < 350, `${large} MB`)
})
