import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { openS3Store } from '../../src/storage/s3.ts'
import { eventually } from './eventually.ts'
import type { Failpoint } from './failpoints.ts'
import { faultOf, spooling, verbsOfTheSpool } from './failpoints.ts'
import type { SceneOptions } from './failpoint-scene.ts'
import { FailpointScene, sessionMs } from './failpoint-scene.ts'
import type { FaultyCli } from './faulty-process.ts'
import { runCommand } from './in-process.ts'
import { assertNoAlarm, logged } from './log-lines.ts'
import { readBackup } from './stored-backup.ts'
import type { Verdict } from './verdict.ts'
import { addVerdicts, verdictOf } from './verdict.ts'

/** What became of one failpoint. */
export interface Hit {
  readonly fault: string
  /** Undefined when it did what it should; else what was wrong. */
  readonly failure: string | undefined
  readonly seconds: number
}

export interface VolleyReport {
  readonly hits: readonly Hit[]
  /** Undefined when the end was not reached. */
  readonly verdict: (Verdict & { readonly silent: number }) | undefined
  readonly records: number
  readonly files: number
  readonly failure: string | undefined
}

const patience = { timeoutMs: 90_000 }
/** Some verbs are called only by the worker that has a certain partition: then it gets all of them. */
const aloneAfterMs = 20_000
/** Called at the start by the worker that has the first partition of all, and by one that gets it later only after a minute. */
const verbsOfTheFirst = new Set(['admin.topics', 'admin.topicAcls'])

/**
 * Failpoints, one behind the other, of one of two workers, while producers go on: each time it dies or outlives its session
 * the other one takes over, and it comes back. At the end all is backed up, planned, restored into other topics or another
 * cluster, and compared with what was acknowledged to the producers.
 */
export async function runVolley(options: SceneOptions, failpoints: readonly Failpoint[]): Promise<VolleyReport> {
  await using scene = await FailpointScene.open(options)
  const others = new Others(scene)
  const hits: Hit[] = []
  for (const failpoint of failpoints) {
    const startedAt = performance.now()
    const failure = await hit(scene, others, failpoint).then(() => undefined, messageOf)
    const seconds = Math.round(performance.now() - startedAt) / 1_000
    hits.push({ fault: faultOf(failpoint), failure, seconds })
    others.start()
  }
  await scene.ledger.end()
  const end = await endOf(scene, others.now).catch((error: unknown) => ({
    verdict: undefined,
    files: 0,
    failure: messageOf(error),
  }))
  return { hits, records: scene.ledger.records, ...end }
}

/** The worker that nothing happens to, unless it is in the way. */
class Others {
  readonly #scene: FailpointScene
  now: FaultyCli

  constructor(scene: FailpointScene) {
    this.#scene = scene
    this.now = scene.start('other', [], [])
  }

  /** Again, if it was killed. */
  start(): void {
    if (this.now.process.signalCode === 'SIGKILL') this.now = this.#scene.start('other', [], [])
  }

  async kill(): Promise<void> {
    this.now.process.kill('SIGKILL')
    await this.now.result
  }
}

async function hit(scene: FailpointScene, others: Others, failpoint: Failpoint): Promise<void> {
  const { verb, effect, isFresh, isOnce } = failpoint
  const isWiped = isFresh || scene.options.dice.number() < 0.2
  if (isWiped) await rm(scene.workingDir('hit'), { recursive: true, force: true })
  const fault = faultOf(failpoint)
  if (isOnce || verbsOfTheSpool.has(verb)) await leaveSpool(scene, others)
  // The store is only looked through for what the group cannot tell.
  if (verb === 'store.folders') await loseGroup(scene, others)
  if (verbsOfTheFirst.has(verb)) await emptyGroup(others)
  const worker = scene.start('hit', [fault], isOnce ? ['--once'] : [])
  // Partitions are only taken away when somebody else comes.
  await using _third = verb === 'kafka.revoked' ? comingAndGoing(scene) : undefined
  const isOver = () => worker.process.exitCode !== null || worker.process.signalCode !== null
  const isHit = () => worker.fired.includes(fault) || isOver()
  try {
    await eventually(`${fault} fires`, isHit, { timeoutMs: aloneAfterMs }).catch(() => others.kill())
    await eventually(`${fault} fires`, isHit, patience)
  } catch (error) {
    worker.process.kill('SIGKILL')
    await worker.result
    throw error
  }
  worker.assertAllFired()
  if (effect === 'stop') await outliveItsSession(worker, isOnce)
  if (effect === 'note') worker.process.kill('SIGTERM')
  const { exit } = await worker.result
  assert.equal(exit, effect === 'kill' ? 'SIGKILL' : 0, worker.output.slice(-4_000))
  assertNoAlarm(worker.output)
}

