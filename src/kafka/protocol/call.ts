import { WireReader, WireWriter } from './wire.ts'

/** A request of our own codec: how it is written and its answer read. */
export interface Call<A> {
  readonly apiKey: number
  readonly apiName: string
  readonly version: number
  /** The request behind its header, in pieces that are sent without being joined. */
  readonly pieces: readonly Uint8Array[]
  /** Throws DecodeError or RangeError when the answer is none. */
  decode(payload: Buffer): A
}

interface CallParts<A> {
  readonly apiKey: number
  readonly apiName: string
  readonly version: number
  /** From this version on the API is flexible: headers and structures end in tag buffers (KIP-482). */
  readonly flexibleFrom: number
  write(writer: WireWriter, isFlexible: boolean): void
  read(reader: WireReader, isFlexible: boolean): A
}

/** A call whose request is one small piece. */
export function call<A>(parts: CallParts<A>): Call<A> {
  const { apiKey, apiName, version, flexibleFrom } = parts
  const isFlexible = version >= flexibleFrom
  const writer = new WireWriter()
  if (isFlexible) writer.noTags() // the end of request header v2
  parts.write(writer, isFlexible)
  return {
    apiKey,
    apiName,
    version,
    pieces: [writer.bytes],
    decode(payload) {
      const reader = new WireReader(payload)
      if (isFlexible) reader.skipTags() // the end of response header v1
      return parts.read(reader, isFlexible)
    },
  }
}
