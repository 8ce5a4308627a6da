import type { StateTable } from '../../functions/adapters/state-table/state-table.ts'
import type { Failure, FailureCode } from '../../functions/domain/failures.ts'
import type * as ports from '../../functions/domain/ports.ts'
import type { LakeRecord } from '../../functions/domain/record/record.ts'
import type { Result } from '../../functions/domain/result.ts'
import type { ConnectorState, StateChange } from '../../functions/domain/status/connector-state.ts'
import type { Notification } from '../../functions/domain/status/notifications.ts'
import type { Outage } from '../../functions/domain/status/outage.ts'
import type { ConnectorStatus, DayCounts } from '../../functions/domain/status/status.ts'
import type { SeenMark, SeenPage } from '../../functions/domain/stream/seen-ids.ts'
import type { LostRange, Range, RangeKind, StreamCounts, StreamState } from '../../functions/domain/stream/stream.ts'
import type { Token, TokenBucket } from '../../functions/domain/token-bucket.ts'
import type { Vendor, VendorRequest, VendorResponse } from '../../functions/domain/vendor.ts'
import type { AcceptPolicy } from '../../functions/flows/accept-connector.ts'
import type { CollectPorts } from '../../functions/flows/collect/collect-connector.ts'
import { call, list, listing, map, type Names, object, port, record, same, word } from './rename.ts'

/** Former name → present name. A present name that the type does not have does not compile. */
function attributes<T>(names: Readonly<Record<string, T extends unknown ? keyof T & string : never>>): Names {
  return names
}

/** Former value → present value. */
function values<T extends string>(names: Readonly<Record<string, T>>): Names {
  return names
}

/**
 * The names in this code change, but a frozen release keeps its own. These tables have the names that have changed since the
 * releases up to 0.2.0, so that the tests use present names only: `freshTo: 'readThrough'`, `'malformed-answer': 'malformed-response'`.
 * A name that has not changed, or that those releases do not have, needs no line.
 */
export const untilRelease020 = {
  // The object of all ports, and the methods of each port.
  ports: attributes<CollectPorts>({}),
  bus: attributes<ports.Bus>({}),
  clock: attributes<ports.Clock>({}),
  queue: attributes<ports.Queue>({}),
  secrets: attributes<ports.Secrets>({}),
  sink: attributes<ports.Sink>({}),
  source: attributes<ports.Source>({}),
  state: attributes<StateTable>({ amendStatus: 'updateStatus', outageTold: 'outageSent' }),

  // The values that pass through the ports.
  acceptPolicy: attributes<AcceptPolicy>({}),
  logEntry: attributes<ports.LogEntry>({}),
  logEvent: values<string>({
    'change-untold': 'change-pending',
    'hole-lost': 'range-lost',
    'outage-untold': 'outage-pending',
    'slice-given-up': 'range-given-up',
    'slice-set-aside': 'range-set-aside',
  }),
  notice: attributes<Notification>({}),
  noticeType: values<Notification['type']>({}),
  noticeDetail: attributes<Notification['detail']>({ site: 'origin', todo: 'remedy' }),
  record: attributes<LakeRecord>({}),
  result: attributes<Result<unknown>>({}),
  secret: attributes<ports.Secret>({}),
  secretOptions: attributes<NonNullable<Parameters<ports.Secrets['read']>[1]>>({ fresh: 'bypassCache' }),
  vendor: attributes<Vendor>({ horizonMs: 'retentionMs' }),
  vendorAnswer: attributes<VendorResponse>({}),
  vendorRequest: attributes<VendorRequest>({}),

  // The values that are read from the state table and written to it.
  accepted: attributes<ports.AcceptedConnector>({}),
  due: attributes<ports.Due>({}),
  keyUser: attributes<ports.KeyUser>({}),
  runState: attributes<ports.RunState>({}),
  amended: attributes<ports.StatusUpdate>({}),
  outage: attributes<Outage>({ site: 'origin', told: 'sent' }),
  status: attributes<ConnectorStatus>({
    changes: 'pendingChanges',
    holes: 'lostRanges',
    horizonInMs: 'retentionLeftMs',
    site: 'origin',
    turns: 'readSteps',
  }),
  statusTrouble: attributes<NonNullable<ConnectorStatus['trouble']>>({}),
  stateChange: attributes<StateChange>({}),
  connectorState: values<ConnectorState>({}),
  dayCounts: attributes<DayCounts>({}),
  failure: attributes<Failure>({}),
  failureCode: values<FailureCode>({ 'malformed-answer': 'malformed-response' }),
  stream: attributes<StreamState>({ freshTo: 'readThrough', holes: 'lostRanges', slice: 'range' }),
  streamTrouble: attributes<NonNullable<StreamState['trouble']>>({}),
  streamCounts: attributes<StreamCounts>({}),
  slice: attributes<Range>({}),
  sliceKind: values<RangeKind>({ fresh: 'provisional', settling: 'final' }),
  hole: attributes<LostRange>({}),
  holeReason: values<LostRange['reason']>({ horizon: 'retention-limit' }),
  seenPage: attributes<SeenPage>({ slice: 'range' }),
  seenMark: values<SeenMark>({}),
  tokenBucket: attributes<TokenBucket>({ n: 'learnedLimit' }),
  token: attributes<Token>({ settled: 'released' }),
} as const

