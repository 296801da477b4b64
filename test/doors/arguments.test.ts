// The command line: arguments to a Command, what is refused, and the help.

import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { parseArguments } from '../../src/cli/arguments.ts'
import { helpText } from '../../src/cli/help.ts'
import { isUsage } from '../../src/codes/codes.ts'
import { messageOf } from '../../src/explain/message.ts'
import type { Text } from '../../src/explain/texts/words.ts'
import { keyNames, keys } from '../../src/request/keys.ts'

const COMMANDS = [
  'transform',
  'plan',
  'check',
  'define',
  'watch',
  'verify',
  'ps',
  'snapshot',
  'install',
  'uninstall',
  'doctor',
  'explain',
  'onDefineDomain',
] as const
const FITTING = ['transform', 'plan', 'check', 'define'] as const

function refusals(...argv: string[]): readonly ({ readonly code: string } & Text)[] {
  try {
    parseArguments(argv)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return error.diagnostics.map((each) => ({ code: each.code, ...messageOf(each) }))
  }
  throw new Error(`not refused: ${argv.join(' ')}`)
}
const codes = (...argv: string[]): string[] => refusals(...argv).map(({ code }) => code)
const run = (line: string) => parseArguments(line.split(' '))

const plain = {
  name: 'transform',
  rebind: false,
  diff: false,
  inPlace: false,
  json: false,
  requested: {},
} as const

t.test('each command without options', async (t) => {
  t.same(run('transform'), plain)
  t.same(run('plan'), { name: 'plan', rebind: false, json: false, requested: {} })
  t.same(run('check'), { name: 'check', json: false, requested: {} })
  t.same(run('define'), {
    name: 'define',
    rebind: false,
    dryRun: false,
    nextStart: false,
    json: false,
    requested: {},
  })
  t.same(run('watch'), { name: 'watch', once: false })
  t.same(run('snapshot'), { name: 'snapshot', anonymous: false, requested: {} })
  t.same(run('install'), { name: 'install', reload: false, watchUnit: false, dryRun: false, json: false })
  t.same(run('uninstall'), { name: 'uninstall', dryRun: false, json: false })
  t.same(run('doctor'), { name: 'doctor', json: false })
  t.same(parseArguments(['onDefineDomain', '--vmi', '{"a": 1}', '--domain', '<domain/>']), {
    name: 'onDefineDomain',
    vmi: '{"a": 1}',
    domain: '<domain/>',
    requested: {},
  })
})

