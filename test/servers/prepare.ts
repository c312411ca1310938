/**
 * Brings the real servers of the tests (pom.xml) and the compiled classes of test/java into .cache/servers. Run as a
 * program, by `make servers`. A second run finds the stamps and touches neither network nor JVM.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { cacheFolder, classArchive, javaArguments, javaProgram } from './jars.ts'

const javaMajorMin = 17
const REHEARSAL_MS = 120_000
const pom = join(import.meta.dirname, 'pom.xml')
const javaSources = join(import.meta.dirname, '../java')

/** Something that the user must do. Its message says what; there is nothing to learn from its stack. */
export class CannotPrepare extends Error {
  override readonly name = 'CannotPrepare'
}

/** Prepares what is missing or stale; throws CannotPrepare when the machine lacks something. */
export function prepareServers(say: (line: string) => void): void {
  mkdirSync(cacheFolder, { recursive: true })
  const jarsStamp = digestOf([pom])
  const classesStamp = digestOf([pom, ...filesBelow(javaSources)])
  // An archive fits one JVM and the paths of its jars.
  const archiveStamp = `${classesStamp} ${cacheFolder} ${process.env['JAVA_HOME'] ?? ''}`
  const stamps = { jars: jarsStamp, classes: classesStamp, archive: archiveStamp }
  if (Object.entries(stamps).every(([name, stamp]) => isStamped(name, stamp))) return
  const java = findJava()
  if (!isStamped('jars', jarsStamp)) {
    say('fetching Apache Kafka and S3Proxy with Maven (about 110 MB, once)')
    build('jars', jarsStamp, ['kafka', 's3proxy', 'compiler'], fetchJars)
  }
  if (!isStamped('classes', classesStamp)) {
    say('compiling test/java')
    build('classes', classesStamp, ['classes'], folder => compile(java, folder))
  }
  if (!isStamped('archive', archiveStamp))
    build('archive', archiveStamp, ['archive'], folder => archiveClasses(java, folder))
}

/** Makes the folders aside and moves them into place, so that a run that was cut short leaves nothing half done. */
function build(name: string, stamp: string, folders: readonly string[], make: (folder: string) => void): void {
  const draft = mkdtempSync(join(cacheFolder, 'draft-'))
  try {
    make(draft)
    rmSync(stampFile(name), { force: true })
    for (const folder of folders) {
      rmSync(join(cacheFolder, folder), { recursive: true, force: true })
      renameSync(join(draft, folder), join(cacheFolder, folder))
    }
    writeFileSync(stampFile(name), stamp)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

function fetchJars(folder: string): void {
  const args = ['--batch-mode', '--quiet', '--file', pom, `-Dfolder=${folder}`, 'package']
  const first = spawnSync('mvn', args, { encoding: 'utf8' })
  if (isMissing(first)) throw new CannotPrepare('Maven is missing: install the Debian package `maven`')
  // One more try: a repository far away drops a connection now and then, and what was fetched is kept.
  const result = first.status === 0 ? first : spawnSync('mvn', args, { encoding: 'utf8' })
  if (result.status !== 0)
    throw new CannotPrepare(`Maven could not fetch the servers:\n${result.stdout}${result.stderr}`)
}

/** By the Eclipse compiler, because Debian's JRE packages bring no javac. */
function compile(java: string, folder: string): void {
  const compiler = join(cacheFolder, 'compiler')
  const jar = readdirSync(compiler).find(name => name.endsWith('.jar')) ?? ''
  const sources = filesBelow(javaSources).filter(file => file.endsWith('.java'))
  const classPath = readdirSync(join(cacheFolder, 'kafka')).map(name => join(cacheFolder, 'kafka', name))
  const args = ['-jar', join(compiler, jar), '-17', '-nowarn', '-encoding', 'UTF-8', '-cp', classPath.join(':')]
  const loose = join(folder, 'loose')
  const result = spawnSync(java, [...args, '-d', loose, ...sources], { encoding: 'utf8' })
  if (result.status !== 0) throw new CannotPrepare(`test/java does not compile:\n${result.stdout}${result.stderr}`)
  mkdirSync(join(folder, 'classes'))
  const pack = ['-cp', loose, 'maxbrod.Pack', loose, join(folder, 'classes/maxbrod.jar')]
  const packed = spawnSync(java, pack, { encoding: 'utf8' })
  if (packed.status !== 0) throw new CannotPrepare(`test/java cannot be packed:\n${packed.stderr}`)
}

/** Only makes things faster: where it does not come about, JVMs load their classes one by one. */
function archiveClasses(java: string, folder: string): void {
  rmSync(classArchive, { force: true })
  mkdirSync(join(folder, 'archive'))
  const flags = [`-XX:ArchiveClassesAtExit=${join(folder, 'archive', basename(classArchive))}`, '-Xlog:disable']
  const place = mkdtempSync(join(folder, 'rehearsal-'))
  const options = { classPath: 'kafka', main: 'maxbrod.Rehearsal', heapMiB: 512, isTethered: false } as const
  spawnSync(java, javaArguments({ ...options, flags, args: [place] }), { stdio: 'ignore', timeout: REHEARSAL_MS })
}

function findJava(): string {
  const java = javaProgram()
  const result = spawnSync(java, ['-version'], { encoding: 'utf8' })
  if (isMissing(result))
    throw new CannotPrepare('Java is missing: install the Debian package `openjdk-17-jre-headless`')
  const version = /version "(?:1\.)?(\d+)/.exec(result.stderr)?.[1] ?? '0'
  if (Number(version) < javaMajorMin) {
    throw new CannotPrepare(
      `Java ${version} is too old for Kafka 4: install the Debian package \`openjdk-17-jre-headless\``,
    )
  }
  return java
}

function isMissing(result: { readonly error?: Error | undefined }): boolean {
  return result.error !== undefined
}

function isStamped(name: string, stamp: string): boolean {
  return existsSync(stampFile(name)) && readFileSync(stampFile(name), 'utf8') === stamp
}

function stampFile(name: string): string {
  return join(cacheFolder, `${name}.stamp`)
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
}

function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

if (import.meta.main) {
  try {
    prepareServers(line => console.log(line))
  } catch (error) {
    console.error(error instanceof CannotPrepare ? error.message : error)
    process.exitCode = 1
  }
}
