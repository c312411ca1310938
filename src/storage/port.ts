/**
 * The object store, as a seam of few verbs. Keys are relative to the storage URL (bucket and prefix, or folder), use `/`
 * and never begin with it; key.ts says what a key may be. Objects are created once and never rewritten; only `prune`
 * deletes, and what it deletes is not put again meanwhile.
 *
 * Errors of every verb: STORAGE_UNREACHABLE is temporary and the only one worth a retry (timeouts, 5xx, throttling,
 * a body that stopped flowing); STORAGE_AUTH, STORAGE_REFUSED and BACKUP_NOT_FOUND (no such bucket) are final. A signal
 * that aborts rejects with its reason.
 */
export interface ObjectStore {
  /** Where this is, for messages: `s3://bucket/prefix` or `file:///folder`. */
  readonly url: string

  /**
   * Creates the object with its facts unless the key exists: atomic against other writers, durable when it resolves,
   * never a partial object. `created: false` says that the key was taken, maybe by an earlier attempt of our own
   * whose answer was lost: the caller compares the facts, and the size with that of the body. May be called again with
   * the same body, whatever went wrong before. STORAGE_UNCONDITIONAL when the store says that it knows no such condition,
   * OBJECT_CORRUPT when it says that it keeps other bytes. What the body itself throws comes out as it is.
   */
  put(key: string, body: ObjectBody, facts: Facts, signal?: AbortSignal): Promise<PutResult>

  /**
   * Opens the object, or a range of its bytes. With `ifMatch`, another ETag is OBJECT_CHANGED. A missing object is
   * OBJECT_MISSING. It holds a connection or a file until the body is read to its end, left (`break`), or disposed of.
   */
  get(key: string, options?: GetOptions): Promise<ObjectRead>

  /** Size, ETag and facts; undefined when there is no such object. */
  head(key: string, signal?: AbortSignal): Promise<ObjectHead | undefined>

  /** All objects below `prefix` with a key greater than `after`, in the order of the keys' UTF-8 bytes. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ListedObject>

  /**
   * The names one level below `prefix` (which is '' or ends in `/`) that have objects below them, without slash, in the
   * order of those objects' keys; `after` is a name. Objects that lie right below `prefix` are told to `onObject`, by key.
   */
  folders(prefix: string, options?: FolderOptions): AsyncIterable<string>

  /** Lets go of connections. */
  close(): void
}

/** A store out of which objects can be taken. Nothing but `prune` gets one: what others cannot say, they cannot do. */
export interface ErasableStore extends ObjectStore {
  /** Deletes the object and its facts; a missing one is fine. */
  delete(key: string, signal?: AbortSignal): Promise<void>

  /**
   * The same for up to KEYS_PER_DELETE objects, in any order. Those that the store does not let go (object lock, a policy)
   * are returned. May be called again with the same keys, whatever went wrong before.
   */
  deleteAll(keys: readonly string[], signal?: AbortSignal): Promise<readonly NotDeleted[]>
}

/** What one request of S3 takes. */
export const KEYS_PER_DELETE = 1000

/** An object that stays, and why. */
export interface NotDeleted {
  readonly key: string
  readonly reason: string
}

/** Bytes to store. `open` may be called several times and yields the same bytes each time: a retry reads them again. */
export interface ObjectBody {
  readonly bytes: number
  /** SHA-256 of all the bytes, hexadecimal: drivers use it to have the write checked by the other side. */
  readonly sha256: string
  /** Drivers that know no such thing leave it out. */
  readonly keeping?: Keeping | undefined
  open(): AsyncIterable<Uint8Array>
}

/** Makes of a body one that only those can read who hold a secret key. What it throws is what the body throws. */
export type Seal = (body: ObjectBody) => Promise<ObjectBody>

/** Makes of stored data files ones for other recipients, of which one at least is among the given secret keys. */
export interface Resealing {
  /** True for a file that exactly these recipients open, as far as the given keys tell. */
  isDone(file: StoredFile, signal?: AbortSignal): Promise<boolean>
  /**
   * The same content for these recipients: of an encrypted file the very bytes behind its header. `see` is told of what was read,
   * and waited for. Throws OBJECT_CHANGED, OBJECT_MISSING, OBJECT_CORRUPT, NO_IDENTITY; so does the body, when it is read.
   */
  reseal(file: StoredFile, see: (bytes: number) => Promise<void>, signal?: AbortSignal): Promise<Resealed>
}

/** An object as it was listed. */
export type StoredFile = Pick<ListedObject, 'key' | 'bytes' | 'etag'>

export interface Resealed {
  readonly body: ObjectBody
  /** Of the bytes that were read. */
  readonly sourceSha256: string
}

/** How a store is to keep an object: means to the rules of a bucket, nothing to who reads the object. */
export interface Keeping {
  /** As the store names it: STANDARD_IA. */
  readonly storageClass?: string
  /** For lifecycle rules that go by them. */
  readonly tags?: ReadonlyMap<string, string>
}

/** A small string map beside the object (S3: user metadata). Keys match /^[a-z0-9-]+$/, values are printable ASCII; 2 KiB in all. */
export type Facts = Readonly<Record<string, string>>

export type PutResult = { readonly created: true; readonly etag: string } | { readonly created: false }

export interface GetOptions {
  /** First byte wanted; default 0. At or behind the end of the object, the body is empty. */
  readonly start?: number
  /** How many bytes at most; default all. */
  readonly bytes?: number
  readonly ifMatch?: string | undefined
  /** The answer may then have none: where they lie in a file of their own, they cost as much as a small read. */
  readonly facts?: 'unneeded'
  readonly signal?: AbortSignal | undefined
}

export interface ListOptions {
  readonly after?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface FolderOptions extends ListOptions {
  readonly onObject?: ((key: string) => void) | undefined
}

export interface ObjectHead {
  /** Size of the whole object. */
  readonly bytes: number
  readonly etag: string
  readonly facts: Facts
}

/** Disposing lets go of the body in any state; it is allowed at any time and twice. */
export interface ObjectRead extends ObjectHead, AsyncDisposable {
  /** Can be read once. Ends only after all the bytes that were asked for, or throws. */
  readonly body: AsyncIterable<Buffer>
}

/** What a store says of itself and of whoever asks, for a look before the work. */
export interface StorageLook {
  /** Whose credentials are used, without anything secret, and where they were found; undefined for a folder. */
  readonly identity: Identity | undefined
  /** The store's clock minus ours, in ms, to a second; undefined where it does not tell. */
  readonly skewMs: number | undefined
}

export interface Identity {
  readonly accessKeyId: string
  readonly accountId: string | undefined
  readonly foundIn: CredentialsSource
}

/** `instance` is what everybody on the machine gets, such as the role of a Kubernetes node. */
export type CredentialsSource = 'environment' | 'profile' | 'web identity' | 'container' | 'instance' | 'elsewhere'

export interface ListedObject {
  readonly key: string
  readonly bytes: number
  readonly etag: string
  readonly modifiedAtMs: number
}
