import { inspectFile } from '../archive/inspect.ts'
import { inspectOptions } from '../archive/options.ts'
import type { FileStore } from '../catalog/tile-blocks.ts'
import { parseTileKey } from '../format/keys.ts'
import { jsonLine } from '../observe/json-line.ts'
import { BufferPool } from '../runtime/buffer-pool.ts'
import type { Disk } from '../runtime/disk.ts'
import { isMissingFile } from '../runtime/disk.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { Identity } from '../storage/age/x25519.ts'
import { decrypted, isSealed, notEncrypted } from '../storage/decrypting.ts'
import { openingOptions } from '../storage/encryption-options.ts'
import { readIdentities } from '../storage/key-files.ts'
import { storageIfAnyOptions } from '../storage/options.ts'
import { command } from './command.ts'
import { openStoreToRead } from './open-store-to-read.ts'

export const inspect = command({
  name: 'inspect',
  summary: 'print header and records of a data file as lines of JSON',
  sections: [inspectOptions, storageIfAnyOptions, openingOptions],
  examples: [
    { does: 'the first records of a file that was downloaded', line: '--limit 3 ./orders-3-0000000000000004711.avro' },
    {
      does: 'a file in the backup',
      line: '--storage s3://bucket/shop orders/3/orders-3-0000000000000004711.avro',
    },
    { does: 'only prove that a copy is whole', line: '--offset 9007199254740991 ./copy.avro' },
  ],
  endsByItself: () => true,
  async run({ inspect: options, storageIfAny: { storage, ...others }, opening }, context) {
    const { disk, stop, print, redactor } = context
    const place = parseTileKey(options.file)
    const isKey = storage !== undefined && place !== undefined
    const opened = isKey ? await openStoreToRead({ storage, ...others }, opening, context) : undefined
    using _ = { [Symbol.dispose]: () => opened?.close() }
    const identities = await readIdentities(disk, opening, secret => redactor.hide(secret))
    if (!isKey && opening.requireEncryption && !isSealed(options.file)) throw notEncrypted(options.file)
    const source = {
      store: opened ?? localFile(disk, identities),
      key: options.file,
      place: isKey ? place : undefined,
      etag: undefined,
    }
    const isKept = context.isJson
    const lines: object[] = []
    const tell = (line: object) => void (isKept ? lines.push(line) : print(jsonLine(line)))
    const { records, isProven } = await inspectFile(source, new BufferPool(0), options, tell, stop.draining)
    return { result: 'ok', details: { file: options.file, records, isProven, lines }, text: '' }
  },
})

const PIECE_BYTES = 256 * 1024

/** A file that lies anywhere on this host. */
function localFile(disk: Disk, identities: readonly Identity[]): FileStore {
  return {
    get(path) {
      const body = pieces(disk, path)
      return Promise.resolve({ body: isSealed(path) ? decrypted(path, body, identities) : body })
    },
  }
}

async function* pieces(disk: Disk, path: string): AsyncGenerator<Buffer> {
  try {
    yield* disk.readPieces(path, PIECE_BYTES)
  } catch (error) {
    if (!isMissingFile(error)) throw error
    throw new MaxbrodError('USAGE', `there is no file ${path}`, {
      hint: 'a key of the backup needs --storage, and is written as maxbrod describe TOPIC/PARTITION prints it',
    })
  }
}
