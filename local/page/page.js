/*
 * Does for the views what CloudWatch's console does for custom widgets: a press of a button sends the JSON of the cwdb-action behind it,
 * with the values of its form, and the answer takes the place of the view.
 */
const view = document.getElementById('view')
const dark = matchMedia('(prefers-color-scheme: dark)')

// The token leaves the address at once, so that it is in no history and no bookmark. It lives as long as the tab.
if (location.hash.length > 1) sessionStorage.setItem('token', location.hash.slice(1))
history.replaceState({ call: { view: 'overview' }, forms: {} }, '', '/')

/** The next look at a view that changes by itself. */
let nextLook

async function show(call, forms) {
  clearTimeout(nextLook)
  view.setAttribute('aria-busy', 'true')
  try {
    const response = await fetch('/view', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${sessionStorage.getItem('token') ?? ''}` },
      body: JSON.stringify({ call, forms, theme: dark.matches ? 'dark' : 'light' }),
    })
    const text = await response.text()
    if (response.ok) view.innerHTML = text
    else view.textContent = text
  } catch {
    view.textContent = 'The program does not answer. Start it again with "npm start", then open the file page.html of the data folder.'
  }
  view.removeAttribute('aria-busy')
  document.title = `${view.querySelector('h2')?.textContent ?? 'Tributary'} · Tributary`
  lookAgain()
}

/** Presses the button of a view that changes by itself, such as a Test. The focus stays on the button that has it. */
function lookAgain() {
  const place = view.querySelector('[data-refresh]')
  const action = place?.querySelector('cwdb-action')
  if (!action) return
  nextLook = setTimeout(async () => {
    const focused = view.contains(document.activeElement) ? document.activeElement.textContent : undefined
    await show(JSON.parse(action.textContent), {})
    const buttons = [...view.querySelectorAll('button')]
    if (focused !== undefined) (buttons.find((button) => button.textContent === focused) ?? view).focus()
  }, Number(place.dataset.refresh))
}

/** The call of a button, and the values of the form that it stands in. */
function pressed(button) {
  const action = button.nextElementSibling
  // A second press would call the button of a view that is about to go.
  if (action?.localName !== 'cwdb-action' || view.hasAttribute('aria-busy')) return
  const question = action.getAttribute('confirmation')
  if (question !== null && !confirm(question)) return
  const call = JSON.parse(action.textContent)
  const forms = button.form === null ? {} : Object.fromEntries(new FormData(button.form))
  // A key that was typed is sent once, and not kept.
  const kept = Object.fromEntries(Object.entries(forms).filter(([name]) => button.form?.elements.namedItem(name)?.type !== 'password'))
  history.pushState({ call, forms: kept }, '')
  void show(call, forms).then(() => {
    scrollTo(0, 0)
    view.focus({ preventScroll: true })
  })
}

view.addEventListener('click', (event) => {
  const button = event.target.closest('button')
  if (button !== null) pressed(button)
})
// Enter in a field presses the last button of its form, which goes on.
view.addEventListener('submit', (event) => event.preventDefault())
view.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.target.localName !== 'input') return
  event.preventDefault()
  pressed([...event.target.form.querySelectorAll('button')].at(-1))
})
addEventListener('popstate', () => void showAgain())
dark.addEventListener('change', () => void showAgain())

function showAgain() {
  return show(history.state.call, history.state.forms)
}

void showAgain()
