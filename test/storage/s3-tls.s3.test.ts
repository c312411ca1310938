import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { S3Proxy } from '../helpers/s3proxy.ts'
import { s3Environment } from '../helpers/shared-s3.ts'
import { tethered } from '../helpers/tether.ts'

const run = promisify(execFile)

test('https:// works with a certificate that is vouched for, and with no other', { timeout: 60_000 }, async () => {
  await using s3 = await S3Proxy.start({ isTls: true, provider: 'filesystem', buckets: ['backup'] })
  const roundTrip = async (env: Record<string, string>) => {
    const program = join(import.meta.dirname, 'programs/round-trip.ts')
    const command = tethered(process.execPath, [program, s3.endpoint, 'backup'])
    const { stdout } = await run(...command, { env: { ...process.env, ...s3Environment(s3), ...env } })
    return stdout.trim().split('\n')
  }
  assert.deepEqual(await roundTrip({ NODE_EXTRA_CA_CERTS: s3.certificateFile }), ['equal', 'equal', 'equal'])
  const [error] = await roundTrip({})
  assert.match(String(error), /^STORAGE_REFUSED: .*NODE_EXTRA_CA_CERTS/)
})
