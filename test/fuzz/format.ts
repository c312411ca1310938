/**
 * Feeds changed files, batches and keys to src/format and src/catalog, and looks that each is refused by an error with a type
 * or is what an independent reader finds in it; that no input takes longer than two seconds of a processor, ends the process, or
 * makes it larger than 300 MB, with all that compares.
 *
 *   scripts/node test/fuzz/format.ts [--seconds 60 | --inputs 1000000] [--seed <word>] [--out <file>] [--case <number>]
 *
 * All follows from the seed: `--seed x --case n` does one case again. The result is one JSON document.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect, parseArgs } from 'node:util'
import { getHeapStatistics } from 'node:v8'
import { processFigures } from '../helpers/process-figures.ts'
import { Dice } from '../helpers/seed.ts'
import { cases } from './cases.ts'
import { makeCorpus } from './corpus.ts'

const { values: args } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    inputs: { type: 'string' },
    seed: { type: 'string', default: String(Date.now()) },
    out: { type: 'string' },
    case: { type: 'string' },
    from: { type: 'string', default: '0' },
    state: { type: 'string' },
  },
})

const maxCaseSeconds = 2
/** On a busy machine a case may wait long for its turn; one that waits for ever hangs. */
const maxCaseMs = 120_000
const inputsWanted = Number(args.inputs ?? Infinity)
const maxRssBytes = 300e6
/** What earlier cases have left is not what the next one takes. */
const collectAboveBytes = 16 * 1024 * 1024

interface Tally {
  readonly accepted: number
  readonly refused: number
}

interface Finding {
  readonly case: number
  readonly kind: string
  readonly what: string
}

if (args.case !== undefined) await runCases(Number(args.case), Number(args.case) + 1)
else if (args.state !== undefined) await runCases(Number(args.from), inputsWanted, args.state)
else process.exitCode = await watch()

/** Runs cases in this process. Where it is, is written down before each: whoever watches learns which one it was. */
async function runCases(from: number, to: number, state?: string): Promise<void> {
  const corpus = await makeCorpus(new Dice('corpus', args.seed))
  const kinds = Object.keys(cases)
  const tallies: Record<string, { accepted: number; refused: number }> = {}
  const place = state === undefined ? undefined : openSync(state, 'r+')
  const here = Buffer.alloc(8)
  for (let n = from; n < to; n++) {
    here.writeDoubleLE(n)
    if (place !== undefined) writeSync(place, here, 0, 8, 0)
    if (getHeapStatistics().external_memory > collectAboveBytes) globalThis.gc?.()
    const dice = new Dice(`case ${n}`, args.seed)
    const kind = dice.pick(kinds)
    const tally = (tallies[kind] ??= { accepted: 0, refused: 0 })
    try {
      tally[(await cases[kind]!(dice, corpus)) ? 'accepted' : 'refused']++
      if (state === undefined) console.log(`case ${n}, ${kind}: ${tally.accepted > 0 ? 'accepted' : 'refused'}`)
    } catch (error) {
      const finding: Finding = { case: n, kind, what: inspect(error, { depth: 4 }) }
      if (process.send === undefined) console.log(finding.what)
      else process.send({ finding })
    }
    // Whoever watches looks now and then, and is to find this case at it.
    if (state !== undefined && process.resourceUsage().maxRSS * 1024 > maxRssBytes) await sleep(maxCaseMs)
    if (n % 1_000 === 999) process.send?.({ next: n + 1, tallies })
  }
  process.send?.({ tallies })
  process.disconnect?.()
  if (place !== undefined) closeSync(place)
}