t.test('the options of each command', async (t) => {
  const common = '--host h.json --cgroup /sys/fs/cgroup/a --pid 4242 --vmi vmi.yaml --config c.conf --json'
  const placing = { host: 'h.json', cgroup: '/sys/fs/cgroup/a', pid: 4242, config: 'c.conf' }
  const reading = { ...placing, vmi: 'vmi.yaml', json: true, input: 'db1.xml', requested: { memory: 'even' } }
  t.same(run(`transform ${common} --rebind --memory even -o out.xml db1.xml`), {
    ...plain,
    ...reading,
    rebind: true,
    output: 'out.xml',
  })
  t.same(run('transform -i db1.xml'), { ...plain, inPlace: true, input: 'db1.xml' })
  t.same(run('transform --diff'), { ...plain, diff: true })
  t.same(run(`plan db1.xml ${common} --memory=even --rebind`), { name: 'plan', ...reading, rebind: true })
  t.same(run(`check ${common} db1.xml --memory even`), { name: 'check', ...reading })
  t.same(run('verify db1'), { name: 'verify', guest: 'db1', json: false })
  t.same(run('verify --pid 4242'), { name: 'verify', pid: 4242, json: false })
  t.same(run('verify --pid 4242 db1.xml --host dir --metrics db1.prom --json'), {
    name: 'verify',
    pid: 4242,
    input: 'db1.xml',
    host: 'dir',
    metrics: 'db1.prom',
    json: true,
  })
  t.same(codes('verify'), ['usage-missing'])
  t.same(run('verify --all --watch --interval 5'), { name: 'verify', all: true, everyMs: 5000, json: false })
  t.same(run('ps --watch'), { name: 'ps', everyMs: 2000, json: false })
  t.same(codes('verify', '--all', 'db1'), ['usage-conflict'])
  t.same(codes('verify', '--all', '--pid', '1'), ['usage-conflict'])
  t.same(codes('verify', 'db1', '--watch'), ['usage-conflict'])
  t.same(codes('ps', '--interval', '5'), ['usage-conflict'])
  t.same(codes('ps', '--watch', '--interval', '0'), ['usage-option-value'])
  t.same(codes('verify', 'a', 'b'), ['usage-inputs'])
  t.same(codes('verify', '--pid', 'x'), ['usage-pid'])
  t.same(codes('verify', 'db1', '--cpuset', '0'), ['usage-option'])
  t.same(run('snapshot --host h.json --cgroup /sys/fs/cgroup/a --pid 4242 --cpuset 2-3 --anonymous --json'), {
    name: 'snapshot',
    anonymous: true,
    host: 'h.json',
    cgroup: '/sys/fs/cgroup/a',
    pid: 4242,
    requested: { cpuset: [2, 3] },
  })
  const sites = { root: '/image', hooksDir: '/srv/hooks', json: true }
  t.same(run('install --root /image --hooks-dir=/srv/hooks --reload --json'), {
    name: 'install',
    ...sites,
    reload: true,
    watchUnit: false,
    dryRun: false,
  })
  t.same(run('uninstall --root=/image --hooks-dir /srv/hooks --dry-run --json'), {
    name: 'uninstall',
    ...sites,
    dryRun: true,
  })
  t.same(run('doctor --host captured --hooks-dir /srv/hooks --json'), {
    name: 'doctor',
    host: 'captured',
    hooksDir: '/srv/hooks',
    json: true,
  })
  t.same(
    run(
      `define ${common} --memory even --rebind --dry-run --next-start --connect qemu:///session ` +
        `--backup b db1.xml`,
    ),
    {
      name: 'define',
      ...reading,
      rebind: true,
      dryRun: true,
      nextStart: true,
      connect: 'qemu:///session',
      backup: 'b',
    },
  )
  t.same(run('define --guest db1'), {
    name: 'define',
    guest: 'db1',
    rebind: false,
    dryRun: false,
    nextStart: false,
    json: false,
    requested: {},
  })
  t.same(run('watch --once --connect qemu:///session --backup b --host h.json --config c.conf'), {
    name: 'watch',
    once: true,
    connect: 'qemu:///session',
    backup: 'b',
    host: 'h.json',
    config: 'c.conf',
  })
  t.same(
    run(
      'onDefineDomain --domain=<domain/> --host h.json --cgroup /sys/fs/cgroup/a --pid 4242 ' +
        '--config c.conf --vmi={} --pin cell',
    ),
    {
      name: 'onDefineDomain',
      ...placing,
      vmi: '{}',
      domain: '<domain/>',
      requested: { pin: 'cell' },
    },
  )
})

t.test('one flag per key, in both forms', async (t) => {
  for (const command of FITTING) {
    for (const key of keyNames) {
      for (const word of keys[key].words) {
        t.same(run(`${command} --${key} ${word}`), { ...run(command), requested: { [key]: word } })
        t.same(run(`${command} --${key}=${word}`), { ...run(command), requested: { [key]: word } })
      }
    }
    t.same(run(`${command} --cells 2 --pagesize 2M --emulator 0-1 --cpuset=2-5 db1.xml`), {
      ...run(command),
      input: 'db1.xml',
      requested: { cells: 2, pagesize: 2048, emulator: [0, 1], cpuset: [2, 3, 4, 5] },
    })
  }
})

