import { MaxbrodError, messageOf, systemCodeOf } from '../runtime/errors.ts'
import { textOf } from './directory-layout.ts'

/** Runs file-system work on behalf of `path` and translates what the system refuses. */
export async function withErrorsOf<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw directoryError(error, path)
  }
}

/** The error of the port for one of the file system; anything else unchanged. */
export function directoryError(error: unknown, path: string): unknown {
  const system = systemCodeOf(error)
  if (system === undefined || error instanceof MaxbrodError || !/^E[A-Z0-9]+$/.test(system)) return error
  const name = textOf(path)
  const details = { path: name, system, cause: error }
  if (TEMPORARY.has(system)) {
    return new MaxbrodError('STORAGE_UNREACHABLE', `cannot use ${name} now: ${messageOf(error)}`, {
      ...details,
      hint: FULL.has(system) ? 'free some space in the storage folder' : 'check the disk or the network mount',
    })
  }
  if (RIGHTS.has(system)) {
    return new MaxbrodError('STORAGE_AUTH', `the system refuses ${name}: ${messageOf(error)}`, {
      ...details,
      hint: isNoLink(error, system) ? NO_LINKS : 'let the user that runs maxbrod read and write the storage folder',
    })
  }
  return new MaxbrodError('STORAGE_REFUSED', `cannot use ${name}: ${messageOf(error)}`, {
    ...details,
    hint: isNoLink(error, system)
      ? NO_LINKS
      : 'look what stands there; the storage folder should hold nothing but the backup',
  })
}

const FULL = new Set(['ENOSPC', 'EDQUOT'])

/** What can be gone a moment later. ENOENT: somebody removed a folder under our hands, and a new attempt makes it again. */
const TEMPORARY = new Set(
  [
    'ENOSPC EDQUOT EIO EAGAIN EBUSY EINTR EMFILE ENFILE ENOMEM ENOENT',
    'ESTALE ETIMEDOUT EHOSTDOWN EHOSTUNREACH ENETUNREACH ENOTCONN ENOLCK',
  ].flatMap(line => line.split(' ')),
)

const RIGHTS = new Set(['EACCES', 'EPERM', 'EROFS'])

const NO_LINK = new Set(['EPERM', 'EXDEV', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])
const NO_LINKS =
  'objects are created by hard links within the storage folder: it must be one file system that has them (not FAT, not every network share)'

function isNoLink(error: unknown, system: string): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'link' && NO_LINK.has(system)
}
