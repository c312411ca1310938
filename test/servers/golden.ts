/** Writes test/fixtures/batches again, by test/java/maxbrod/Golden.java. Run by `make golden`. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { javaArguments, javaProgram } from './jars.ts'

const folder = join(import.meta.dirname, '../fixtures/batches')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const args = javaArguments({
  classPath: 'kafka',
  main: 'maxbrod.Golden',
  heapMiB: 512,
  args: [folder],
  isTethered: false,
})
process.exitCode = spawnSync(javaProgram(), args, { stdio: 'inherit' }).status ?? 1