t.test('inputs, - and --', async (t) => {
  t.match(run('transform -'), { input: '-' })
  t.match(run('transform -- --rebind'), { input: '--rebind', rebind: false })
  t.match(run('transform --rebind -- -'), { input: '-', rebind: true })
  t.notOk('input' in run('transform --'))
  t.match(run('plan a=b.xml'), { input: 'a=b.xml' })
  t.match(run('transform --host - db1.xml'), { host: '-', input: 'db1.xml' }, 'a lone - is a value')
  t.match(run('transform --host=-x db1.xml'), { host: '-x', input: 'db1.xml' })
  t.match(run('transform -o=-x db1.xml'), { output: '-x', input: 'db1.xml' })
  t.match(run('transform --config=a=b'), { config: 'a=b' }, 'only the first = separates')
  t.match(parseArguments(['onDefineDomain', '--vmi=\n{}', '--domain', '\n<domain/>\n']), {
    vmi: '\n{}',
    domain: '\n<domain/>\n',
  })
  t.notOk('output' in run('transform -o -'), '-o - is stdout, as without it')
})

t.test('help and version', async (t) => {
  t.same(run('help'), { name: 'help' })
  t.same(run('help plan'), { name: 'help', of: 'plan' })
  for (const word of ['-h', '--help']) {
    t.same(run(word), { name: 'help' })
    t.same(run(`${word} plan`), { name: 'help', of: 'plan' })
    t.same(run(`${word} nonsense`), { name: 'help' })
    for (const of of COMMANDS) {
      t.same(run(`${of} ${word}`), { name: 'help', of })
      t.same(
        run(`${of} --nonsense --pid x a b ${word}`),
        { name: 'help', of },
        'whatever other arguments there are',
      )
    }
    t.same(
      run(`transform -o ${word}`),
      { name: 'help', of: 'transform' },
      'an option is not taken as a value',
    )
    t.match(run(`transform -- ${word}`), { name: 'transform', input: word }, 'after -- it is a file')
    t.same(run(`transform -V ${word}`), { name: 'help', of: 'transform' })
  }
  t.same(run('help help'), { name: 'help' })
  t.same(run('help version'), { name: 'help' })
  t.match(refusals('help', 'paln'), [{ code: 'usage-command', what: 'unknown command "paln"' }])
  t.same(run('version'), { name: 'version' })
  for (const word of ['-V', '--version']) {
    t.same(run(word), { name: 'version' })
    for (const command of COMMANDS) t.same(run(`${command} --nonsense ${word}`), { name: 'version' })
  }
})

t.test('the code to explain', async (t) => {
  t.same(run('explain'), { name: 'explain', json: false })
  t.same(run('explain pages-short --json'), { name: 'explain', code: 'pages-short', json: true })
  for (const word of [
    'error[pages-short]',
    'note[pages-short]',
    '[pages-short]',
    'error[pages-short]: node 1',
  ])
    t.match(parseArguments(['explain', word]), { code: 'pages-short' }, word)
  t.same(codes('explain', 'a', 'b'), ['usage-inputs'])
})

t.test('commands that are refused', async (t) => {
  t.same(refusals(), [
    {
      code: 'usage-command',
      what: 'no command given',
      fix: "run 'virt-numa --help' for details",
    },
  ])
  t.match(refusals('transfrom', 'db1.xml'), [
    {
      code: 'usage-command',
      what: 'unknown command "transfrom"',
      fix: "did you mean transform? Run 'virt-numa --help' for details",
    },
  ])
  t.match(refusals('Plan'), [
    { code: 'usage-command', fix: "did you mean plan? Run 'virt-numa --help' for details" },
  ])
  for (const word of [
    '',
    '-',
    '--',
    '--json',
    'db1.xml',
    '__proto__',
    'constructor',
    'toString',
    'server-',
  ]) {
    t.same(codes(word), ['usage-command'], JSON.stringify(word))
  }
  t.same(codes('nonsense', '--help'), ['usage-command'])
})

