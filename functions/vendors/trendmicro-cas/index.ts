import * as z from 'zod/mini'
import { hour } from '../../domain/time.ts'
import type { Vendor } from '../../domain/vendor.ts'
import { card } from './card.ts'
import { baseUrlOf, nextRequest } from './links.ts'
import { msgClassOf, normalise, source } from './normalise.ts'
import { describe, events, firstRequest, labels, pageItemsMax, services, streamOf } from './request.ts'
import { parsePage } from './wire.ts'

/**
 * The Log Retrieval API of Trend Micro Cloud App Security (Cloud Email and Collaboration Protection).
 * https://docs.trendmicro.com/en-us/documentation/article/cloud-app-security-integration-api-online-help-using-cloud-app-secu
 */
export const trendmicroCas: Vendor = {
  type: 'trendmicro-cas',
  title: 'Trend Micro Cloud App Security',
  category: 'Cloud Security',
  labels,
  card,
  offer: { contentTypes: services, eventTypes: events },
  locate: (service) => ({ msg_class: msgClassOf(service), 'msg_origin.source': source }),
  hosts: card.regions.map(({ host }) => host),
  retentionMs: 72 * hour,
  pageItemsMax,
  attributes: z.strictObject({
    /** The protected services whose events are collected. */
    contentTypes: selection(services, ['sharepoint']),
    /** The kinds of event that are collected. */
    eventTypes: selection(events, events),
  }),
  // The verdict of Virtual Analyzer, a sandbox, can come minutes after its file.
  lateArrivalMinutes: ({ eventTypes }) => (eventTypes.includes('virtualanalyzer') ? 20 : 10),
  baseUrlOf,
  streams: ({ contentTypes, eventTypes }) => contentTypes.flatMap((service) => eventTypes.map((event) => streamOf(service, event))),
  describe,
  firstRequest,
  nextRequest,
  parsePage,
  normalise,
}

/** A list of one or more of `allowed`, each once. */
function selection<T extends string>(allowed: readonly T[], byDefault: readonly T[]) {
  const choices = `Allowed: ${allowed.join(', ')}`
  const list = z
    .array(z.enum(allowed, { error: ({ input }) => `${JSON.stringify(input)} is not known. ${choices}` }), {
      error: ({ input }) => `It is ${JSON.stringify(input)}, which is not a list. Give a list of one or more. ${choices}`,
    })
    .check(
      z.minLength(1, { error: `It is empty. Name at least one, or leave it out for ${byDefault.join(', ')}. ${choices}` }),
      z.superRefine((chosen, context) => {
        const repeated = chosen.find((value, index) => chosen.indexOf(value) !== index)
        if (repeated !== undefined) context.addIssue(`"${repeated}" is named more than once. Name each once`)
      }),
    )
  return z._default(list, [...byDefault])
}
