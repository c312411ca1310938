import { constants, createZstdCompress } from 'node:zlib'
import type { ZstdCompress } from 'node:zlib'
import { assert } from '../../runtime/assert.ts'
import { zstdContentBytes } from '../batch/zstd-frame.ts'

/** As many as the thread pool has threads: more would only wait. */
const LANES = 4
/**
 * Output buffers, each shared by the frames of several blocks. One-shot calls of node:zlib make a context and a buffer for
 * every block: 15 % more CPU time for the first and a garbage collection every few dozen blocks for the second (measured).
 * Where less is left of one than a block could need, zstd goes through buffers of its own and takes a sixth more time: the
 * larger, the fewer are such ends. But a frame that is kept keeps all of its buffer.
 */
const CHUNK_BYTES = 4 * 1024 * 1024
/**
 * Level 1 has a table of 64 KiB to find what a block says again, as large as a processor's fastest cache or larger. With half
 * of that it takes a tenth less CPU time, and blocks become 0 to 2 % larger (measured).
 */
const LEVEL_1_HASH_LOG = 13
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
      params: {
        [constants.ZSTD_c_compressionLevel]: this.#level,
        [constants.ZSTD_c_checksumFlag]: 1,
        ...(this.#level === 1 ? { [constants.ZSTD_c_hashLog]: LEVEL_1_HASH_LOG } : {}),
      },
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
