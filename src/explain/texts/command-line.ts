// The command line itself, and how many findings are printed: the text of each code.

import type { CommandLineFacts } from '../../codes/command-line.ts'
import { meant, plural, short, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const commandLineTexts: Texts<CommandLineFacts> = {
  'usage-command': (f) =>
    text(
      f.given === undefined ? 'no command given' : `unknown command ${short(f.given)}`,
      `the commands are ${f.known.join(', ')}`,
      meant(f.close, 'virt-numa --help'),
    ),
  'usage-option': (f) =>
    text(
      `${f.command}: unknown option ${short(f.option)}`,
      `its options are ${f.known.join(', ')}`,
      meant(f.close, `virt-numa ${f.command} --help`),
    ),
  'usage-option-value': (f) =>
    f.takes === undefined
      ? text(`${f.option} takes no value, got ${short(f.given ?? '')}`, 'it is a switch', `write ${f.option}`)
      : text(
          f.given === undefined
            ? `${f.option} has no value`
            : `${f.option}: ${short(f.given)} is not a valid ${f.takes}`,
          `it takes ${f.takes}; one that begins with - is written behind =`,
          `write ${f.option}${f.option.startsWith('--') ? '=' : ' '}${f.takes}`,
        ),
  'usage-value': (f, messageOf) => messageOf(f.cause),
  'usage-missing': (f) =>
    text(`${f.command}: missing ${f.option}`, `${f.command} needs it`, `add ${f.option} ${f.takes}`),
  'usage-pid': (f) =>
    text(
      `${f.option}: ${short(f.given)} is not a process id`,
      'a process id is a whole number from 1 up',
      `write it like ${f.option} 4242`,
    ),
  'usage-repeated': (f) =>
    text(`${f.option} is given more than once`, 'which one counts would be a guess', `keep one ${f.option}`),
  'usage-inputs': (f) =>
    text(
      `${f.command} takes ${f.max === 0 ? 'no file' : `at most ${plural(f.max, 'file')}`}, got ${f.inputs.map((input) => short(input)).join(', ')}`,
      f.max === 0 ? 'it reads no domain' : 'one run fits one domain',
      f.max === 0 ? `virt-numa ${f.command}` : `virt-numa ${f.command} FILE`,
    ),
  'usage-conflict': (f) => text(`${f.one} does not go with ${f.other}`, f.why, f.fix),
  'more-found': (f) =>
    text(
      `${plural(f.count, 'more finding')}: ${f.codes}`,
      'only the first ones are listed',
      'fix those, and run it again',
    ),
}
