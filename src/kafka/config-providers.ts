import { MaxbrodError } from '../runtime/errors.ts'
import { parseProperties } from './properties.ts'

type ReadFile = (path: string) => string

/** Java's own providers that look into files (KIP-297, KIP-632), by the end of their class names. */
const PROVIDERS: Readonly<Record<string, (path: string, key: string, readFile: ReadFile) => string | undefined>> = {
  FileConfigProvider: (path, key, readFile) => parseProperties(readFile(path)).get(key),
  // A line end is put there by editors; Java leaves it, and passwords then fail.
  DirectoryConfigProvider: (path, key, readFile) => readFile(`${path}/${key}`).replace(/\r?\n$/, ''),
}

/**
 * Puts what `${name:path:key}` refers to in its place: so secrets can stay in mounted files. `config.providers` names the
 * providers, as for Java's clients. Throws USAGE.
 */
export function resolveReferences(properties: ReadonlyMap<string, string>, readFile: ReadFile): Map<string, string> {
  const names = (properties.get('config.providers') ?? '').split(',').map(name => name.trim())
  const read = (name: string, path: string, key: string) => {
    const className = properties.get(`config.providers.${name}.class`) ?? ''
    const provider = Object.entries(PROVIDERS).find(([end]) => className.endsWith(`.${end}`))?.[1]
    if (provider === undefined) {
      throw usage(`config.providers.${name}.class=${className} is none of ${Object.keys(PROVIDERS).join(', ')}`)
    }
    const value = provider(path, key, readFile)
    if (value === undefined) throw usage(`there is no ${key} in ${path}`)
    return value
  }
  return new Map(
    [...properties].map(([property, value]) => [
      property,
      value.replaceAll(/\$\{([^:}]+):(?:([^:}]*):)?([^}]+)\}/g, (whole, name: string, path = '', key: string) =>
        names.includes(name) ? read(name, path, key) : whole,
      ),
    ]),
  )
}

function usage(message: string): MaxbrodError {
  return new MaxbrodError('USAGE', `--command-config: ${message}`)
}
