import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runCommand } from '../helpers/in-process.ts'

const canary = 'canary-4711'
const folder = mkdtempSync(join(tmpdir(), 'maxbrod-canaries-'))
after(() => rmSync(folder, { recursive: true }))

const storage = '--storage=file:///nowhere'

/** Secrets where somebody might put them by mistake: every one of these is refused, and nothing of it repeated. */
const flags: readonly (readonly string[])[] = [
  ['plan', `--storage=s3://AKIA:${canary}@bucket/prefix`],
  ['plan', `--storage=https://AKIA:${canary}@s3.test/bucket`],
  ['plan', `--storage=ftp://AKIA:${canary}@s3.test/bucket`],
  ['plan', storage, `--s3-endpoint=https://AKIA:${canary}@s3.test`],
  ['plan', storage, `--s3-endpoint=ftp://AKIA:${canary}@s3.test`],
  ['plan', storage, `--s3-proxy=http://alice:${canary}@proxy:3128`],
  ['plan', storage, `--s3-proxy-password=${canary}`],
  ['plan', storage, `--s3-secret-key=${canary}`],
  ['plan', storage, '--encryption-key', canary],
  ['status', `--bootstrap-server=alice:${canary}@broker:9092`],
  ['status', `--bootstrap-server=SASL_SSL://alice:${canary}@broker:9092`],
  ['config', 'show', 'status', `--bootstrap-server=alice:${canary}@broker:9092`],
  ['config', 'show', 'plan', `--storage=s3://AKIA:${canary}@bucket/prefix`],
]

for (const argv of flags) {
  test(`refused without repeating a secret: maxbrod ${argv.join(' ').replaceAll(canary, '…')}`, async () => {
    const { exit, stdout, stderr } = await runCommand(argv)
    assert.equal(exit, 2, stderr)
    assert.doesNotMatch(stdout + stderr, new RegExp(canary))
  })
}

const sasl = ['security.protocol=SASL_SSL', 'sasl.mechanism=SCRAM-SHA-512']

/** Files for --command-config that cannot be used, each with a secret in it. */
const properties: Readonly<Record<string, readonly string[]>> = {
  'a store of Java': ['security.protocol=SSL', 'ssl.truststore.location=/t.jks', `ssl.truststore.password=${canary}`],
  'a password without a user': [...sasl, `sasl.jaas.config=x required password="${canary}";`],
  'an unknown mechanism': [
    'security.protocol=SASL_SSL',
    'sasl.mechanism=GSSAPI',
    `sasl.jaas.config=x required username="alice" password="${canary}";`,
  ],
  'an unknown protocol': ['security.protocol=TLS', `sasl.jaas.config=x required username="a" password="${canary}";`],
  'a broker with a user': [`bootstrap.servers=alice:${canary}@broker:9092`],
  'a key in a file that is missing': [
    'security.protocol=SSL',
    'ssl.keystore.type=PEM',
    'ssl.keystore.location=/none.pem',
    `ssl.key.password=${canary}`,
  ],
}

for (const [what, lines] of Object.entries(properties)) {
  test(`refused without repeating a secret: --command-config with ${what}`, async () => {
    const file = join(folder, 'client.properties')
    writeFileSync(file, lines.join('\n'))
    const { exit, stdout, stderr } = await runCommand(['status', `--command-config=${file}`, '--log-level=debug'])
    assert.equal(exit, 2, stderr)
    assert.match(stderr, /--command-config|--bootstrap-server/)
    assert.doesNotMatch(stdout + stderr, new RegExp(canary))
    const shown = await runCommand(['config', 'show', 'status', `--command-config=${file}`])
    assert.equal(shown.exit, 0)
    assert.match(shown.stdout, /client\.properties/)
    assert.doesNotMatch(shown.stdout + shown.stderr, new RegExp(canary))
  })
}
