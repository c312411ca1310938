import type { Clock } from '../runtime/clock.ts'
import type { AppendFile, Disk } from '../runtime/disk.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { Verified } from './choose-files.ts'

/**
 * What was verified and when, on the disk of who verifies: lines of JSON. The first names the storage; then files, and
 * where a run begins and ends. It can be thrown away; then nobody notices that a file of before is missing.
 */
export class Ledger {
  /** By key. */
  readonly files: Map<string, Verified>
  /** When the run began that is not over yet: this one, or one before that was interrupted. */
  readonly begunMs: number
  readonly #clock: Clock
  readonly #file: AppendFile | undefined

  private constructor(clock: Clock, files: Map<string, Verified>, begunMs: number, file: AppendFile | undefined) {
    this.#clock = clock
    this.files = files
    this.begunMs = begunMs
    this.#file = file
  }

  /** Without a path it remembers nothing. Throws USAGE when the file belongs to another storage, or is something else. */
  static async open(disk: Disk, clock: Clock, path: string | undefined, storage: string): Promise<Ledger> {
    const now = clock.now()
    if (path === undefined) return new Ledger(clock, new Map(), now, undefined)
    const { files, begunMs = now } = parse((await disk.read(path))?.toString() ?? '', path, storage)
    const lines = [{ verified: storage }, ...[...files].map(([key, file]) => ({ key, ...file })), { begunMs }]
    // Written anew: a line that a dying process left half must not swallow the next one.
    await disk.replace(path, lines.map(line => `${JSON.stringify(line)}\n`).join(''))
    return new Ledger(clock, files, begunMs, await disk.openAppend(path))
  }

  async add(key: string, file: Omit<Verified, 'atMs'>): Promise<void> {
    const verified = { ...file, atMs: this.#clock.now() }
    this.files.set(key, verified)
    await this.#append({ key, ...verified })
  }

  async forget(key: string): Promise<void> {
    this.files.delete(key)
    await this.#append({ key, forgotten: true })
  }

  /** The run read all that it wanted. */
  async finish(): Promise<void> {
    await this.#append({ finishedMs: this.#clock.now() })
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }

  async #append(line: object): Promise<void> {
    await this.#file?.append([Buffer.from(`${JSON.stringify(line)}\n`)])
  }
}

interface Content {
  readonly files: Map<string, Verified>
  readonly begunMs: number | undefined
}

function parse(text: string, path: string, storage: string): Content {
  const files = new Map<string, Verified>()
  let begunMs: number | undefined
  // What stands behind the last line end is the beginning of a line that was never finished.
  const [first, ...lines] = text.split('\n').slice(0, -1).map(readLine)
  if (text === '') return { files, begunMs }
  if (typeof first?.['verified'] !== 'string')
    throw new MaxbrodError('USAGE', `--state: ${path} is something else`, { hint: 'name a file of its own' })
  if (first['verified'] !== storage)
    throw new MaxbrodError('USAGE', `--state: ${path} is about ${first['verified']}, not ${storage}`, {
      hint: 'every backup needs a file of its own',
    })
  for (const line of lines) {
    const { key, etag, bytes, sha256, atMs, forgotten } = line ?? {}
    if (typeof line?.['begunMs'] === 'number') begunMs = line['begunMs']
    else if (line?.['finishedMs'] !== undefined) begunMs = undefined
    else if (typeof key !== 'string') continue
    else if (forgotten === true) files.delete(key)
    else if (
      typeof etag === 'string' &&
      typeof bytes === 'number' &&
      typeof sha256 === 'string' &&
      typeof atMs === 'number'
    )
      files.set(key, { etag, bytes, sha256, atMs })
  }
  return { files, begunMs }
}

function readLine(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}
