// Files that are bundled as text.

declare module '*.txt' {
  /** The file as it is. */
  const text: string
  // biome-ignore lint/style/noDefaultExport: the bundler gives a text this way
  export default text
}