/** Runs cases in a child until the time is over, or so many are done; a case that kills it, or hangs, is a finding, and the next one goes on. */
async function watch(): Promise<number> {
  const began = performance.now()
  const endsAt = args.inputs === undefined ? began + Number(args.seconds) * 1_000 : Infinity
  const folder = mkdtempSync(join(tmpdir(), 'maxbrod-fuzz-'))
  const state = join(folder, 'case')
  const findings: Finding[] = []
  const totals = new Map<string, Tally>()
  let from = 0
  let maxRss = 0
  console.log(`seed ${args.seed}`)
  while (performance.now() < endsAt && from < inputsWanted && findings.length < 20) {
    const child = await runChild(from, state, endsAt, finding => {
      findings.push(finding)
      // A long run is looked at before its end.
      console.error(`case ${finding.case}, ${finding.kind}: ${finding.what}`)
    })
    for (const [kind, { accepted, refused }] of Object.entries(child.tallies)) {
      const before = totals.get(kind) ?? { accepted: 0, refused: 0 }
      totals.set(kind, { accepted: before.accepted + accepted, refused: before.refused + refused })
    }
    maxRss = Math.max(maxRss, child.maxRss)
    from = child.next
  }
  rmSync(folder, { recursive: true, force: true })
  const tallies = Object.fromEntries(totals)
  const inputs = Object.values(tallies).reduce((sum, { accepted, refused }) => sum + accepted + refused, 0)
  const seconds = Math.round((performance.now() - began) / 1_000)
  const result = { seed: args.seed, seconds, inputs, tallies, maxRssBytes: maxRss, findings }
  const text = JSON.stringify(result, null, 2)
  if (args.out !== undefined) writeFileSync(args.out, `${text}\n`)
  console.log(text)
  return findings.length === 0 ? 0 : 1
}

async function runChild(
  from: number,
  state: string,
  endsAt: number,
  report: (finding: Finding) => void,
): Promise<{ next: number; tallies: Record<string, Tally>; maxRss: number }> {
  writeFileSync(state, Buffer.alloc(8))
  const only = args.inputs === undefined ? [] : ['--inputs', args.inputs]
  const program = [
    '--expose-gc',
    import.meta.filename,
    '--seed',
    args.seed,
    '--from',
    String(from),
    '--state',
    state,
    ...only,
  ]
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
  let errors = ''
  let tallies: Record<string, Tally> = {}
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4_000)))
  child.on('message', (message: { finding?: Finding; tallies?: Record<string, Tally> }) => {
    if (message.finding !== undefined) report(message.finding)
    if (message.tallies !== undefined) tallies = message.tallies
  })
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  const ended = exited.then(() => true)
  let maxRss = 0
  let seen = { case: -1, at: performance.now(), cpuSeconds: 0 }
  let verdict: string | undefined
  // The corpus is made before the first case.
  let isStarted = false
  while (verdict === undefined) {
    if (await Promise.race([ended, sleep(100, false)])) {
      const [code, signal] = await exited
      if (child.connected) await once(child, 'disconnect')
      if (code === 0) return { next: inputsWanted, tallies, maxRss }
      verdict = `the process ended (${code ?? signal}): ${errors}`
      break
    }
    const now = caseIn(state)
    const cpuSeconds = cpuOf(child.pid!)
    if (now !== seen.case) {
      seen = { case: now, at: performance.now(), cpuSeconds }
      isStarted ||= now > from
    }
    const rss = peakOf(child.pid!)
    maxRss = Math.max(maxRss, rss)
    if (isStarted && cpuSeconds - seen.cpuSeconds > maxCaseSeconds) verdict = `it took more than ${maxCaseSeconds} s`
    else if (isStarted && performance.now() - seen.at > maxCaseMs) verdict = `it hung for ${maxCaseMs} ms`
    else if (rss > maxRssBytes) verdict = `it took ${rss} bytes of memory`
    else if (performance.now() > endsAt) break
  }
  const at = caseIn(state)
  if (verdict !== undefined) report({ case: at, kind: 'process', what: verdict })
  child.kill('SIGKILL')
  await exited
  return { next: at + 1, tallies, maxRss }
}

function caseIn(state: string): number {
  return readFileSync(state).readDoubleLE(0)
}

function cpuOf(pid: number): number {
  try {
    return processFigures(pid).cpuSeconds
  } catch {
    return 0
  }
}

/** The most that it had. */
function peakOf(pid: number): number {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kilobytes ?? 0) * 1024
  } catch {
    return 0
  }
}