t.test('options that are refused', async (t) => {
  const close: [argv: string, what: string, fix: string][] = [
    [
      'transform --memroy even',
      'transform: unknown option "--memroy"',
      "did you mean --memory? Run 'virt-numa transform --help' for details",
    ],
    [
      'transform --jsn=1',
      'transform: unknown option "--jsn"',
      "did you mean --json? Run 'virt-numa transform --help' for details",
    ],
    [
      'transform -host h',
      'transform: unknown option "-host"',
      "did you mean --host? Run 'virt-numa transform --help' for details",
    ],
    [
      'transform -oFILE',
      'transform: unknown option "-oFILE"',
      "did you mean -o? Run 'virt-numa transform --help' for details",
    ],
    ['transform -x', 'transform: unknown option "-x"', "run 'virt-numa transform --help' for details"],
    [
      'transform --output f',
      'transform: unknown option "--output"',
      "run 'virt-numa transform --help' for details",
    ],
    [
      'transform --svg f',
      'transform: unknown option "--svg"',
      "run 'virt-numa transform --help' for details",
    ],
    ['plan --diff', 'plan: unknown option "--diff"', "run 'virt-numa plan --help' for details"],
    ['plan -i', 'plan: unknown option "-i"', "run 'virt-numa plan --help' for details"],
    ['check --rebind', 'check: unknown option "--rebind"', "run 'virt-numa check --help' for details"],
    [
      'snapshot --memory even',
      'snapshot: unknown option "--memory"',
      "run 'virt-numa snapshot --help' for details",
    ],
    ['snapshot --vmi v', 'snapshot: unknown option "--vmi"', "run 'virt-numa snapshot --help' for details"],
    ['plan --__proto__', 'plan: unknown option "--__proto__"', "run 'virt-numa plan --help' for details"],
    [
      'plan --constructor=1',
      'plan: unknown option "--constructor"',
      "run 'virt-numa plan --help' for details",
    ],
  ]
  for (const [argv, what, fix] of close) {
    t.match(refusals(...argv.split(' ')), [{ code: 'usage-option', what, fix }], argv)
    t.equal(refusals(...argv.split(' ')).length, 1, `${argv}: reported once`)
  }
  t.equal(refusals('snapshot', '-x')[0]?.why, undefined)
})

t.test('values that are refused', async (t) => {
  t.same(refusals('transform', '--json=true'), [
    {
      code: 'usage-option-value',
      what: '--json takes no value, got "true"',
      fix: 'use --json alone',
    },
  ])
  t.match(refusals('transform', '-i=', 'db1.xml'), [
    { code: 'usage-option-value', what: '-i takes no value, got ""' },
  ])
  t.match(refusals('transform', '--host'), [
    { code: 'usage-option-value', what: '--host needs a value', fix: 'use --host=FILE|DIR' },
  ])
  t.match(refusals('transform', '--host='), [
    { code: 'usage-option-value', what: '--host: "" is not a valid FILE|DIR' },
  ])
  t.match(refusals('transform', '-o', ''), [
    { code: 'usage-option-value', what: '-o: "" is not a valid FILE', fix: 'use -o FILE' },
  ])
  t.match(refusals('transform', '-o', '--json'), [{ code: 'usage-option-value', what: '-o needs a value' }])
  t.match(refusals('transform', '--memory', '--', 'db1.xml'), [
    { code: 'usage-option-value', fix: 'use --memory=by-vcpu|even|by-free-pages' },
  ])
  t.same(
    codes('onDefineDomain', '--vmi', '', '--domain', '<domain/>'),
    ['usage-option-value'],
    'an empty value is not also missing',
  )

  for (const pid of ['0', '000', '-5', '1.5', '0x10', 'self', '1e3', ' 7', '99999999999']) {
    t.match(
      refusals('check', `--pid=${pid}`),
      [{ code: 'usage-pid', what: `--pid: ${JSON.stringify(pid)} is not a process ID` }],
      pid,
    )
  }
  t.same(codes('check', '--pid', '-5'), ['usage-option-value', 'usage-option'])
  t.same(codes('check', '--pid='), ['usage-option-value'])
  t.match(run('check --pid 007'), { pid: 7 })

  t.same(refusals('plan', '--memory', 'evne'), [
    {
      code: 'usage-value',
      what: 'invalid value "evne" for --memory',
      why: 'expected by-vcpu, even or by-free-pages',
      fix: 'did you mean even?',
    },
  ])
  for (const key of keyNames) {
    t.same(codes('plan', `--${key}=`), ['usage-value'], `--${key}=`)
    t.same(codes('plan', `--${key}=^nonsense`), ['usage-value'], `--${key}=^nonsense`)
    t.same(codes('plan', `--${key}`), ['usage-option-value'], `--${key}`)
  }
})

