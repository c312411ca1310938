/** Bytes that no sound age file has. The message is a sentence about the file, without its name. */
export class AgeDamage extends Error {
  override readonly name = 'AgeDamage'
}
