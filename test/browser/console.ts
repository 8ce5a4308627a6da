import type { Browser } from 'playwright-core'
import type { Caller } from '../../functions/domain/operate/operation.ts'
import { answerCall } from '../../functions/flows/operate/call.ts'
import { showOperator } from '../../functions/widget/show-operator.ts'
import type { World } from '../../simulation/world.ts'
import { keysOf, operatorOf } from './served.ts'

/** The alias that the dashboard calls. */
const operateArn = 'arn:aws:lambda:eu-west-1:111122223333:function:tributary-operate:all'

/**
 * Stands in for CloudWatch's console: shows what the function `operate` returns for a custom widget, without the parts that the console
 * removes, and calls the function again when somebody presses an element with a `cwdb-action`. It is built from the documentation, not
 * from the console. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_interactivity.html
 * `params`: the parameters of the widget, which its editor chose.
 */
export async function openConsole(
  browser: Browser,
  world: World,
  items: readonly Readonly<Record<string, unknown>>[],
  params: object = {},
) {
  const { operator, table } = await operatorOf(world, items)
  const { vendors } = operator.policy
  const answer = (page: object, caller: Caller) => answerCall(operator, { page }, caller, Number.POSITIVE_INFINITY)
  const keys = keysOf(world)
  const pages: string[] = []
  const invoke = async (event: object) => {
    const shown = await showOperator({ ...operator, vendors, answer, keys }, event, {
      invokedFunctionArn: operateArn,
      awsRequestId: 'aws-1',
    })
    pages.push(shown)
    return shown
  }
  const page = await browser.newPage()
  await page.exposeFunction('invoke', invoke)
  await page.setContent('<!doctype html><title>CloudWatch</title><style>cwdb-action { display: none }</style><div id="widget"></div>')
  await page.addScriptTag({ content: script })
  await page.evaluate(`open_(${JSON.stringify(params)}, ${JSON.stringify(operateArn)})`)
  return {
    page,
    table,
    /** The returned pages, the first rendering first. */
    pages,
    /** The names of the elements and attributes that were removed. */
    removed: () => page.evaluate('removed') as Promise<readonly string[]>,
  }
}

const script = `
const widget = document.getElementById('widget')
const removed = []
let params = {}
let own = ''

async function open_(given, endpoint) {
  params = given
  own = endpoint
  await draw(params)
}

async function draw(call) {
  const forms = { all: Object.fromEntries([...widget.querySelectorAll('form')].flatMap((form) => [...new FormData(form)])) }
  const html = await invoke({ ...call, widgetContext: { dashboardName: 'tributary-operate', widgetId: 'widget-1', theme: 'light', forms, params } })
  widget.replaceChildren(...cleaned(html).childNodes)
}

/** The page without what can run, load or be sent by itself. A hidden field and a list of proposals are removed too: nobody promises them. */
function cleaned(html) {
  const { body } = new DOMParser().parseFromString(html, 'text/html')
  for (const element of body.querySelectorAll('script, iframe, use, object, embed, link, meta, base, datalist, input[type=hidden]')) {
    removed.push(element.localName)
    element.remove()
  }
  for (const element of body.querySelectorAll('*')) {
    for (const { name, value } of [...element.attributes]) {
      if (!name.startsWith('on') && !/^\\s*javascript:/i.test(value) && !['action', 'method', 'formaction', 'srcdoc'].includes(name)) continue
      if (element.localName === 'cwdb-action' && name === 'action') continue
      removed.push(name)
      element.removeAttribute(name)
    }
  }
  return body
}

widget.addEventListener('submit', (event) => event.preventDefault())
widget.addEventListener('click', (event) => {
  const pressed = event.target.closest('button, a')
  const action = pressed?.nextElementSibling
  if (action?.localName !== 'cwdb-action' || action.getAttribute('action') !== 'call') return
  if (action.getAttribute('endpoint') !== own) throw new Error('another function is called: ' + action.getAttribute('endpoint'))
  void draw(JSON.parse(action.textContent))
})
`
