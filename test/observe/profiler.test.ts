import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { startHttp } from '../../src/observe/http.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { profileRoutes } from '../../src/observe/profiler.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePorts } from '../helpers/ports.ts'

const [port = 0] = await freePorts(1)
const server = await startHttp({
  routes: profileRoutes(systemClock),
  port,
  flag: '--pprof-port',
  isNamed: true,
  bind: 'loopback',
  logger: silentLogger,
})
after(() => server?.[Symbol.asyncDispose]())

/** V8 puts the one into the other once both are hot. */
const isBusy = /^(spinForTheProfile|whileBusy)$/

interface CpuProfile {
  readonly nodes: readonly { readonly callFrame: { readonly functionName: string } }[]
}

interface AllocationProfile {
  readonly head: AllocationNode
}

interface AllocationNode {
  readonly callFrame: { readonly functionName: string }
  readonly children: readonly AllocationNode[]
}

test('a CPU profile of a running process names the function that takes the time', async () => {
  await eventually('it is named', async () => {
    const { nodes } = (await whileBusy(ask('profile?seconds=0.3'))) as CpuProfile
    return nodes.some(({ callFrame }) => isBusy.test(callFrame.functionName))
  })
})

test('a profile of allocations names the function that allocates', async () => {
  const names = (node: AllocationNode): string[] => [node.callFrame.functionName, ...node.children.flatMap(names)]
  await eventually('it is named', async () => {
    const { head } = (await whileBusy(ask('allocs?seconds=0.3'))) as AllocationProfile
    return names(head).some(name => isBusy.test(name))
  })
})

test('a heap snapshot holds what the process holds', async () => {
  const kept = { keptForTheSnapshot: 4711 }
  const { snapshot, strings } = (await ask('heap')) as { snapshot: { meta: object }; strings: string[] }
  assert.ok('node_fields' in snapshot.meta && strings.includes('keptForTheSnapshot'))
  assert.equal(kept.keptForTheSnapshot, 4711)
})

test('one profile at a time, of a time that makes sense; the index says what there is', async () => {
  // The first may be over before the second comes, where the machine stands still.
  await eventually('one of two is refused', async () => {
    const answers = await Promise.all([1, 2].map(() => fetch(url('profile?seconds=0.5'))))
    await Promise.all(answers.map(answer => answer.text()))
    const statuses = answers.map(({ status }) => status)
    assert.ok(statuses.includes(200), statuses.join())
    return statuses.includes(409)
  })
  for (const seconds of ['0', '-1', 'x', '601'])
    assert.equal((await fetch(url(`profile?seconds=${seconds}`))).status, 400)
  assert.match(await (await fetch(url(''))).text(), /cpuprofile[^]*heapprofile[^]*heapsnapshot/)
})

function url(path: string): string {
  return `http://127.0.0.1:${port}/debug/pprof/${path}`
}

async function ask(path: string): Promise<unknown> {
  const response = await fetch(url(path))
  assert.equal(response.status, 200)
  return response.json()
}

async function whileBusy<T>(work: Promise<T>): Promise<T> {
  const over = new AbortController()
  const result = work.finally(() => over.abort())
  while (!over.signal.aborted) {
    spinForTheProfile()
    await turn()
  }
  return result
}

function spinForTheProfile(): void {
  const texts: string[] = []
  for (let n = 0; n < 20_000; n++) texts.push(`${n}`.repeat(2))
  assert.equal(texts.length, 20_000)
}
