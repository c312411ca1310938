import type { Logger } from '../../observe/logger.ts'
import type { Clock } from '../../runtime/clock.ts'
import { MaxbrodError, messageOf } from '../../runtime/errors.ts'
import type { OpenFiles } from './open-files.ts'

export const WHEN_DISK_IS_FULL = ['pause', 'fail'] as const
export type WhenDiskIsFull = (typeof WHEN_DISK_IS_FULL)[number]

/** What must fit before reading goes on: a few blocks, or it would stop again at once. */
const PROBE_PIECES = 4
const PROBE_PIECE = Buffer.alloc(1024 * 1024)
const PROBE_MS = 1_000

export interface DiskRoomDeps {
  readonly files: OpenFiles
  /** Written and removed again, to see if there is room: a quota shows in no other way. */
  readonly probePath: string
  readonly clock: Clock
  readonly log: Logger
  readonly policy: WhenDiskIsFull
  /** Called when the disk has become full, and for as long as it is: makes room. */
  readonly relieve: () => void
  /** The worker must end. */
  readonly onFatal: (error: unknown) => void
}

/** Whether there is room on the disk of the working folder: while there is none, nothing is read. */
export class DiskRoom {
  readonly #deps: DiskRoomDeps
  #isFull = false
  #probedAtMs = -Infinity
  #probing: Promise<void> | undefined

  constructor(deps: DiskRoomDeps) {
    this.#deps = deps
  }

  get isFull(): boolean {
    return this.#isFull
  }

  /** A write found no room. What it was about is in memory: nothing is lost. */
  filled(error: unknown): void {
    const { clock, log, policy, relieve, onFatal } = this.#deps
    if (this.#isFull) return
    this.#isFull = true
    this.#probedAtMs = clock.monotonic()
    if (policy === 'fail') {
      const hint = 'free some space, or let the worker wait for it with --on-disk-full pause'
      return onFatal(new MaxbrodError('DISK', `no room to go on: ${messageOf(error)}`, { hint, cause: error }))
    }
    log.error(
      { reason: messageOf(error) },
      'the disk of --working-dir is full: uploading what there is, and reading no more until there is room',
    )
    relieve()
  }

  /** To be called about once a second: looks if there is room again. */
  tick(): void {
    const { clock, policy } = this.#deps
    if (!this.#isFull || policy === 'fail' || clock.monotonic() - this.#probedAtMs < PROBE_MS) return
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined
      this.#probedAtMs = clock.monotonic()
    })
  }

  /** Resolves when no probe is under way. */
  async settled(): Promise<void> {
    await this.#probing
  }

  async #probe(): Promise<void> {
    const { log, relieve } = this.#deps
    if (await this.#hasRoom()) {
      this.#isFull = false
      log.info('the disk of --working-dir has room again: reading goes on')
    } else relieve()
  }

  async #hasRoom(): Promise<boolean> {
    const { files, probePath } = this.#deps
    try {
      for (let piece = 0; piece < PROBE_PIECES; piece++) await files.append(probePath, [PROBE_PIECE])
      return true
    } catch {
      return false
    } finally {
      await files.close(probePath).catch(() => undefined)
      await files.disk.remove(probePath).catch(() => undefined)
    }
  }
}
