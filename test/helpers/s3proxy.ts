import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { javaArguments, javaProgram } from '../servers/jars.ts'
import { eventually } from './eventually.ts'
import { answers, freePorts } from './ports.ts'
import { endServer, tailOf } from './server-process.ts'
import { tethered } from './tether.ts'

export interface S3ProxyOptions {
  /**
   * `transient` keeps objects in the heap and takes names of any length; `filesystem` keeps each in a file of `folder`,
   * whose name the file system must allow, and keeps it when the server is killed. Default transient.
   */
  readonly provider?: 'transient' | 'filesystem'
  /** Settings of S3Proxy beside the ones below, such as `s3proxy.read-only-blobstore`. */
  readonly properties?: Readonly<Record<string, string | number>>
  /** Exist from the beginning; for `filesystem`, where a bucket is a folder. */
  readonly buckets?: readonly string[]
  /** Serves https:// with a certificate that only `certificateFile` vouches for. */
  readonly isTls?: boolean
  readonly heapMiB?: number
}

const startTimeoutMs = 60_000

/** A real S3 server that belongs to one test: `await using s3 = await S3Proxy.start()`. Gone when disposed of. */
export class S3Proxy implements AsyncDisposable {
  /** For `--s3-endpoint`. */
  readonly endpoint: string
  readonly credentials = { accessKeyId: 'maxbrod-test', secretAccessKey: randomBytes(20).toString('hex') }
  readonly logFile: string
  /** The objects of `filesystem`: `<folder>/<bucket>/<key>`. */
  readonly folder: string
  /** For NODE_EXTRA_CA_CERTS, with `isTls`. */
  readonly certificateFile: string
  readonly #home: string
  readonly #heapMiB: number
  #process: ChildProcess | undefined

  private constructor(endpoint: string, home: string, heapMiB: number) {
    this.endpoint = endpoint
    this.certificateFile = join(home, 'certificate.pem')
    this.logFile = join(home, 's3proxy.log')
    this.folder = join(home, 'objects')
    this.#home = home
    this.#heapMiB = heapMiB
  }

  /** Resolves when the server answers requests. */
  static async start(options: S3ProxyOptions = {}): Promise<S3Proxy> {
    const { provider = 'transient', properties = {}, isTls = false, buckets = [], heapMiB = 512 } = options
    const [port = 0] = await freePorts(1)
    const home = await mkdtemp(join(tmpdir(), 'maxbrod-s3-'))
    const s3 = new S3Proxy(`${isTls ? 'https' : 'http'}://127.0.0.1:${port}`, home, heapMiB)
    for (const bucket of ['', ...buckets]) await mkdir(join(s3.folder, bucket))
    const settings = {
      ...(isTls ? makeCertificate(home, s3.certificateFile) : {}),
      [isTls ? 's3proxy.secure-endpoint' : 's3proxy.endpoint']: s3.endpoint,
      's3proxy.authorization': 'aws-v4',
      's3proxy.identity': s3.credentials.accessKeyId,
      's3proxy.credential': s3.credentials.secretAccessKey,
      'jclouds.provider': `${provider}-nio2`,
      'jclouds.filesystem.basedir': s3.folder,
      ...properties,
    }
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
    await writeFile(join(s3.#home, 's3proxy.properties'), lines.join(''), { mode: 0o600 })
    try {
      await s3.restart()
      return s3
    } catch (error) {
      const log = s3.logTail()
      await s3[Symbol.asyncDispose]()
      throw new Error(`S3Proxy did not start:\n${log}`, { cause: error })
    }
  }

  /** Starts the server, again or for the first time, at the same port. */
  async restart(): Promise<void> {
    await this.kill9()
    const log = openSync(this.logFile, 'a')
    const args = javaArguments({
      classPath: 's3proxy',
      main: 'org.gaul.s3proxy.Main',
      heapMiB: this.#heapMiB,
      args: ['--properties', join(this.#home, 's3proxy.properties')],
    })
    const env = { ...process.env, LOG_LEVEL: 'warn', JETTY_LOG_LEVEL: 'warn' }
    const child = spawn(...tethered(javaProgram(), args), { env, stdio: ['pipe', log, log] })
    closeSync(log)
    this.#process = child
    const isUp = async () => {
      if (child.exitCode !== null) return true
      // It opens its port when it is ready.
      return answers(Number(new URL(this.endpoint).port))
    }
    await eventually('S3Proxy answers', isUp, { timeoutMs: startTimeoutMs })
    if (child.exitCode !== null) throw new Error(`S3Proxy ended with code ${child.exitCode}`)
  }

  /** Ends the server as a power cut does. */
  async kill9(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    await endServer(child, 'SIGKILL')
  }

  /** Freezes the server: connections stay open and nothing is answered. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  logTail(lines = 40): string {
    return tailOf(this.logFile, lines)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9()
    await rm(this.#home, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** A key and a certificate for 127.0.0.1, by the keytool of every Java; the settings that name them. */
function makeCertificate(home: string, certificateFile: string): Record<string, string> {
  const store = join(home, 'keystore.p12')
  const password = randomBytes(20).toString('hex')
  const shared = ['-keystore', store, '-storepass', password, '-alias', 's3']
  const subject = ['-dname', 'CN=maxbrod-test', '-ext', 'SAN=ip:127.0.0.1', '-keyalg', 'EC', '-validity', '2']
  keytool(['-genkeypair', ...shared, ...subject, '-storetype', 'PKCS12'])
  keytool(['-exportcert', ...shared, '-rfc', '-file', certificateFile])
  return { 's3proxy.keystore-path': store, 's3proxy.keystore-password': password }
}

function keytool(args: readonly string[]): void {
  const java = javaProgram()
  const result = spawnSync(join(dirname(java), basename(java).replace('java', 'keytool')), args, { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`keytool: ${result.error?.message ?? result.stdout + result.stderr}`)
}
