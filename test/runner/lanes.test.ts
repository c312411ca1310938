import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestFile } from './files.ts'
import { inLanes, nextFile } from './lanes.ts'

const fileOf = (path: string): TestFile => {
  const kind = path.startsWith('pure') ? 'pure' : 'server'
  return { path, kind, needsKafka: kind === 'server', needsS3: false }
}
const filesOf = (paths: string) => paths.split(' ').filter(Boolean).map(fileOf)

/** With two cores: what waits, what runs, and what begins. */
const cases = {
  'pure files have the cores until the servers are up': [false, 'server1 pure1', 'pure2', 'pure1'],
  'no more pure files than cores': [false, 'server1 pure1', 'pure2 pure3', undefined],
  'nothing else begins before the servers are up': [false, 'server1', '', undefined],
  'files with servers begin first, in their order': [true, 'server1 server2 pure1', '', 'server1'],
  'beside pure files that began before': [true, 'server1 pure1', 'pure2 pure3 server2', 'server1'],
  'with one lane more than cores': [true, 'server1 pure1', 'pure2 server2 server3', 'server1'],
  'and no further one while pure files run': [true, 'server1 pure1', 'pure2 server2 server3 server4', undefined],
  'one pure file runs beside them': [true, 'server1 pure1', 'server2 server3 server4', 'pure1'],
  'a lane that no pure file needs is theirs': [true, 'server1', 'server2 server3 server4', 'server1'],
  'no more than two lanes beyond the cores': [true, 'server1', 'server2 server3 server4 server5', undefined],
  'pure files have the cores when no other is left to begin': [true, 'pure1', 'pure2 server1', 'pure1'],
  'and no more': [true, 'pure1', 'pure2 pure3 server1', undefined],
} as const satisfies Record<string, readonly [boolean, string, string, string | undefined]>

for (const [title, [areServersUp, waiting, running, next]] of Object.entries(cases)) {
  test(title, () => {
    assert.equal(nextFile(filesOf(waiting), filesOf(running), { cores: 2, areServersUp })?.path, next)
  })
}

test('every file runs once, those with servers after their start, and in a lane of its own', async () => {
  const servers = Promise.withResolvers<boolean>()
  const begun: string[] = []
  const taken = new Set<number>()
  const run = async ({ path }: TestFile, lane: number) => {
    begun.push(path)
    if (path === 'pure2') servers.resolve(true)
    assert.ok(lane >= 1 && lane <= 3 && !taken.has(lane), `lane ${lane}`)
    taken.add(lane)
    await new Promise(setImmediate)
    taken.delete(lane)
    return path
  }
  const ended = await Array.fromAsync(
    inLanes(filesOf('server1 server2 pure1 pure2 pure3'), { cores: 1, ...kept(servers.promise), run }),
  )
  assert.deepEqual(begun.slice(0, 2), ['pure1', 'pure2'])
  assert.deepEqual(begun.toSorted(), ['pure1', 'pure2', 'pure3', 'server1', 'server2'])
  assert.deepEqual(ended.toSorted(), begun.toSorted())
})

test('where servers do not start, all else runs', async () => {
  const run = ({ path }: TestFile) => Promise.resolve(path)
  const files = filesOf('server1 pure1 pure2')
  assert.deepEqual(await Array.fromAsync(inLanes(files, { cores: 1, ...kept(Promise.resolve(false)), run })), [
    'pure1',
    'pure2',
  ])
})

test('when it is stopped, no further file begins', async () => {
  const stop = new AbortController()
  const run = ({ path }: TestFile) => {
    stop.abort()
    return Promise.resolve(path)
  }
  const never = new Promise<boolean>(() => undefined)
  const options = { cores: 1, servers: never, signal: stop.signal, run }
  assert.deepEqual(await Array.fromAsync(inLanes(filesOf('server1 pure1 pure2'), options)), ['pure1'])
})

function kept(servers: Promise<boolean>) {
  return { servers, signal: new AbortController().signal }
}
