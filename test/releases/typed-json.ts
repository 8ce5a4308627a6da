/** DynamoDB's typed JSON as text. Binary is base64 in the text, and bytes in the SDK. */

export function toText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => bytesAsBase64(inner))
}

export function fromText(text: string): unknown {
  return JSON.parse(text, (name, inner: unknown) => (name === 'B' && typeof inner === 'string' ? Buffer.from(inner, 'base64') : inner))
}

function bytesAsBase64(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('B' in value) || !(value.B instanceof Uint8Array)) return value
  return { B: Buffer.from(value.B).toString('base64') }
}
