/**
 * The plan partition of a chain: what Kafka's own producers would choose for its key. A pure function of the key, so that two
 * planners with different views of the bucket can never put one chain into two partitions.
 */
export function planPartitionOf(chain: string, planPartitions: number): number {
  return (murmur2(Buffer.from(chain)) & 0x7fff_ffff) % planPartitions
}

/** Source: `org.apache.kafka.common.utils.Utils.murmur2` (Austin Appleby's MurmurHash2, public domain). */
function murmur2(data: Buffer): number {
  const m = 0x5bd1_e995
  let h = 0x9747_b28c ^ data.length
  let at = 0
  for (; at + 4 <= data.length; at += 4) {
    let k = Math.imul(data.readInt32LE(at), m)
    k = Math.imul(k ^ (k >>> 24), m)
    h = Math.imul(h, m) ^ k
  }
  const rest = data.length - at
  if (rest > 0) {
    if (rest === 3) h ^= data.readUInt8(at + 2) << 16
    if (rest >= 2) h ^= data.readUInt8(at + 1) << 8
    h = Math.imul(h ^ data.readUInt8(at), m)
  }
  h = Math.imul(h ^ (h >>> 13), m)
  return h ^ (h >>> 15)
}
