// A range of time on a plot: <svg class="plot" data-from="..." data-to="..." data-href="..."> leads to that address with `start` and
// `end` of the range. `data-left` and `data-right` are where the times lie in the coordinates of the plot.
//
// With the mouse or a finger, drag. With the keyboard: arrow keys move, with shift they extend the range, Enter follows it.

import { announce } from './announce.js'

const steps = 60
const dragMinimum = 4

export function start(root) {
  for (const plot of root.querySelectorAll('svg.plot[data-href]')) new Brush(plot)
}

class Brush {
  constructor(plot) {
    this.plot = plot
    const view = plot.viewBox.baseVal
    this.left = Number(plot.dataset.left ?? view.x)
    this.right = Number(plot.dataset.right ?? view.x + view.width)
    this.from = time(plot.dataset.from)
    this.to = time(plot.dataset.to)
    this.rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
    this.rect.setAttribute('class', 'brush')
    this.rect.setAttribute('y', view.y)
    this.rect.setAttribute('height', view.height)
    plot.tabIndex = 0
    plot.addEventListener('pointerdown', (event) => this.press(event))
    plot.addEventListener('pointermove', (event) => this.drag(event))
    plot.addEventListener('pointerup', () => this.release())
    plot.addEventListener('pointercancel', () => this.clear())
    plot.addEventListener('click', (event) => this.suppress(event), true)
    plot.addEventListener('keydown', (event) => this.key(event))
  }

  // Returns the coordinate of a pointer in the plot.
  x(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.plot.getScreenCTM().inverse())
    return Math.min(Math.max(point.x, this.left), this.right)
  }

  press(event) {
    if (event.button !== 0) return
    this.anchor = this.x(event)
    this.head = this.anchor
    this.isDragged = false
  }

  drag(event) {
    if (this.anchor === undefined || event.buttons === 0) return
    this.head = this.x(event)
    if (!this.isDragged && Math.abs(this.head - this.anchor) < dragMinimum) return
    if (!this.isDragged) this.plot.setPointerCapture(event.pointerId)
    this.isDragged = true
    this.draw()
  }

  release() {
    if (this.isDragged) this.follow()
    else this.anchor = undefined
  }

  // A click at the end of a drag does not follow the link of a bar.
  suppress(event) {
    if (this.isDragged) event.preventDefault()
  }

  key(event) {
    const step = (this.right - this.left) / steps
    const move = { ArrowLeft: -step, ArrowRight: step, Home: this.left - this.right, End: this.right - this.left }[event.key]
    if (move !== undefined) {
      event.preventDefault()
      this.head = Math.min(Math.max((this.head ?? this.left) + move, this.left), this.right)
      if (!event.shiftKey || this.anchor === undefined) this.anchor = event.shiftKey ? this.head - move : this.head
      this.anchor = Math.min(Math.max(this.anchor, this.left), this.right)
      this.draw()
      const [start, end] = this.range()
      announce(start === end ? start : `${start} to ${end}`)
    } else if (event.key === 'Enter' && this.anchor !== undefined && this.anchor !== this.head) {
      event.preventDefault()
      this.follow()
    } else if (event.key === 'Escape') {
      this.clear()
    }
  }

  draw() {
    const [left, right] = [this.anchor, this.head].sort((one, other) => one - other)
    this.rect.setAttribute('x', left)
    this.rect.setAttribute('width', Math.max(right - left, 1))
    this.plot.append(this.rect)
  }

  clear() {
    this.anchor = undefined
    this.head = undefined
    this.isDragged = false
    this.rect.remove()
  }

  // Returns start and end of the range, in whole seconds.
  range() {
    const at = (x) => this.from + ((x - this.left) / (this.right - this.left)) * (this.to - this.from)
    const format = (milliseconds) => new Date(Math.round(milliseconds / 1000) * 1000).toISOString().replace('.000', '')
    return [this.anchor, this.head].sort((one, other) => one - other).map((x) => format(at(x)))
  }

  follow() {
    const url = new URL(this.plot.dataset.href, location.href)
    const [start, end] = this.range()
    url.searchParams.set('start', start)
    url.searchParams.set('end', end)
    location.assign(url)
  }
}

// Reads a time: milliseconds since 1970, or a date.
function time(text) {
  return /^\d+$/.test(text) ? Number(text) : Date.parse(text)
}
