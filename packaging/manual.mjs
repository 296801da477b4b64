// Writes the manual pages to dist/, from the tables of the command (src/cli/manual/). Same sources, same
// bytes.
//
//   node packaging/manual.mjs

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Bundles the program that writes them, and runs it. */
export async function buildManual() {
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-manual-'))
  try {
    const outfile = join(folder, 'write.cjs')
    await build({
      absWorkingDir: root,
      entryPoints: ['src/cli/manual/write.ts'],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      preserveSymlinks: true,
      external: ['./*.cjs'],
      loader: { '.service': 'text', '.sh': 'text', '.txt': 'text', '.yaml': 'text' },
      define: { VERSION: JSON.stringify(version) },
      logLevel: 'warning',
    })
    execFileSync(process.execPath, [outfile, join(root, 'dist')], { stdio: 'inherit' })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildManual()
