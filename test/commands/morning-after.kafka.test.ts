import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { writePoint } from '../../src/catalog/restoration-points.ts'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import { storeOf, wholeFile } from '../helpers/sound-archive.ts'
import { openWorld } from '../helpers/world.ts'
import { root } from '../runner/files.ts'

const topicId = 'Hx3y8Ra6RBe9-hFQXtB2Kg'
const place = (topic: string, partition: number) => ({ topic, topicId: undefined, partition, lineage: undefined })

test('the commands of docs/morning-after.md end and print as the page says, those for the bucket without any Kafka', async t => {
  await using world = await openWorld(t)
  const bucket = join(world.folder, 'bucket')
  await fill(bucket)
  mkdirSync(join(world.folder, 'bin'))
  symlinkSync(join(root, 'bin/maxbrod'), join(world.folder, 'bin/maxbrod'))
  const { PATH = '', HOME = '' } = process.env
  const env: Record<string, string> = { PATH: `${world.folder}/bin:${PATH}`, HOME }
  const own: Readonly<Record<string, string>> = { STORAGE_URL: `file://${bucket}`, KAFKA_BROKERS: world.bootstrap }
  let printed = ''
  let [commands, lines] = [0, 0]
  for (const { language, text } of blocksOf(readFileSync(join(root, 'docs/morning-after.md'), 'utf8'))) {
    if (language === 'text') {
      for (const line of text.trimEnd().split('\n')) {
        assert.match(printed, patternOf(line), `not printed: ${line}`)
        lines++
      }
      printed = ''
      continue
    }
    for (const line of text.trimEnd().split('\n')) {
      const [, name] = /^export (\w+)=/.exec(line) ?? []
      if (name !== undefined) {
        env[name] = own[name] ?? assert.fail(`${name} has no value here`)
        continue
      }
      const wanted = Number(/# exit (\d+)$/.exec(line)?.[1] ?? 0)
      const { exit, output } = await shell(line, world.folder, env)
      assert.equal(exit, wanted, `${line}\n${output}`)
      printed += output
      commands++
    }
  }
  assert.ok(commands >= 10 && lines >= 15, 'the page has blocks of commands and of what they print')
})

/** Three topics: one whole up to shortly before the last point, one that lost a file, one of which Kafka had lost records. */
async function fill(bucket: string): Promise<void> {
  const orders = [0, 1].flatMap(partition => [0, 20, 40].map(from => [place('orders', partition), from] as const))
  const clicks = [0, 40].map(from => [place('clicks', 0), from] as const)
  const files = [
    ...(await Promise.all([...orders, ...clicks].map(([where, from]) => wholeFile(where, from, from + 20)))),
    await wholeFile(place('payments', 0), 0, 40, { gaps: [{ from: 38, to: 40, reason: 'retention' }] }),
  ]
  const store = await storeOf(files, openDirectoryStore(bucket))
  const ends = { 'orders/0': [40, 60], 'orders/1': [40, 65], 'clicks/0': [40, 60], 'payments/0': [30, 40] }
  for (const [n, minutesAgo] of [30, 2].entries()) {
    const partitions = Object.entries(ends).map(([name, both]) => {
      const [topic = '', partition] = name.split('/')
      return { topic, topic_id: topicId, partition: Number(partition), log_start: 0, end: both[n]! }
    })
    await writePoint(store, { atMs: Date.now() - minutesAgo * 60_000, groupsKey: undefined, partitions })
  }
  store.close()
}

function blocksOf(page: string): { readonly language: string; readonly text: string }[] {
  return [...page.matchAll(/^```(sh|text)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({ language, text }))
}

/** A line of which `…` may be anything. */
function patternOf(line: string): RegExp {
  const parts = line.split('…').map(part =>
    part
      .split(/ +/)
      .map(word => RegExp.escape(word))
      .join(' +'),
  )
  return new RegExp(`^.*${parts.join('.*')}`, 'm')
}

async function shell(
  line: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly exit: number; readonly output: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', line], { cwd, env, maxBuffer: 2 ** 26 })
    return { exit: 0, output: stdout + stderr }
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string }
    return { exit: code ?? -1, output: stdout + stderr }
  }
}
