import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Where prepare.ts puts things: git-ignored, and removed with the checkout. */
export const cacheFolder = join(import.meta.dirname, '../../.cache/servers')

/**
 * The programs: Kafka's broker, tools and clients, and S3Proxy (main class org.gaul.s3proxy.Main). Each has a folder of jars
 * of its own, because their classes must not mix; the classes of test/java stand before them, of which only Tether works in S3Proxy.
 */
export type JavaProgram = 'kafka' | 's3proxy'

/** In the order of names: the archive of classes fits only one order, and a JVM takes that of the disk for `*`. */
export function classPathOf(program: JavaProgram): string {
  return ['classes', program]
    .map(name => join(cacheFolder, name))
    .flatMap(folder => readdirSync(folder, { withFileTypes: true }).map(({ name }) => join(folder, name)))
    .filter(name => name.endsWith('.jar'))
    .join(':')
}

/** Kafka's classes as a JVM has them in memory: with it, a broker starts in less than two thirds of the CPU time (measured). */
export const classArchive = join(cacheFolder, 'archive/kafka.jsa')

/** The arguments of `java` for a program that dies with the process that holds its standard input. */
export function javaArguments(options: {
  readonly classPath: JavaProgram
  readonly main: string
  readonly heapMiB: number
  readonly flags?: readonly string[]
  readonly args?: readonly string[]
  /** Default true; false for programs that read standard input themselves, or end soon. */
  readonly isTethered?: boolean
}): string[] {
  if (!existsSync(join(cacheFolder, 'classes.stamp'))) {
    throw new Error('the servers that the tests need are not there: run `make servers`')
  }
  return [
    `-Xmx${options.heapMiB}m`,
    // Tests start many small JVMs on few cores: no collector threads.
    '-XX:+UseSerialGC',
    '-XX:-UsePerfData',
    `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'log4j2.properties')}`,
    // What does not fit, because jars or Java have changed, is left out in silence.
    ...(options.classPath === 'kafka' && existsSync(classArchive)
      ? [`-XX:SharedArchiveFile=${classArchive}`, '-Xshare:auto', '-Xlog:disable']
      : []),
    ...(options.flags ?? []),
    '-cp',
    classPathOf(options.classPath),
    ...(options.isTethered === false ? [] : ['maxbrod.Tether']),
    options.main,
    ...(options.args ?? []),
  ]
}

/** The `java` program: that of JAVA_HOME, else the first one on the path. */
export function javaProgram(): string {
  const home = process.env['JAVA_HOME']
  return home === undefined || home === '' ? 'java' : join(home, 'bin/java')
}
