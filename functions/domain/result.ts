import type { Failure } from './failures.ts'

/** An expected failure is returned as a value. Only bugs and broken infrastructure throw. */
export type Result<T, E = Failure> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: E }

/** A success. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}

/** An expected failure. */
export function failed<E>(failure: E): { readonly ok: false; readonly failure: E } {
  return { ok: false, failure }
}
