import { constants, createZstdCompress } from 'node:zlib'
import type { ZstdCompress } from 'node:zlib'
import { assert } from '../../runtime/assert.ts'
import { zstdContentBytes } from '../batch/zstd-frame.ts'

/** As many as the thread pool has threads: more would only wait. */
const LANES = 4
/**
 * Output buffers, each shared by the frames of several blocks. One-shot calls of node:zlib make a context and a buffer for
 * every block: 15 % more CPU time for the first and a garbage collection every few dozen blocks for the second (measured).
 */
const CHUNK_BYTES = 2 * 1024 * 1024
/** Nothing reads while a frame is made, so all of it must fit; larger than any block. */
const HIGH_WATER_BYTES = 2 ** 31 - 1

/** Makes zstd frames on the thread pool, with contexts that are used again. */
export class BlockPress {
  readonly #level: number
  readonly #idle: ZstdCompress[] = []
  readonly #waiting: ((lane: ZstdCompress) => void)[] = []
  readonly #watching: (() => void)[] = []
  #lanes = 0

  /** `level` as of zstd; 1 is the fastest of the usual ones. */
  constructor(level: number) {
    this.#level = level
  }

  /** One frame with content size and checksum. `content` must not change meanwhile. */
  async compress(content: Buffer): Promise<Buffer> {
    const lane = await this.#takeLane()
    try {
      const frame = await makeFrame(lane, content)
      assert(zstdContentBytes(frame) === content.length, 'a zstd frame of another block')
      this.#giveLane(lane)
      return frame
    } catch (error) {
      lane.destroy()
      this.#giveLane(this.#newLane())
      throw error
    }
  }

  /** False when lanes are far: who fills blocks faster than they are compressed should wait for `room`. */
  get hasRoom(): boolean {
    return this.#waiting.length <= LANES
  }

  /** Resolves when a lane is near. */
  async room(): Promise<void> {
    while (!this.hasRoom) await new Promise<void>(resolve => this.#watching.push(resolve))
  }

  #takeLane(): ZstdCompress | Promise<ZstdCompress> {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    if (this.#lanes < LANES) {
      this.#lanes++
      return this.#newLane()
    }
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  #giveLane(lane: ZstdCompress): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#idle.push(lane)
    else next(lane)
    for (const wake of this.#watching.splice(0)) wake()
  }

  #newLane(): ZstdCompress {
    return createZstdCompress({
      // Each write ends a frame.
      flush: constants.ZSTD_e_end,
      chunkSize: CHUNK_BYTES,
      readableHighWaterMark: HIGH_WATER_BYTES,
      params: { [constants.ZSTD_c_compressionLevel]: this.#level, [constants.ZSTD_c_checksumFlag]: 1 },
    } as Parameters<typeof createZstdCompress>[0])
  }
}

function makeFrame(lane: ZstdCompress, content: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    lane.write(content, error => {
      if (error !== null && error !== undefined) reject(error)
      else {
        const piece: unknown = lane.read()
        if (Buffer.isBuffer(piece)) resolve(piece)
        else reject(new Error('zstd made no frame'))
      }
    })
  })
}
