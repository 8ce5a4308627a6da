import { type Instant, iso } from '../time.ts'

/**
 * Lines of the lake that are Tributary's own, and no records. They have this attribute and no `id`, and every view leaves out a line without
 * an `id`, so no count changes.
 */
export const ownLineAttribute = 'tributary'

/** The line that the Test of a connector sends. It names neither the connector nor its tenant, so nobody's data grows by it. */
export function testLine(at: Instant): string {
  return `${JSON.stringify({ [ownLineAttribute]: 'test', at: iso(at) })}\n`
}
