import type { Disk } from '../../runtime/disk.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import type { Random } from '../../runtime/random.ts'

/** The worker's folder: locked for as long as the process lives, with the worker's name and its spool. */
export interface WorkingDir extends Disposable {
  readonly workerName: string
  readonly spoolFolder: string
}

const NAME = /^[a-zA-Z0-9._-]{1,100}$/

/** Opens the folder. Throws WORKER_LOCKED when another process has it, DISK when it cannot be used. */
export async function openWorkingDir(
  disk: Disk,
  folder: string,
  random: Random,
  wantedName: string | undefined,
): Promise<WorkingDir> {
  const spoolFolder = `${folder}/spool`
  await disk.makeFolder(spoolFolder)
  const lock = await disk.lock(`${folder}/worker.lock`)
  if (lock === undefined) {
    throw new MaxbrodError('WORKER_LOCKED', `another process works in ${folder}`, {
      folder,
      hint: 'give each worker its own --working-dir',
    })
  }
  try {
    return {
      workerName: wantedName ?? (await keptName(disk, `${folder}/worker-name`, random)),
      spoolFolder,
      [Symbol.dispose]: () => lock[Symbol.dispose](),
    }
  } catch (error) {
    lock[Symbol.dispose]()
    throw error
  }
}

/** A random name, kept so that a restart finds the partitions that the worker had (KIP-345). */
async function keptName(disk: Disk, path: string, random: Random): Promise<string> {
  const kept = (await disk.read(path))?.toString().trim() ?? ''
  if (NAME.test(kept)) return kept
  const name = `maxbrod-${random.id().slice(0, 12)}`
  await disk.replace(path, `${name}\n`)
  return name
}
