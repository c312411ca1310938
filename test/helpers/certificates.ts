import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** A certificate with its key, both as PEM. */
export interface Certified {
  readonly certificate: string
  readonly key: string
}

export interface CertificateNames {
  readonly dns?: readonly string[]
  /** IPv4. */
  readonly ip?: readonly string[]
}

/** An authority of one test: what it signs is trusted by whoever trusts `certificate`, and by nobody else. */
export class Authority {
  readonly certificate: string
  readonly #key: KeyObject
  readonly #name: Buffer

  constructor(name: string) {
    const { privateKey, publicKey } = newKey()
    this.#key = privateKey
    this.#name = nameOf(name)
    const isAuthority = extension('2.5.29.19', true, sequence(tagged(0x01, Buffer.of(0xff))))
    this.certificate = this.#sign(this.#name, publicKey, isAuthority)
  }

  /** A certificate for these hosts, or for a client. */
  certify(name: string, { dns = [], ip = [] }: CertificateNames = {}): Certified {
    const { privateKey, publicKey } = newKey()
    const names = [
      ...dns.map(host => tagged(0x82, Buffer.from(host))),
      ...ip.map(address => tagged(0x87, Buffer.from(address.split('.').map(Number)))),
    ]
    const alternatives = names.length === 0 ? Buffer.alloc(0) : extension('2.5.29.17', false, sequence(...names))
    return {
      certificate: this.#sign(nameOf(name), publicKey, alternatives),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    }
  }

  /** X.509 version 3 in DER, spelled out: Node can read certificates and cannot make them. */
  #sign(subject: Buffer, publicKey: KeyObject, extensions: Buffer): string {
    const content = sequence(
      tagged(0xa0, tagged(0x02, Buffer.of(2))), // version 3
      tagged(0x02, Buffer.concat([Buffer.of(0x01), randomBytes(8)])), // serial number
      ecdsaWithSha256,
      this.#name,
      sequence(tagged(0x17, Buffer.from('200101000000Z')), tagged(0x17, Buffer.from('491231235959Z'))),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      ...(extensions.length === 0 ? [] : [tagged(0xa3, sequence(extensions))]),
    )
    const signature = sign('sha256', content, this.#key)
    const certificate = sequence(content, ecdsaWithSha256, tagged(0x03, Buffer.concat([Buffer.of(0), signature])))
    const lines = certificate.toString('base64').match(/.{1,64}/g)!
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  }
}

function newKey(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function nameOf(commonName: string): Buffer {
  const attribute = sequence(oid('2.5.4.3'), tagged(0x0c, Buffer.from(commonName)))
  return sequence(tagged(0x31, attribute))
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [tagged(0x01, Buffer.of(0xff))] : []
  return sequence(oid(id), ...critical, tagged(0x04, value))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...size), content])
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const bytes = rest.flatMap(number => (number < 0x80 ? [number] : [...upper(number >> 7), number & 0x7f]))
  return tagged(0x06, Buffer.from([first * 40 + second, ...bytes]))
}

function upper(number: number): number[] {
  return number === 0 ? [] : [...upper(number >> 7), 0x80 | (number & 0x7f)]
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))
