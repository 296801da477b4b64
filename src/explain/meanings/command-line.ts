// The command line itself, and how many findings are printed: the meaning of each code.

import type { CommandLineFacts } from '../../codes/command-line.ts'
import { type Meanings, meaning } from '../code/meaning.ts'

/** The meaning of each code. */
export const commandLineMeanings: Meanings<CommandLineFacts> = {
  'usage-command': meaning(
    'no command, or an unknown one',
    'The first word after virt-numa is the command. Options belong behind it; only --help and ' +
      '--version can stand alone.',
    'Run virt-numa --help for the list of commands.',
  ),
  'usage-option': meaning(
    'the command does not have this option',
    'Options differ between commands. An option that another command has is not silently ignored, ' +
      'because the result would not be the one that was asked for.',
    'Run virt-numa COMMAND --help for the options of the command.',
  ),
  'usage-option-value': meaning(
    'an option lacks its value, or takes none',
    'An option with a value is written as --option VALUE or --option=VALUE. A word that begins with - ' +
      'counts as the next option, so such a value needs the form with =. A switch takes no value.',
    'Write the value behind the option, or drop it from a switch.',
  ),
  'usage-value': meaning(
    'the value of a placement option is not valid',
    'Each placement option has a fixed list of words, or takes a number, a size or a set of CPUs. The ' +
      'text names what the value should be; the same value would be refused in the configuration and in ' +
      'metadata.',
    'Write one of the values that the message lists.',
  ),
  'usage-missing': meaning(
    'an option that the command needs is missing',
    'The command cannot guess this value, and there is no default for it.',
    'Add the option that the message names.',
  ),
  'usage-no-document': meaning(
    'the only file named is the one to write',
    'An option such as --svg takes the file that is written. With the domain directly behind it, the ' +
      'domain would be overwritten, and nothing would be left to read.',
    'Name a file for the picture first, then the domain; or use - to read the domain from standard input.',
  ),
  'usage-pid': meaning(
    'the value is not a process ID',
    'A process ID is a whole number greater than 0, as ps and pgrep print it.',
    'Use a number. pgrep -a qemu lists the QEMU processes with theirs.',
  ),
  'usage-mode': meaning(
    'the value is not a file mode',
    'The mode of the socket is written in octal, as chmod takes it: one digit each for owner, group ' +
      'and others.',
    'Use a mode such as 660.',
  ),
  'usage-repeated': meaning(
    'an option is given more than once',
    'Only one of the two values could be used, and programs differ in which one they take.',
    'Keep one of them.',
  ),
  'usage-inputs': meaning(
    'too many files are named',
    'The command reads one document at most. A word that follows a switch is read as a file too.',
    'Name one file, and run the command once for each guest.',
  ),
  'usage-conflict': meaning(
    'two things on the command line exclude each other',
    'The two ask for different results, for example -i, which replaces the input, and -o, which ' +
      'writes another file.',
    'Keep the one that is meant.',
  ),
  'usage-code': meaning(
    'there is no diagnostic code of this name',
    'Codes are the words in brackets: pages-short in error[pages-short]. What a code means never ' +
      'changes, and a code of another version may not exist in this one.',
    'Run virt-numa explain for the list of all codes.',
  ),
  'more-found': meaning(
    'only the first findings are printed',
    'A document with hundreds of mistakes would hide the first ones. The note counts the others and ' +
      'names their codes.',
    'Fix what is listed, then run the command again.',
  ),
}
