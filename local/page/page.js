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
/** Calls so far (count). The answer to an earlier one comes too late. */
let calls = 0

async function show(call, forms) {
  clearTimeout(nextLook)
  const number = ++calls
  view.setAttribute('aria-busy', 'true')
  const content = await answerTo(call, forms)
  if (number !== calls) return
  view.replaceChildren(...content.childNodes)
  view.removeAttribute('aria-busy')
  settle()
}

/** The answer to a call, in an element that is not shown. */
async function answerTo(call, forms) {
  const content = document.createElement('main')
  try {
    const response = await fetch('/view', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${sessionStorage.getItem('token') ?? ''}` },
      body: JSON.stringify({ call, forms, theme: dark.matches ? 'dark' : 'light' }),
    })
    const text = await response.text()
    if (response.ok) content.innerHTML = text
    else content.textContent = text
  } catch {
    content.textContent = 'The program does not answer. Start it again with "npm start", then open the file page.html of the data folder.'
  }
  return content
}

function settle() {
  document.title = `${view.querySelector('h2')?.textContent ?? 'Tributary'} · Tributary`
  lookAgain()
}

/** Presses the button of a view that changes by itself, such as a Test. A person's own press goes first. */
function lookAgain() {
  const place = view.querySelector('[data-refresh]')
  const action = place?.querySelector('cwdb-action')
  if (!action) return
  nextLook = setTimeout(async () => {
    const number = ++calls
    const content = await answerTo(JSON.parse(action.textContent), {})
    if (number !== calls) return
    const hadFocus = view.contains(document.activeElement)
    become(view, content)
    if (hadFocus && !view.contains(document.activeElement)) view.focus({ preventScroll: true })
    settle()
  }, Number(place.dataset.refresh))
}

/** Gives a node the content of another one. Equal parts stay, so the focus stays on them, and no screen reader reads them again. */
function become(node, next) {
  const before = [...node.childNodes]
  const after = [...next.childNodes]
  for (const [at, child] of after.entries()) {
    const old = before[at]
    if (old === undefined) node.append(child)
    else if (isSameTag(old, child)) become(old, child)
    else if (!old.isEqualNode(child)) old.replaceWith(child)
  }
  for (const old of before.slice(after.length)) old.remove()
}

/** Whether two elements differ in their content at most. */
function isSameTag(one, other) {
  return one.nodeType === Node.ELEMENT_NODE && one.cloneNode(false).isEqualNode(other.cloneNode(false))
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