t.test('options that are given twice', async (t) => {
  for (const argv of [
    '--json --json',
    '--host a --host a',
    '--memory even --memory=even',
    '--pid 1 --pid 2',
  ]) {
    const [option] = argv.split(' ')
    t.match(refusals('check', ...argv.split(' ')), [
      { code: 'usage-repeated', what: `${option} is given more than once` },
    ])
  }
  t.same(codes('transform', '-o', 'a', '-o', 'b', '-o', 'c'), ['usage-repeated', 'usage-repeated'])
})

t.test('inputs that are refused', async (t) => {
  for (const command of FITTING) {
    t.match(refusals(command, 'a.xml', '--json', 'b.xml'), [
      {
        code: 'usage-inputs',
        what: `${command} takes at most 1 file, got "a.xml", "b.xml"`,
        fix: `virt-numa ${command} FILE`,
      },
    ])
    t.same(codes(command, '-', '-'), ['usage-inputs'])
    t.same(codes(command, '--', 'a.xml', '--json'), ['usage-inputs'])
  }
  t.match(refusals('snapshot', 'a.xml'), [
    { code: 'usage-inputs', what: 'snapshot takes no file, got "a.xml"' },
  ])
  t.same(codes('onDefineDomain', '--vmi', '{}', '--domain', '<domain/>', 'a.xml'), ['usage-inputs'])
})

t.test('what onDefineDomain needs', async (t) => {
  t.match(refusals('onDefineDomain'), [
    { code: 'usage-missing', what: 'onDefineDomain: missing --vmi', fix: 'add --vmi JSON' },
    { code: 'usage-missing', what: 'onDefineDomain: missing --domain', fix: 'add --domain XML' },
  ])
  t.match(refusals('onDefineDomain', '--vmi', '{}'), [
    { code: 'usage-missing', what: 'onDefineDomain: missing --domain' },
  ])
})

t.test('options that do not go together', async (t) => {
  const conflicts: [argv: string, what: string[]][] = [
    ['-i -o out.xml db1.xml', ['-i cannot be combined with -o']],
    ['-i', ['-i cannot be combined with standard input']],
    ['-i -', ['-i cannot be combined with standard input']],
    ['--diff -o out.xml db1.xml', ['--diff cannot be combined with -o']],
    ['--diff -i db1.xml', ['--diff cannot be combined with -i']],
    [
      '--diff -o - -i',
      [
        '-i cannot be combined with -o',
        '-i cannot be combined with standard input',
        '--diff cannot be combined with -o',
        '--diff cannot be combined with -i',
      ],
    ],
  ]
  for (const [argv, what] of conflicts) {
    const found = refusals('transform', ...argv.split(' '))
    t.same(
      found.map((each) => [each.code, each.what]),
      what.map((each) => ['usage-conflict', each]),
      argv,
    )
  }
})

t.test('a guest of libvirt or a document', async (t) => {
  for (const input of ['db1.xml', '-']) {
    t.match(refusals('define', '--guest', 'db1', input), [
      {
        code: 'usage-conflict',
        what: `--guest cannot be combined with ${input === '-' ? 'standard input' : input}`,
      },
    ])
  }
  for (const command of ['plan', 'check', 'transform', 'define'])
    t.same(codes(command, '--guest', 'db1', 'db1.xml'), ['usage-conflict'], command)
  for (const command of ['plan', 'check', 'transform']) {
    t.match(
      refusals(command, '--connect', 'qemu:///system', 'db1.xml'),
      [{ code: 'usage-conflict', what: '--connect cannot be combined with a document' }],
      command,
    )
  }
  t.match(refusals('transform', '--guest', 'db1', '-i'), [
    { code: 'usage-conflict', what: '-i cannot be combined with --guest' },
  ])
  t.match(parseArguments(['check', '--guest', 'db1', '--connect', 'test:///default']), {
    guest: 'db1',
    connect: 'test:///default',
  })
  t.same(codes('watch', 'db1.xml'), ['usage-inputs'])
  t.same(codes('watch', '--memory', 'even'), ['usage-option'])
})

