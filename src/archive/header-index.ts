import { createHash } from 'node:crypto'
import { interpretHeader } from '../catalog/tile-header-reader.ts'
import type { FileHeader } from '../catalog/tile-header-reader.ts'
import type { ListedTile } from '../catalog/tile-list.ts'
import { DecodeError } from '../format/batch/varint.ts'
import { dataKeepSchema, recordSchema } from '../format/record-schema.ts'
import { tileHeaderToMeta } from '../format/tile-header-meta.ts'
import type { Logger } from '../observe/logger.ts'
import type { Disk } from '../runtime/disk.ts'
import { isMaxbrodError, messageOf } from '../runtime/errors.ts'

const MAGIC = 'maxbrod header index 1 '
const SEAL = 'sha256 '
const SCHEMA = 'avro.schema'
const NO_SYNC = Buffer.alloc(0)
/** What nearly all entries of a header begin with, which need not be written down each time. */
const PREFIX = 'maxbrod.'
const PIECE_LENGTH = 1024 * 1024
const LINE_END = 10
const KEY_END = 9

/**
 * Headers that were read before, in a file of who looks at a backup: one line for each data file, with key, size, time and ETag
 * that a listing had for it. Only what a listing shows again, unchanged, is looked up, and it passes the checks of a header
 * that was just read. It can be removed at any time: the next look reads all headers again.
 */
export class HeaderIndex {
  readonly #disk: Disk
  readonly #log: Logger
  readonly #path: string
  readonly #storage: string
  readonly #content: Buffer
  /** By key: where it begins in the content, or a new one. All of them as text would be longer than a text can be. */
  readonly #lines: Map<string, number | string>
  /** Of this look. */
  readonly #seen = new Set<string>()
  #isChanged = false

  private constructor(
    place: { readonly disk: Disk; readonly log: Logger; readonly path: string; readonly storage: string },
    content: Buffer,
    lines: Map<string, number>,
  ) {
    this.#disk = place.disk
    this.#log = place.log
    this.#path = place.path
    this.#storage = place.storage
    this.#content = content
    this.#lines = new Map(lines)
  }

  /** Undefined without a path, and for a file that is something else, which is left alone. */
  static async open(
    disk: Disk,
    log: Logger,
    path: string | undefined,
    storage: string,
  ): Promise<HeaderIndex | undefined> {
    if (path === undefined) return undefined
    const content = (await disk.read(path)) ?? Buffer.alloc(0)
    const isEmpty = content.length === 0
    if (!isEmpty && !beginsWith(content, MAGIC.slice(0, -2))) {
      log.warn({ path }, 'this file is no index of headers: it is left alone, and all headers are read')
      return undefined
    }
    const lines = isEmpty ? new Map<string, number>() : parse(content, storage)
    if (typeof lines === 'string') log.warn({ path }, `the index of headers is thrown away: ${lines}`)
    const known = typeof lines === 'string' ? new Map<string, number>() : lines
    return new HeaderIndex({ disk, log, path, storage }, content, known)
  }

  /** The header of the very file that was listed; undefined when it was not read before. */
  find(tile: ListedTile): FileHeader | undefined {
    this.#seen.add(tile.key)
    const line = this.#lineOf(tile.key)
    const start = identityOf(tile)
    return line?.startsWith(start) === true ? headerOf(line.slice(start.length), tile) : undefined
  }

