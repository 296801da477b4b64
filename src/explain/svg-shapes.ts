// The shapes of the picture as SVG text. Colours are told apart by the colour-blind, and every one is also
// said in words.

import { visible } from '../base/visible.ts'

/** `ink` is legible on `fill`. */
export interface Colour {
  readonly fill: string
  readonly ink: string
}

export const INK = '#222222'
export const PALE = '#fafafa'

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

/** Of a cell; from the ninth on they return. */
export function colourOf(cell: number): Colour {
  return COLOURS[cell % COLOURS.length] as Colour
}

interface Paint {
  readonly fill: string
  readonly stroke?: string
  readonly wide?: boolean
}

export function box(
  x: number,
  y: number,
  width: number,
  height: number,
  { fill, stroke, wide }: Paint,
): string {
  const line = stroke === undefined ? '' : ` stroke="${stroke}" stroke-width="${wide ? 3 : 1}"`
  return `<rect x="${x}" y="${y}" width="${round(width)}" height="${height}" rx="3" fill="${fill}"${line}/>`
}

export function label(x: number, y: number, text: string, { ink = INK, middle = false } = {}): string {
  return `<text x="${round(x)}" y="${y}" fill="${ink}"${middle ? ' text-anchor="middle"' : ''}>${escaped(text)}</text>`
}

export function title(x: number, y: number, text: string): string {
  return `<text x="${x}" y="${y}" fill="${INK}" font-weight="bold">${escaped(text)}</text>`
}

/** What a browser shows over a shape, and a reader aloud. */
export function tooltip(text: string, shapes: readonly string[]): string {
  return `<g><title>${escaped(text)}</title>${shapes.join('')}</g>`
}

export function document(width: number, height: number, about: string, parts: readonly string[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="sans-serif" font-size="12">`
  return [
    head,
    `<title>${escaped(about)}</title>`,
    box(0, 0, width, height, { fill: '#ffffff' }),
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

const round = (value: number): number => Math.round(value * 100) / 100

/** Also characters that XML forbids, or that a browser would obey, are written out. */
function escaped(text: string): string {
  return visible(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
