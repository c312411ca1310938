import { MaxbrodError, messageOf, systemCodeOf } from '../runtime/errors.ts'

export interface BindingFiles {
  readonly readFile: (path: string) => string
  /** Names in a folder; throws when there is none. */
  readonly listFolder: (path: string) => string[]
}

/** Entries of a Kafka binding, as the Kafka Access Operator of Strimzi writes them, and the property that each stands for. */
const ENTRIES: Readonly<Record<string, string>> = {
  bootstrapServers: 'bootstrap.servers',
  'bootstrap-servers': 'bootstrap.servers',
  securityProtocol: 'security.protocol',
  saslMechanism: 'sasl.mechanism',
  'sasl.jaas.config': 'sasl.jaas.config',
  'ssl.truststore.crt': 'ssl.truststore.certificates',
  'ssl.keystore.crt': 'ssl.keystore.certificate.chain',
  'ssl.keystore.key': 'ssl.keystore.key',
}

/** What a system says of a file that is not there. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'EISDIR']

/**
 * The properties of the one Kafka binding in a folder as https://servicebinding.io/spec/core/1.1.0 has it: a folder for each
 * binding, a file for each entry, `type` among them. The folder may also be that of the binding itself. Throws USAGE.
 */
export function readServiceBinding(root: string, files: BindingFiles): Map<string, string> {
  const folders = [root, ...listFolder(root, files).map(name => `${root}/${name}`)]
  const kafka = folders.filter(folder => entry(folder, 'type', files)?.toLowerCase() === 'kafka')
  const [folder] = kafka
  if (folder === undefined) throw usage(`there is no binding of type kafka in ${root}`)
  if (kafka.length > 1)
    throw usage(`there are several bindings of type kafka: ${kafka.join(', ')}`, 'name the folder of one of them')
  const found = Object.entries(ENTRIES).flatMap(([name, property]): [string, string][] => {
    const value = entry(folder, name, files)
    return value === undefined ? [] : [[property, value]]
  })
  const properties = new Map(found)
  const [user, password] = [entry(folder, 'username', files), entry(folder, 'password', files)]
  if (user !== undefined && password !== undefined && !properties.has('sasl.jaas.config'))
    properties.set('sasl.jaas.config', `required username="${escaped(user)}" password="${escaped(password)}";`)
  return properties
}

function listFolder(root: string, files: BindingFiles): string[] {
  try {
    // Kubernetes keeps what it replaces under names that begin with dots.
    return files.listFolder(root).filter(name => !name.startsWith('.'))
  } catch (cause) {
    throw new MaxbrodError('USAGE', `--service-binding: ${root} cannot be read`, { cause, path: root })
  }
}

function entry(folder: string, name: string, { readFile }: BindingFiles): string | undefined {
  try {
    return readFile(`${folder}/${name}`).replace(/\r?\n$/, '')
  } catch (cause) {
    if (ABSENT.includes(systemCodeOf(cause) ?? '')) return undefined
    // What is there and cannot be read may be what asks for TLS.
    throw new MaxbrodError('USAGE', `--service-binding: ${messageOf(cause)}`, { cause, path: `${folder}/${name}` })
  }
}

function escaped(text: string): string {
  return text.replaceAll(/["\\]/g, String.raw`\$&`)
}

function usage(message: string, hint?: string): MaxbrodError {
  return new MaxbrodError('USAGE', `--service-binding: ${message}`, { hint })
}
