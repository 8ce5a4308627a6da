import type { Vendor } from '../functions/domain/vendor.ts'
import { trendmicroCas } from '../functions/vendors/trendmicro-cas/index.ts'

/** The vendor, asked for pages of so many items at most: small ones make many requests of few events. */
export function withPagesOf(pageItemsMax: number): Vendor {
  return {
    ...trendmicroCas,
    pageItemsMax,
    firstRequest(...asked) {
      const url = new URL(trendmicroCas.firstRequest(...asked).url)
      url.searchParams.set('limit', String(pageItemsMax))
      return { url: url.href }
    },
  }
}
