import { createHash } from 'node:crypto'
import { interpretHeader } from '../catalog/tile-header-reader.ts'
import type { FileHeader } from '../catalog/tile-header-reader.ts'
import type { ListedTile } from '../catalog/tile-list.ts'
import { DecodeError } from '../format/batch/varint.ts'
import { dataKeepSchema, recordSchema } from '../format/record-schema.ts'
import { tileHeaderToMeta } from '../format/tile-header.ts'
import type { Logger } from '../observe/logger.ts'
import type { Disk } from '../runtime/disk.ts'
import { isMaxbrodError, messageOf } from '../runtime/errors.ts'

const MAGIC = 'maxbrod header index 1 '
const SEAL = 'sha256 '
const SCHEMA = 'avro.schema'
const NO_SYNC = Buffer.alloc(0)

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
  /** By key. */
  readonly #lines: Map<string, string>
  /** Of this look. */
  readonly #seen = new Set<string>()
  #isChanged = false

  private constructor(
    place: { readonly disk: Disk; readonly log: Logger; readonly path: string; readonly storage: string },
    lines: Map<string, string>,
  ) {
    this.#disk = place.disk
    this.#log = place.log
    this.#path = place.path
    this.#storage = place.storage
    this.#lines = lines
  }

  /** Undefined without a path, and for a file that is something else, which is left alone. */
  static async open(
    disk: Disk,
    log: Logger,
    path: string | undefined,
    storage: string,
  ): Promise<HeaderIndex | undefined> {
    if (path === undefined) return undefined
    const content = await disk.read(path)
    const text = content?.toString() ?? ''
    if (text !== '' && !text.startsWith(MAGIC.slice(0, -2))) {
      log.warn({ path }, 'this file is no index of headers: it is left alone, and all headers are read')
      return undefined
    }
    const lines = text === '' ? new Map<string, string>() : parse(text, storage)
    if (typeof lines === 'string') log.warn({ path }, `the index of headers is thrown away: ${lines}`)
    return new HeaderIndex({ disk, log, path, storage }, typeof lines === 'string' ? new Map() : lines)
  }

  /** The header of the very file that was listed; undefined when it was not read before. */
  find(tile: ListedTile): FileHeader | undefined {
    this.#seen.add(tile.key)
    const line = this.#lines.get(tile.key)
    const start = identityOf(tile)
    return line?.startsWith(start) === true ? headerOf(line.slice(start.length), tile) : undefined
  }

  add(tile: ListedTile, header: FileHeader): void {
    const meta =
      header.kind === 'maxbrod'
        ? Object.fromEntries([...tileHeaderToMeta(header.tile)].filter(([name]) => name !== SCHEMA))
        : {}
    const entry = { kind: header.kind, bytes: header.headerBytes, meta: { ...meta, 'avro.codec': header.codec } }
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
    const body = `${MAGIC}${JSON.stringify(this.#storage)}\n${[...this.#lines.values(), ''].join('\n')}`
    try {
      await this.#disk.replace(this.#path, `${body}${SEAL}${digest(body)}\n`)
      this.#isChanged = false
    } catch (error) {
      if (!isMaxbrodError(error)) throw error
      this.#log.warn({ path: this.#path, reason: messageOf(error) }, 'cannot write the index of headers')
    }
  }
}

/** What a listing says of the file: all of it must be the same again. */
function identityOf({ key, bytes, modifiedAtMs, etag }: ListedTile): string {
  return `${key}\t${bytes}\t${modifiedAtMs}\t${JSON.stringify(etag)}\t`
}

/** The lines by key, or why they are of no use. */
function parse(text: string, storage: string): Map<string, string> | string {
  const behind = text.lastIndexOf('\n', text.length - 2) + 1
  const body = text.slice(0, behind)
  if (text.slice(behind) !== `${SEAL}${digest(body)}\n`) return 'its content is damaged, or not whole'
  const [first = '', ...lines] = body.split('\n').slice(0, -1)
  if (!first.startsWith(MAGIC)) return 'it was written by another version'
  if (first !== `${MAGIC}${JSON.stringify(storage)}`) return `it is about another backup than ${storage}`
  return new Map(lines.map(line => [line.slice(0, line.indexOf('\t')), line]))
}

/** Undefined for what no version would write. */
function headerOf(text: string, { place }: ListedTile): FileHeader | undefined {
  try {
    const { kind, bytes, meta } = JSON.parse(text) as {
      readonly kind: FileHeader['kind']
      readonly bytes: number
      readonly meta: Readonly<Record<string, string>>
    }
    const schema = kind === 'maxbrod' ? recordSchema : dataKeepSchema
    return interpretHeader({ meta: new Map([[SCHEMA, schema], ...Object.entries(meta)]), bytes, sync: NO_SYNC }, place)
  } catch (error) {
    if (error instanceof DecodeError || error instanceof SyntaxError) return undefined
    throw error
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
