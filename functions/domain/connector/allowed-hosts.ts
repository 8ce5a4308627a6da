/**
 * Whether the operator has allowed this address to the tenant, in addition to the vendor's own hosts. `allowedHosts` holds `HOST` (any port)
 * and `HOST:PORT`, each for all tenants, or for one with `@TENANT` after it. For exactly these, http, any port and private addresses are
 * allowed.
 */
export function isAllowedHost(url: URL, allowedHosts: readonly string[], tenant: string | undefined): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  const forms = [url.hostname, `${url.hostname}:${port}`]
  return allowedHosts.some((allowed) => {
    const [host = '', boundTo = tenant] = allowed.toLowerCase().split('@')
    return forms.includes(host) && boundTo === tenant
  })
}
