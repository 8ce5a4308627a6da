/** A call of a button, and the function that it calls. */
export interface ButtonCall {
  readonly endpoint: string
  readonly call: Readonly<Record<string, unknown>>
}

/** The calls of a page's buttons, by the titles of the buttons. */
export function buttonsOf(page: string): ReadonlyMap<string, ButtonCall> {
  const found = page.matchAll(
    /<button[^>]*>(.*?)<\/button><cwdb-action action="call" display="widget" endpoint="(.*?)">(.*?)<\/cwdb-action>/g,
  )
  return new Map([...found].map(([, title = '', endpoint = '', call = '']) => [title, { endpoint, call: JSON.parse(call) }]))
}

/** The button with this title. Throws if the page has none. */
export function buttonOf(page: string, title: string): ButtonCall {
  const found = buttonsOf(page).get(title)
  if (found === undefined) throw new Error(`There is no button ${title}, only ${[...buttonsOf(page).keys()].join(', ')}`)
  return found
}
