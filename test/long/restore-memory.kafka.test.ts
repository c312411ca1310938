import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cli } from '../helpers/cli.ts'
import { processFigures } from '../helpers/process-figures.ts'
import { putTile } from '../helpers/put-tile.ts'
import { ok, openRestoreScene } from '../helpers/restore-scene.ts'

const blockRecords = 100
const valueBytes = 15_000

test('an executor takes no more memory for a file of 300 MB than for one of 30', async t => {
  await using scene = await openRestoreScene(t)
  const peaks: number[] = []
  for (const blocks of [20, 200]) {
    const topic = scene.world.name(`orders${blocks}`)
    const value = Buffer.alloc(valueBytes, 'of the same letters ')
    const content = Array.from({ length: blocks }, (_, block) =>
      Array.from({ length: blockRecords }, (_unused, n) => {
        const offset = BigInt(block * blockRecords + n)
        return { offset, timestamp: 1_700_000_000_000n + offset, key: null, value, headers: [] }
      }),
    )
    const records = blocks * blockRecords
    const place = { topic, topicId: undefined, partition: 0, lineage: undefined }
    await putTile(scene.store, place, { from: 0, to: records }, content)
    ok(await scene.plan([`--topics=${topic}`, '--create-topics', '--target-prefix=r.']))

    const usual = scene.restoreArgv(['--exit-when-done', '--memory=16MiB'])
    const executor = new Cli(usual.filter(flag => flag !== '--memory=32MiB'))
    let peak = 0
    const timer = setInterval(() => {
      const now = executor.process.exitCode === null ? processFigures(executor.process.pid!).rssMiB : 0
      if (now > peak) peak = now // a process that is ending has none
    }, 50)
    const { exit, stderr } = await executor.result
    clearInterval(timer)
    assert.equal(exit, 0, stderr)
    const [{ end } = { end: '' }] = await scene.world.referee.offsets(`r.${topic}`)
    assert.equal(end, `${records}`)
    peaks.push(Math.round(peak))
  }
  const [small, large] = peaks as [number, number]
  t.diagnostic(`${small} MiB at 30 MB, ${large} MiB at 300 MB`)
  assert.ok(small > 0 && large < small + 100, `${small} MiB, and ${large} MiB`)
  assert.ok(large < 350, `${large} MiB`)
})
