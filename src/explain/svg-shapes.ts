// The shapes of the picture as SVG text. The colours can be distinguished by the colour-blind, and every one
// is also explained in words.

import { visible } from '../base/visible.ts'

/** A point in the picture, in px from its top left corner. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** A rectangle in the picture, in px. */
export interface Area extends Point {
  readonly width: number
  readonly height: number
}

/** The colour of a shape; `ink` is the colour of legible text on `fill`. */
export interface Colour {
  readonly fill: string
  readonly ink: string
}

/** The colour of text and of emphasised frames. */
export const INK = '#222222'
/** The background of a cell. */
export const PALE = '#fafafa'
/** The colour of ordinary frames. */
export const FRAME = '#999999'

/** @see Okabe and Ito, Color Universal Design, 2008 */
const COLOURS: readonly Colour[] = [
  { fill: '#0072b2', ink: '#ffffff' },
  { fill: '#e69f00', ink: INK },
  { fill: '#009e73', ink: INK },
  { fill: '#cc79a7', ink: INK },
  { fill: '#56b4e9', ink: INK },
  { fill: '#d55e00', ink: INK },
  { fill: '#f0e442', ink: INK },
  { fill: '#555555', ink: '#ffffff' },
]

/** The colour of a cell; from the ninth cell on they repeat. */
export function colourOf(cell: number): Colour {
  return COLOURS[cell % COLOURS.length] as Colour
}

interface Paint {
  readonly fill: string
  readonly stroke?: string
  readonly wide?: boolean
}

/** A rectangle with rounded corners; without `stroke` it has no frame. */
export function box({ x, y, width, height }: Area, { fill, stroke, wide }: Paint): string {
  const line = stroke === undefined ? '' : ` stroke="${stroke}" stroke-width="${wide ? 3 : 1}"`
  return `<rect x="${x}" y="${y}" width="${round(width)}" height="${height}" rx="3" fill="${fill}"${line}/>`
}

/** A line of text; its baseline starts at the point, or has its middle there. */
export function label({ x, y }: Point, text: string, { ink = INK, middle = false } = {}): string {
  const anchor = middle ? ' text-anchor="middle"' : ''
  return `<text x="${round(x)}" y="${y}" fill="${ink}"${anchor}>${escaped(text)}</text>`
}

/** A line of bold text. */
export function title({ x, y }: Point, text: string): string {
  return `<text x="${x}" y="${y}" fill="${INK}" font-weight="bold">${escaped(text)}</text>`
}

/** Shapes with a text that a browser shows above them and a screen reader reads aloud. */
export function tooltip(text: string, shapes: readonly string[]): string {
  return `<g><title>${escaped(text)}</title>${shapes.join('')}</g>`
}

/** The whole picture with a white background and a final newline; `about` is its title. */
export function document(size: Omit<Area, 'x' | 'y'>, about: string, parts: readonly string[]): string {
  const { width, height } = size
  const dimensions = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`
  const font = 'font-family="sans-serif" font-size="12"'
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${dimensions} role="img" ${font}>`,
    `<title>${escaped(about)}</title>`,
    box({ x: 0, y: 0, width, height }, { fill: '#ffffff' }),
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

const round = (value: number): number => Math.round(value * 100) / 100

/** Writes out markup, and characters that XML forbids or that change how a browser shows the text. */
export function escaped(text: string): string {
  return visible(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
