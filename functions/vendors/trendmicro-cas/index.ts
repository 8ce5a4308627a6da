import * as z from 'zod'
import { hour } from '../../domain/time.ts'
import type { Vendor } from '../../domain/vendor.ts'
import { baseUrlOf, nextRequest } from './links.ts'
import { normalise } from './normalise.ts'
import { describe, events, firstRequest, pageItemsMax, services, streamOf } from './request.ts'
import { parsePage } from './wire.ts'

/** Trend Micro Cloud App Security (Cloud Email and Collaboration Protection): its Log Retrieval API. */
export const trendmicroCas: Vendor = {
  type: 'trendmicro-cas',
  title: 'Trend Micro Cloud App Security',
  hosts: [
    'api.tmcas.trendmicro.com',
    'api-eu.tmcas.trendmicro.com',
    'api.tmcas.trendmicro.co.jp',
    'api-au.tmcas.trendmicro.com',
    'api.tmcas.trendmicro.co.uk',
    'api-ca.tmcas.trendmicro.com',
    'api.tmcas.trendmicro.com.sg',
    'api-in.tmcas.trendmicro.com',
  ],
  retentionMs: 72 * hour,
  pageItemsMax,
  attributes: z.strictObject({
    contentTypes: selection(services, ['sharepoint']).describe('The protected services whose events are collected'),
    eventTypes: selection(events, events).describe('The kinds of event that are collected'),
  }),
  // A verdict of the sandbox can follow its file by minutes.
  lateArrivalMinutes: ({ eventTypes }) => (eventTypes.includes('virtualanalyzer') ? 20 : 10),
  baseUrlOf,
  streams: ({ contentTypes, eventTypes }) => contentTypes.flatMap((service) => eventTypes.map((event) => streamOf(service, event))),
  describe,
  firstRequest,
  nextRequest,
  parsePage,
  normalise,
}

/** A non-empty list of some of `allowed`, each once. */
function selection<T extends string>(allowed: readonly T[], byDefault: readonly T[]) {
  const either = `Allowed: ${allowed.join(', ')}`
  return z
    .array(z.enum(allowed, { error: ({ input }) => `${JSON.stringify(input)} is not known. ${either}` }), {
      error: ({ input }) => `It is ${JSON.stringify(input)}, which is no list. Give a list of one or more. ${either}`,
    })
    .min(1, { error: `It is empty. Name at least one, or leave it out for ${byDefault.join(', ')}. ${either}` })
    .superRefine((chosen, context) => {
      const repeated = chosen.find((value, index) => chosen.indexOf(value) !== index)
      if (repeated !== undefined) context.addIssue(`"${repeated}" is named more than once. Name each once`)
    })
    .default([...byDefault])
}