t.test('all mistakes at once, all of them usage errors', async (t) => {
  const found = refusals(
    'transform',
    '--bogus',
    '--pid',
    '0',
    '--json',
    '--json=1',
    '--memory',
    'x',
    '--cells=0',
    '-i',
    '--vmi',
  )
  t.same(
    found.map(({ code }) => code),
    [
      'usage-option',
      'usage-pid',
      'usage-repeated',
      'usage-option-value',
      'usage-option-value',
      'usage-value',
      'usage-value',
      'usage-conflict',
    ],
  )
  t.ok(found.every(({ code }) => isUsage(code)))
  t.same(codes('transform', 'a', 'b', '--cells=0'), ['usage-inputs', 'usage-value'])
  t.ok(refusals().every(({ code }) => isUsage(code)))
  t.ok(refusals('onDefineDomain', 'x').every(({ code }) => isUsage(code)))
})

t.test('the argument list is not changed', async (t) => {
  const argv = Object.freeze(['transform', '--memory', 'even', '--', 'db1.xml'])
  t.same(parseArguments(argv), parseArguments(argv))
})

t.test('help', async (t) => {
  const program = helpText()
  for (const command of [...COMMANDS, 'help', 'version'])
    t.match(program, new RegExp(`^  ${command} +\\S`, 'm'))
  t.equal(helpText('nonsense'), program)
  t.equal(helpText('__proto__'), program)
  t.match(program, /^virt-numa COMMAND \[OPTIONS\] \[DOMAIN\.XML\|-\]\n/)

  for (const command of [undefined, ...COMMANDS]) {
    const lines = helpText(command).split('\n')
    t.same(
      lines.filter((line) => line.length > 80),
      [],
      `${command}: 80 columns`,
    )
    t.same(
      lines.filter((line) => /\s$/.test(line)),
      [],
      `${command}: nothing trails`,
    )
    t.equal(lines.at(-1), '', `${command}: a newline at the end`)
    t.match(lines.join('\n'), /^ {2}-h, --help +show this help$/m)
    t.match(lines.join('\n'), /^ {2}-V, --version +show the version$/m)
  }

  for (const command of COMMANDS) {
    const help = helpText(command)
    t.match(help, new RegExp(`^virt-numa ${command} \\[OPTIONS\\]`))
    for (const status of ['0', '1', '2', '70']) t.match(help, new RegExp(`^  ${status} +\\S`, 'm'))
    t.match(help, new RegExp(`\nExamples:\n(  .*virt-numa ${command}.*\n)+$`))
    // The parser knows each option that the help lists.
    for (const [, flag = ''] of help.matchAll(/^ {2}(--?[a-zA-Z-]+)/gm)) {
      const found = flag === '-h' || flag === '-V' ? [] : codes(command, `${flag}=`, `${flag}=`)
      t.notOk(found.includes('usage-option'), `${command} ${flag}`)
    }
  }
  const transform = helpText('transform')
  for (const key of keyNames) {
    const { words, about } = keys[key]
    t.match(transform, new RegExp(`^  --${key} .*${words.join(', ')}`, 'm'))
    t.ok(transform.replace(/\s+/g, ' ').includes(about), `${key}: its purpose`)
  }
  t.match(transform, /^ {2}--cells +per-node, NUMBER$/m)
  t.match(transform, /^ {2}--pagesize +\(the domain's\), none, SIZE$/m)
  t.match(transform, /^ {2}--cpuset +\(the cgroup's\), CPUSET$/m)
  t.equal(transform.split('Examples:\n')[1]?.trimEnd().split('\n').length, 2)
  t.notMatch(helpText('snapshot'), /--memory|DOMAIN\.XML/)
  for (const example of transform.matchAll(/^ {2}virt-numa (.*)$/gm))
    t.match(run(example[1] ?? ''), { name: 'transform' })
})