  add(tile: ListedTile, header: FileHeader): void {
    const entries = header.kind === 'maxbrod' ? [...tileHeaderToMeta(header.tile)] : []
    const own = entries.flatMap(([name, value]) =>
      name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), value] as const] : [],
    )
    const entry = { kind: header.kind, bytes: header.headerBytes, codec: header.codec, meta: Object.fromEntries(own) }
    this.#lines.set(tile.key, `${identityOf(tile)}${JSON.stringify(entry)}`)
    this.#isChanged = true
  }

  /** Writes what is new, without files that a look into their folder did not show. Never throws: it is only a help. */
  async save(isLookedInto: (folder: string) => boolean): Promise<void> {
    for (const key of this.#lines.keys()) {
      if (this.#seen.has(key) || !isLookedInto(key.slice(0, key.indexOf('/')))) continue
      this.#lines.delete(key)
      this.#isChanged = true
    }
    if (!this.#isChanged) return
    try {
      await this.#write()
      this.#isChanged = false
    } catch (error) {
      if (!isMaxbrodError(error)) throw error
      this.#log.warn({ path: this.#path, reason: messageOf(error) }, 'cannot write the index of headers')
    }
  }

  #lineOf(key: string): string | undefined {
    const line = this.#lines.get(key)
    return typeof line === 'number' ? this.#content.toString('utf8', line, this.#content.indexOf(LINE_END, line)) : line
  }

  /** In pieces, because it is large. One that was not written to its end is known by that, and thrown away. */
  async #write(): Promise<void> {
    await this.#disk.truncate(this.#path, 0)
    const file = await this.#disk.openAppend(this.#path)
    try {
      const hash = createHash('sha256')
      let piece = `${MAGIC}${JSON.stringify(this.#storage)}\n`
      const flush = async () => {
        hash.update(piece)
        await file.append([Buffer.from(piece)])
        piece = ''
      }
      for (const key of this.#lines.keys()) {
        piece += `${this.#lineOf(key)}\n`
        if (piece.length > PIECE_LENGTH) await flush()
      }
      await flush()
      await file.append([Buffer.from(`${SEAL}${hash.digest('hex')}\n`)])
    } finally {
      await file.close()
    }
  }
}

/** What a listing says of the file: all of it must be the same again. */
function identityOf({ key, bytes, modifiedAtMs, etag }: ListedTile): string {
  return `${key}\t${bytes}\t${modifiedAtMs}\t${JSON.stringify(etag)}\t`
}

/** Where each line begins, by key, or why they are of no use. */
function parse(content: Buffer, storage: string): Map<string, number> | string {
  const behind = content.lastIndexOf(LINE_END, content.length - 2) + 1
  const body = content.subarray(0, behind)
  const seal = `${SEAL}${createHash('sha256').update(body).digest('hex')}\n`
  if (content.length - behind !== seal.length || !beginsWith(content.subarray(behind), seal))
    return 'its content is damaged, or not whole'
  if (!beginsWith(body, MAGIC)) return 'it was written by another version'
  const first = `${MAGIC}${JSON.stringify(storage)}\n`
  if (!beginsWith(body, first)) return `it is about another backup than ${storage}`
  const lines = new Map<string, number>()
  for (let at = Buffer.byteLength(first); at < body.length; at = body.indexOf(LINE_END, at) + 1)
    lines.set(body.toString('utf8', at, body.indexOf(KEY_END, at)), at)
  return lines
}

function beginsWith(content: Buffer, text: string): boolean {
  const wanted = Buffer.from(text)
  return content.subarray(0, wanted.length).equals(wanted)
}

/** Undefined for what no version would write. */
function headerOf(text: string, { place }: ListedTile): FileHeader | undefined {
  try {
    const { kind, bytes, codec, meta } = JSON.parse(text) as {
      readonly kind: FileHeader['kind']
      readonly bytes: number
      readonly codec: string
      readonly meta: Readonly<Record<string, string>>
    }
    const schema = kind === 'maxbrod' ? recordSchema : dataKeepSchema
    const own = Object.entries(meta).map(([name, value]) => [`${PREFIX}${name}`, value] as const)
    const entries = new Map([[SCHEMA, schema] as const, ['avro.codec', codec] as const, ...own])
    return interpretHeader({ meta: entries, bytes, sync: NO_SYNC }, place)
  } catch (error) {
    if (error instanceof DecodeError || error instanceof SyntaxError) return undefined
    throw error
  }
}
