import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Where prepare.ts puts things: git-ignored, and removed with the checkout. */
export const cacheFolder = join(import.meta.dirname, '../../.cache/servers')

/** Class paths of the real servers. Each program has its own: their classes must not mix. */
export const classPaths = {
  /** Kafka's broker, tools and clients, with the classes of test/java. */
  kafka: `${join(cacheFolder, 'classes')}:${join(cacheFolder, 'kafka/*')}`,
  /** S3Proxy (main class org.gaul.s3proxy.Main) with the classes of test/java, of which only Tether works there. */
  s3proxy: `${join(cacheFolder, 'classes')}:${join(cacheFolder, 's3proxy/*')}`,
} as const

/** The arguments of `java` for a program that dies with the process that holds its standard input. */
export function javaArguments(options: {
  readonly classPath: keyof typeof classPaths
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
    ...(options.flags ?? []),
    '-cp',
    classPaths[options.classPath],
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
