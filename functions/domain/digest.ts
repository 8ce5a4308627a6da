/** SHA-256 of a text in UTF-8, as lower-case hex. */
export type Digest = (text: string) => string

/** HMAC-SHA-256 of a text under a key in hex, as lower-case hex. */
export type KeyedDigest = (keyHex: string, text: string) => string
