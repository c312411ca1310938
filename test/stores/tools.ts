import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../runner/files.ts'

/** Where prepare.ts puts the servers. */
export const cache = join(root, '.cache/stores')

/** Servers that know what S3Proxy does not, each as what must be there once it was brought. */
export const servers = {
  /** Enforces object lock, with versions and without. */
  versitygw: join(cache, 'versitygw/versitygw'),
  /** Keeps what it is asked to encrypt, and knows which keys there are. */
  s3mock: join(cache, 's3mock/s3mock.jar'),
  /** Speaks Azure's own protocol; S3Proxy stands in front of it. */
  azurite: join(cache, 'azurite/node_modules/azurite/dist/src/blob/main.js'),
} as const

/** Why a test that needs one of them is skipped; false when it is there. */
export function without(server: keyof typeof servers): string | false {
  return !existsSync(servers[server]) && `${server} is not there: make test-stores brings it`
}