/** A worker that has all partitions for itself dies before it uploads what it has read: the next one finds it. */
async function leaveSpool(scene: FailpointScene, others: Others): Promise<void> {
  await others.kill()
  const { note, flags } = spooling
  const worker = scene.start('hit', [note], flags)
  try {
    await eventually('something is in the spool', () => worker.fired.includes(note), patience)
  } finally {
    worker.process.kill('SIGKILL')
    await worker.result
  }
}

/** Everybody dies, and what the group has committed is deleted. */
async function loseGroup(scene: FailpointScene, others: Others): Promise<void> {
  await eventually('there is something to lose', () => logged(others.now.output, 'uploaded').length > 0, patience)
  await others.kill()
  const isDeleted = () =>
    scene.options.referee.deleteGroup(scene.group).then(
      () => true,
      () => false,
    )
  await eventually('the group has no members and is deleted', isDeleted, patience)
}

/** The other one dies, and its session is over: whoever comes next has everything at once. */
async function emptyGroup(others: Others): Promise<void> {
  await others.kill()
  await sleep(sessionMs + 500)
}

/** The worker stands still until the group has given its partitions away, goes on, and ends well when it is asked to. */
async function outliveItsSession(worker: FaultyCli, isOnce: boolean): Promise<void> {
  await sleep(sessionMs + 1_500)
  const before = logged(worker.output, 'uploaded').length
  worker.process.kill('SIGCONT')
  if (isOnce) return
  const goesOn = () => worker.process.exitCode !== null || logged(worker.output, 'uploaded').length > before
  try {
    await eventually('the worker uploads again', goesOn, patience)
  } finally {
    worker.process.kill('SIGTERM')
    // So that a worker that does not end is a failure of this failpoint and not of the volley.
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), patience.timeoutMs)
    void worker.result.then(() => clearTimeout(timer))
  }
}

/** A third worker that joins, dies, and joins again. */
function comingAndGoing(scene: FailpointScene): AsyncDisposable {
  const over = new AbortController()
  const { signal } = over
  const run = async () => {
    for (let n = 0; !signal.aborted; n++) {
      const third = scene.start(`third-${n}`, [], [])
      const hasBegun = () => signal.aborted || logged(third.output, 'backing up').length > 0
      await eventually('a third worker gets partitions', hasBegun, patience).catch(() => undefined)
      third.process.kill('SIGKILL')
      await third.result
      await sleep(sessionMs + 500, undefined, { signal }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    async [Symbol.asyncDispose]() {
      over.abort()
      await running
    },
  }
}

async function endOf(
  scene: FailpointScene,
  other: FaultyCli,
): Promise<Pick<VolleyReport, 'verdict' | 'files' | 'failure'>> {
  const { bucket, suffix } = scene.options
  const { bootstrap, referee } = scene.options.target ?? scene.options
  const isUp = () => other.process.exitCode !== null || logged(other.output, 'backup begins').length > 0
  await eventually('the other worker is up', isUp, patience)
  assert.equal(other.process.exitCode, null, other.output.slice(-4_000))
  other.process.kill('SIGTERM')
  assert.equal((await other.result).exit, 0, other.output.slice(-4_000))
  assertNoAlarm(other.output)

  const common = [`--storage=${bucket.url()}`, `--s3-endpoint=${bucket.endpoint}`, `--bootstrap-server=${bootstrap}`]
  const plan = [`--plan-topic=plan-${suffix}`, ...common]
  for (const argv of [
    scene.argv('hit', ['--once']),
    ['plan', '--target-prefix=copy.', '--create-topics', ...plan],
    ['restore', '--exit-when-done', '--metrics-port=0', ...plan],
  ]) {
    const { exit, stderr, json } = await runCommand(argv)
    assert.equal(exit, 0, stderr.slice(-4_000))
    assert.equal(json['result'], 'ok')
  }
  const verdicts: Verdict[] = []
  for (const topic of scene.topics)
    verdicts.push(verdictOf(scene.ledger, topic, await referee.records(`copy.${topic.name}`, { restored: true })))
  const verdict = addVerdicts(verdicts)
  const isClean = Object.values(verdict).every(count => count === 0)

  const store = openS3Store(bucket.options)
  try {
    const stored = await readBackup(store)
    assert.deepEqual(
      stored.flatMap(({ gaps }) => gaps),
      [],
    )
    const files = stored.reduce((sum, partition) => sum + partition.files.length, 0)
    const failure = isClean ? undefined : 'what came back is not what was acknowledged'
    return { verdict: { ...verdict, silent: isClean ? 0 : 1 }, files, failure }
  } finally {
    store.close()
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
