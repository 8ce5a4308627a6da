import { X509Certificate } from 'node:crypto'
import { Agent as HttpAgent } from 'node:http'
import { type AgentOptions, Agent as HttpsAgent } from 'node:https'
import { createSecureContext, getCACertificates } from 'node:tls'
import { certificatesOf } from '../../domain/connector/certificates.ts'
import { failure } from '../../domain/failures.ts'
import type { Clock, Source } from '../../domain/ports.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import { type Instant, second } from '../../domain/time.ts'
import { digest } from '../digest.ts'
import { publicLookup, type Target } from './address-guard.ts'
import { isThroughProxy, tunnelAgent, type VendorProxy } from './proxy.ts'

/** The most origins whose connections are kept open (count). */
const poolsMax = 64
/** A connection that was idle for longer is not used again (ms): the server or a load balancer may have closed it while this process was frozen. */
const idleMaxMs = 15 * second

export type TlsSettings = Pick<Parameters<Source['fetch']>[2], 'tlsCaPem' | 'disableTlsVerification'>

export interface Pool {
  readonly agent: HttpAgent
  /** The end of the last request. */
  usedAt: Instant
}

/**
 * One agent for each origin, TLS setting and answer of the address guard, so that a connector never uses a connection that another one
 * opened without verification, or to a private address that is allowed to that one's tenant only.
 * The least recently used pools are dropped. Fails with `tls-failed` if `tlsCaPem` holds no certificate.
 */
export function connectionPools(clock: Clock, proxy?: VendorProxy): (target: Target, tls: TlsSettings) => Result<Pool> {
  const pools = new Map<string, Pool>()

  return (target, tls) => {
    const { tlsCaPem, disableTlsVerification } = tls
    const name = JSON.stringify([target.url.origin, target.allowed, disableTlsVerification, tlsCaPem === undefined ? '' : digest(tlsCaPem)])
    const existing = pools.get(name)
    if (existing !== undefined) {
      pools.delete(name)
      pools.set(name, existing)
      if (clock.now() - existing.usedAt > idleMaxMs) closeIdle(existing.agent)
      return ok(existing)
    }
    const agent = newAgent(target, tls, proxy)
    if (!agent.ok) return agent
    const pool = { agent: agent.value, usedAt: clock.now() }
    pools.set(name, pool)
    for (const [oldest, { agent: unused }] of pools) {
      if (pools.size <= poolsMax) break
      pools.delete(oldest)
      closeIdle(unused)
    }
    return ok(pool)
  }
}

/** Requests under way are not disturbed. Their connections close later, when they are idle. */
function closeIdle(agent: HttpAgent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy()
  }
}

function newAgent(
  { url, allowed }: Target,
  { tlsCaPem, disableTlsVerification }: TlsSettings,
  proxy: VendorProxy | undefined,
): Result<HttpAgent> {
  const isProxied = proxy !== undefined && isThroughProxy(url, proxy)
  // The proxy looks up the name, so no address is known here to check.
  const guarded = allowed || isProxied ? {} : { lookup: publicLookup() }
  const options = { keepAlive: true, maxFreeSockets: 4, timeout: idleMaxMs, ...guarded }
  const agent = (all: AgentOptions) => {
    if (isProxied) return tunnelAgent(proxy, url.protocol, all)
    return url.protocol === 'http:' ? new HttpAgent(all) : new HttpsAgent(all)
  }
  if (url.protocol === 'http:') return ok(agent(options))
  // Set in each case, because otherwise NODE_TLS_REJECT_UNAUTHORIZED could switch verification off for every connector.
  const tlsOptions = { ...options, rejectUnauthorized: !disableTlsVerification }
  if (tlsCaPem === undefined) return ok(agent(tlsOptions))
  const certificates = validCertificates(tlsCaPem)
  if (certificates === undefined) return failed(failure('tls-failed', 'tlsCaPem holds no valid certificate in PEM form'))
  const secureContext = createSecureContext({ ca: [...getCACertificates('default'), ...certificates] })
  return ok(agent({ ...tlsOptions, secureContext }))
}

/** Returns nothing unless every certificate is valid. The text is checked here, because OpenSSL reads invalid text as an empty list. */
function validCertificates(pem: string): readonly string[] | undefined {
  const found = certificatesOf(pem)
  try {
    const certificates = found.map((base64) => new X509Certificate(Buffer.from(base64 ?? '', 'base64')).toString())
    return certificates.length === 0 ? undefined : certificates
  } catch {
    return undefined
  }
}