export type Tables = Readonly<Record<keyof typeof untilRelease020, Names>>

/** Tables in which no name has changed. */
export const presentNames = Object.fromEntries(Object.keys(untilRelease020).map((table) => [table, {}])) as Tables

/** Describes the arguments and results of a former release's functions, and names the table for each part of them. */
export function translationBy(names: Tables) {
  const code = word(names.failureCode)
  const state = word(names.connectorState)
  const seenMark = word(names.seenMark)
  const failure = object(names.failure, { code })
  const result = (value = same) => object(names.result, { value, failure })

  const accepted = object(names.accepted)
  const keyUser = object(names.keyUser)
  const outage = object(names.outage, { cause: code })
  const status = object(names.status, {
    state,
    cause: code,
    changes: list(object(names.stateChange, { from: state, to: state, cause: code, causeBefore: code })),
    lastFailure: failure,
    trouble: object(names.statusTrouble, { failure }),
    days: record(object(names.dayCounts)),
  })
  const stream = object(names.stream, {
    holes: list(object(names.hole, { reason: word(names.holeReason) })),
    slice: object(names.slice, { kind: word(names.sliceKind) }),
    trouble: object(names.streamTrouble, { failure }),
    counts: object(names.streamCounts),
  })
  const tokenBucket = object(names.tokenBucket, { tokens: list(object(names.token)) })
  const runState = object(names.runState, { accepted, due: object(names.due), status, streams: map(stream) })

  const stateTable = port(names.state, {
    readRun: call([same], runState),
    readAccepted: call([same], accepted),
    allAccepted: call([], listing(accepted)),
    writeAccepted: call([accepted, accepted]),
    dueBefore: call([same], listing(object(names.due))),
    claimDue: call([]),
    setDue: call([]),
    makeDue: call([]),
    removeDue: call([]),
    readStatus: call([same], status),
    amendStatus: call([same, call([status], status)], object(names.amended, { before: status, after: status })),
    fleet: call([], listing(object({}, { status }))),
    beginOutage: call([outage]),
    outages: call([], list(outage)),
    outageTold: call([outage]),
    endOutage: call([outage]),
    writeStream: call([same, same, stream]),
    readSeen: call([same, same, same, same, call([same, seenMark])]),
    writeSeen: call([same, same, object(names.seenPage, { ids: list(object({}, { mark: seenMark })) })]),
    readTokens: call([same], tokenBucket),
    writeTokens: call([same, tokenBucket]),
    registerKeyUser: call([same, keyUser], list(keyUser)),
    forgetKeyUser: call([]),
    fingerprintKey: call([]),
  })
  const vendors = map(object(names.vendor))
  const notice = object(names.notice, {
    type: word(names.noticeType),
    detail: object(names.noticeDetail, { from: state, to: state, cause: code }),
  })

  return {
    stateTable,
    vendors,
    policy: object(names.acceptPolicy),
    ports: object(names.ports, {
      bus: port(names.bus, { put: call([list(notice)]) }),
      clock: port(names.clock, { now: call([]), sleepUntil: call([]) }),
      log: call([object(names.logEntry, { event: word(names.logEvent) })]),
      queue: port(names.queue, { send: call([]) }),
      secrets: port(names.secrets, { read: call([same, object(names.secretOptions)], result(object(names.secret))) }),
      sink: port(names.sink, { deliver: call([list(object(names.record))], result()) }),
      source: port(names.source, { fetch: call([object(names.vendorRequest)], result(object(names.vendorAnswer))) }),
      state: stateTable,
      vendors,
    }),
  }
}
