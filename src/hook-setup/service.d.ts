declare module '*.service' {
  /** The file as it is. */
  const text: string
  // biome-ignore lint/style/noDefaultExport: the bundler gives a text this way
  export default text
}
