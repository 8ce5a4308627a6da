import { describe, expect, it } from 'vitest'
import { browserCommand } from '../../cli/places/browser.ts'

describe('the browser', () => {
  it.each<[NodeJS.Platform, Record<string, string>, string | undefined]>([
    ['linux', { DISPLAY: ':0' }, 'xdg-open'],
    ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, 'xdg-open'],
    ['linux', {}, undefined],
    ['linux', { DISPLAY: '' }, undefined],
    ['linux', { DISPLAY: 'localhost:10.0', SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' }, undefined],
    ['darwin', {}, 'open'],
    ['darwin', { SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' }, undefined],
    ['win32', {}, 'rundll32'],
  ])('is opened where a person sees it: on %s with %j by %s', (platform, environment, program) => {
    expect(browserCommand(platform, environment)?.[0]).toBe(program)
  })
})
