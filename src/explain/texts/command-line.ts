// The command line itself, and how many findings are printed: the text of each code.

import { shellWord } from '../../base/visible.ts'
import type { CommandLineFacts, UsageConflict } from '../../codes/command-line.ts'
import { plural, short, type Texts, text } from './words.ts'

const DIFF_PRINTS = '--diff prints what would change and writes no document'

/** What, why and fix of each code. */
export const commandLineTexts: Texts<CommandLineFacts> = {
  'usage-command': (f) =>
    text(
      f.given === undefined ? 'no command given' : `unknown command ${short(f.given)}`,
      undefined,
      nearestThenHelp(f.close, 'virt-numa --help'),
    ),
  'usage-option': (f) =>
    text(
      `${f.command}: unknown option ${short(f.option)}`,
      undefined,
      nearestThenHelp(f.close, `virt-numa ${f.command} --help`),
    ),
  'usage-option-value': (f) =>
    f.takes === undefined
      ? text(`${f.option} takes no value, got ${short(f.given ?? '')}`, undefined, `use ${f.option} alone`)
      : text(
          f.given === undefined
            ? `${f.option} needs a value`
            : `${f.option}: ${short(f.given)} is not a valid ${f.takes}`,
          `a value that begins with - is given as ${f.option}=VALUE`,
          `use ${f.option}${f.option.startsWith('--') ? '=' : ' '}${f.takes}`,
        ),
  'usage-value': (f, { messageOf }) => messageOf(f.cause),
  'usage-missing': (f) => text(`${f.command}: missing ${f.option}`, undefined, `add ${f.option} ${f.takes}`),
  'usage-no-document': (f) =>
    text(
      `${f.command}: missing DOMAIN.XML: ${f.option} takes ${short(f.file)} as the file to write`,
      `${f.option} needs a file of its own, which the picture is written to`,
      `virt-numa ${f.command} ${f.option} ${shellWord(f.file.replace(/\.xml$/i, f.extension))} ` +
        `${shellWord(f.file)}; use - to read standard input`,
    ),
  'usage-pid': (f) =>
    text(
      `${f.option}: ${short(f.given)} is not a process ID`,
      'a process ID is a whole number greater than 0',
      `use a number, such as ${f.option} 4242`,
    ),
  'usage-mode': (f) =>
    text(
      `${f.option}: ${short(f.given)} is not a file mode`,
      'a mode is written in octal, as chmod takes it: owner, group and others',
      `use ${f.option} 660`,
    ),
  'usage-repeated': (f) => text(`${f.option} is given more than once`, undefined, `keep one ${f.option}`),
  'usage-inputs': (f) =>
    text(
      `${f.command} takes ${f.max === 0 ? 'no file' : `at most ${plural(f.max, 'file')}`}, got ` +
        `${f.inputs.map((input) => short(input)).join(', ')}`,
      undefined,
      f.max === 0 ? `virt-numa ${f.command}` : `virt-numa ${f.command} FILE`,
    ),
  'usage-conflict': (f) => {
    const [one, other, why, fix] = conflicts[f.between]
    return text(`${one} cannot be combined with ${namedIn(f) ?? other}`, why, fix)
  },
  'usage-code': (f) =>
    text(
      `unknown code ${short(f.code)}`,
      undefined,
      f.close === undefined
        ? "run 'virt-numa explain' for all codes"
        : `did you mean ${f.close}? Run 'virt-numa explain' for all codes`,
    ),
  'more-found': (f) =>
    text(
      `${plural(f.count, 'more finding')}: ${f.codes}`,
      'only the first findings are listed',
      'fix those, then run it again',
    ),
}

/** What the other of the two is called where the command line names it. */
function namedIn(f: UsageConflict): string | undefined {
  if (f.between === 'compare-and-key') return `--${f.key}`
  return f.between === 'guest-and-document' && f.input !== '-' ? f.input : undefined
}

const ALL_MEANS = '--all verifies every running guest'

/** The two that exclude each other, the rule behind that, and the fix. */
const conflicts: Readonly<
  Record<UsageConflict['between'], readonly [one: string, other: string, why: string, fix: string]>
> = {
  'in-place-and-output': ['-i', '-o', '-i replaces the input file', 'keep one of them'],
  'in-place-and-stdin': [
    '-i',
    'standard input',
    'there is no file to replace',
    'virt-numa transform -i FILE',
  ],
  'in-place-and-guest': [
    '-i',
    '--guest',
    'there is no file to replace',
    'virt-numa define --guest NAME replaces the definition of a guest',
  ],
  'diff-and-output': ['--diff', '-o', DIFF_PRINTS, 'virt-numa transform --diff FILE > FILE.diff'],
  'diff-and-in-place': ['--diff', '-i', DIFF_PRINTS, 'run it with --diff first, then with -i'],
  'guest-and-document': [
    '--guest',
    'standard input',
    'the domain is read either from libvirt or from a document',
    'keep one of them',
  ],
  'connect-and-document': [
    '--connect',
    'a document',
    'libvirt is asked only for the guest that --guest names',
    'add --guest NAME, or leave --connect out',
  ],
  'compare-and-svg': [
    '--compare',
    '--svg',
    'a picture shows one placement, and a comparison has several',
    'draw one of them: virt-numa plan --svg FILE with the value as an option',
  ],
  'compare-and-key': [
    '--compare',
    'the option that is compared',
    'its values are those of the comparison',
    'keep one of them',
  ],
  'all-and-guest': ['--all', 'a guest', ALL_MEANS, 'keep one of them'],
  'all-and-pid': ['--all', '--pid', ALL_MEANS, 'keep one of them'],
  'watch-and-one': [
    '--watch',
    'one guest',
    'only the table of all guests is printed again and again',
    'add --all instead of the guest, or leave --watch out',
  ],
  'interval-and-once': ['--interval', 'a single look', 'it is the time between two looks', 'add --watch'],
}

const nearestThenHelp = (close: string | undefined, help: string): string =>
  close === undefined ? `run '${help}' for details` : `did you mean ${close}? Run '${help}' for details`
