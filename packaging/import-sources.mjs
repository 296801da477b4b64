// TypeScript of the programs for the scripts of packaging/, which Node cannot import as it is.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Everything that these files export. @param files from the root of the repository */
export async function importSources(...files) {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-sources-'))
  try {
    const outfile = join(folder, 'sources.mjs')
    const contents = files.map((file) => `export * from './${file}'`).join('\n')
    await build({
      stdin: { contents, resolveDir: root },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      loader: { '.service': 'text', '.sh': 'text' },
    })
    return await import(outfile)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
