import { Session } from 'node:inspector/promises'
import type { Clock } from '../runtime/clock.ts'
import type { Reply, Routes } from './http.ts'

const PATH = '/debug/pprof'
const SECONDS = { usual: 30, max: 600 } as const

const index = `${PATH}/profile?seconds=30  where the time goes: save as x.cpuprofile
${PATH}/allocs?seconds=30   who allocates: save as x.heapprofile
${PATH}/heap                what the memory holds: save as x.heapsnapshot; the process stands still meanwhile
Open the files in the developer tools of Chrome, or in VS Code; speedscope takes the first two.
`

/** Profiles of this process, in the formats of V8. One at a time: each of them costs some speed. */
export function profileRoutes(clock: Clock): Routes {
  let isBusy = false
  const alone = async (take: () => Promise<Reply>): Promise<Reply> => {
    if (isBusy) return { status: 409, body: 'another profile is being taken\n' }
    isBusy = true
    try {
      return await take()
    } finally {
      isBusy = false
    }
  }
  const during = (
    query: URLSearchParams,
    signal: AbortSignal,
    take: (wait: () => Promise<void>) => Promise<unknown>,
  ) => {
    const seconds = Number(query.get('seconds') ?? SECONDS.usual)
    if (!(seconds > 0 && seconds <= SECONDS.max))
      return { status: 400, body: `seconds must be a number from 0 to ${SECONDS.max}\n` }
    return alone(async () => json(JSON.stringify(await take(() => clock.sleep(seconds * 1_000, signal)))))
  }
  return {
    [`GET ${PATH}/`]: () => ({ body: index }),
    [`GET ${PATH}/profile`]: ({ query, signal }) => during(query, signal, cpuProfile),
    [`GET ${PATH}/allocs`]: ({ query, signal }) => during(query, signal, allocationProfile),
    [`GET ${PATH}/heap`]: () => alone(async () => json(await heapSnapshot())),
  }
}

async function cpuProfile(wait: () => Promise<void>): Promise<unknown> {
  using inspector = connected()
  const { session } = inspector
  await session.post('Profiler.enable')
  await session.post('Profiler.start')
  await wait()
  return (await session.post('Profiler.stop')).profile
}

async function allocationProfile(wait: () => Promise<void>): Promise<unknown> {
  using inspector = connected()
  const { session } = inspector
  // Without these, only what is still alive at the end would be told.
  const dead = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true }
  await session.post('HeapProfiler.startSampling', dead)
  await wait()
  return (await session.post('HeapProfiler.stopSampling')).profile
}

async function heapSnapshot(): Promise<string> {
  using inspector = connected()
  const { session } = inspector
  const chunks: string[] = []
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ params }) => void chunks.push(params.chunk))
  await session.post('HeapProfiler.takeHeapSnapshot')
  return chunks.join('')
}

function connected(): Disposable & { readonly session: Session } {
  const session = new Session()
  session.connect()
  return { session, [Symbol.dispose]: () => session.disconnect() }
}

function json(body: string): Reply {
  return { type: 'application/json', body }
}
