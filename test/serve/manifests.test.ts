// What `serve --print-manifests` prints, against the fields that KubeVirt's types (kubevirt.io/api, plugin
// v1alpha1) and Kubernetes' have, and against what the server itself does.

import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { parseArguments } from '../../src/cli/arguments.ts'
import { shell } from '../seed.ts'

type Value = { readonly [key: string]: Value }

/** Fields by path; a path that ends in a dot may hold any keys. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Plugin: [
    'spec.condition',
    'spec.failureStrategy',
    'spec.mutatingAdmissionPolicies.name',
    'spec.domainHooks.sidecar.socketPath',
    'spec.domainHooks.condition',
    'spec.domainHooks.failureStrategy',
    'spec.domainHooks.timeout',
    // @see KubeVirt 1.10, launcher hooks; their types were not public when this was written
    'spec.launcherHooks.sidecar.socketPath',
    'spec.launcherHooks.sidecar.permittedHooks',
    'spec.launcherHooks.condition',
    'spec.launcherHooks.timeout',
    ...['socket', 'permittedHooks', 'condition', 'failureStrategy', 'timeout'].map(
      (field) => `spec.nodeHooks.${field}`,
    ),
  ],
  MutatingAdmissionPolicy: [
    ...['apiGroups', 'apiVersions', 'operations', 'resources'].map(
      (field) => `spec.matchConstraints.resourceRules.${field}`,
    ),
    'spec.matchConditions.name',
    'spec.matchConditions.expression',
    'spec.failurePolicy',
    'spec.reinvocationPolicy',
    'spec.mutations.patchType',
    'spec.mutations.jsonPatch.expression',
  ],
  MutatingAdmissionPolicyBinding: ['spec.policyName'],
  Namespace: ['metadata.labels.'],
  ServiceAccount: ['metadata.namespace', 'automountServiceAccountToken'],
  DaemonSet: [
    'metadata.namespace',
    'spec.selector.matchLabels.',
    'spec.updateStrategy.rollingUpdate.maxUnavailable',
    'spec.template.metadata.labels.',
    ...[
      'serviceAccountName',
      'automountServiceAccountToken',
      'enableServiceLinks',
      'nodeSelector.',
      'tolerations.operator',
      'priorityClassName',
      'containers.name',
      'containers.image',
      'containers.args',
      'containers.readinessProbe.periodSeconds',
      'containers.readinessProbe.exec.command',
      'containers.resources.requests.',
      'containers.resources.limits.',
      'containers.securityContext.runAsUser',
      'containers.securityContext.runAsGroup',
      'containers.securityContext.allowPrivilegeEscalation',
      'containers.securityContext.readOnlyRootFilesystem',
      'containers.securityContext.capabilities.drop',
      'containers.securityContext.capabilities.add',
      'containers.securityContext.seccompProfile.type',
      'containers.securityContext.seLinuxOptions.type',
      'containers.volumeMounts.name',
      'containers.volumeMounts.mountPath',
      'containers.volumeMounts.readOnly',
      'volumes.name',
      'volumes.hostPath.path',
      'volumes.hostPath.type',
    ].map((field) => `spec.template.spec.${field}`),
  ],
  // @see openshift/api, security/v1
  SecurityContextConstraints: [
    'allowHostDirVolumePlugin',
    'allowHostIPC',
    'allowHostNetwork',
    'allowHostPID',
    'allowHostPorts',
    'allowPrivilegeEscalation',
    'allowPrivilegedContainer',
    'allowedCapabilities',
    'defaultAddCapabilities',
    'requiredDropCapabilities',
    'readOnlyRootFilesystem',
    'runAsUser.type',
    'seLinuxContext.type',
    'fsGroup.type',
    'supplementalGroups.type',
    'seccompProfiles',
    'volumes',
    'users',
    'groups',
  ],
  VirtualMachine: [
    'spec.runStrategy',
    'spec.template.metadata.annotations.',
    'spec.template.spec.domain.cpu.cores',
    'spec.template.spec.domain.cpu.dedicatedCpuPlacement',
    'spec.template.spec.domain.cpu.numa.guestMappingPassthrough',
    'spec.template.spec.domain.memory.guest',
    'spec.template.spec.domain.memory.hugepages.pageSize',
    'spec.template.spec.domain.devices',
  ],
}

/** The paths of all values that hold no others. */
function pathsIn(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => pathsIn(each, path))
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return [path]
  return Object.entries(value).flatMap(([key, each]) => pathsIn(each, path === '' ? key : `${path}.${key}`))
}

function printed(which: string): readonly Value[] {
  const { status, stdout } = shell(`$N serve --print-manifests ${which}`, '.')
  t.equal(status, 0, which)
  return parseAllDocuments(stdout).map((document) => document.toJS() as Value)
}

const documents = {
  '1.9': printed('1.9'),
  '1.10': printed('1.10'),
  sidecar: printed('sidecar'),
  openshift: printed('openshift'),
}

/** The document of a kind; of two the last. */
const ofKind = (which: keyof typeof documents, kind: string): Value | undefined =>
  documents[which].filter((each) => String(each.kind) === kind).at(-1)

t.test('every field is one of the types', (t) => {
  for (const each of Object.values(documents).flat()) {
    const kind = String(each.kind)
    const known = ['apiVersion', 'kind', 'metadata.name', ...(FIELDS[kind] ?? [])]
    const unknown = pathsIn(each).filter(
      (path) => !known.some((field) => path === field || (field.endsWith('.') && path.startsWith(field))),
    )
    t.same(unknown, [], kind)
  }
  t.same(
    documents['1.9'].map(({ kind }) => String(kind)),
    [
      'Plugin',
      'MutatingAdmissionPolicy',
      'MutatingAdmissionPolicyBinding',
      'Plugin',
      'Namespace',
      'ServiceAccount',
      'DaemonSet',
    ],
  )
  t.end()
})

t.test('a plugin names the socket, the policy and the hook that its version has', (t) => {
  for (const [version, list] of [
    ['1.9', 'domainHooks'],
    ['1.10', 'launcherHooks'],
  ] as const) {
    const [plugin, policy, binding] = documents[version]
    const hooks = plugin?.spec?.[list] as unknown as readonly Value[]
    t.equal(hooks.length, 1)
    const path = String(hooks[0]?.sidecar?.socketPath)
    t.match(path, new RegExp(`^/var/run/kubevirt-plugin/${plugin?.metadata?.name}/[^/]+\\.sock$`))
    t.ok(path.length <= 107)
    const name = String(policy?.metadata?.name)
    t.match(plugin?.spec?.mutatingAdmissionPolicies, [{ name }])
    t.equal(String(binding?.spec?.policyName), name)
    const { stdout } = shell('$N serve --help', '.')
    t.match(stdout.replace(/\s+/g, ' '), path, 'the default of the command')
  }
  t.end()
})

t.test('the container keeps the class Guaranteed, has no rights, and mounts only its own folder', (t) => {
  const [, policy] = documents['1.9']
  const mutations = policy?.spec?.mutations as unknown as readonly Value[]
  const expression = String(mutations[0]?.jsonPatch?.expression)
  const amounts = (which: string): string | undefined =>
    new RegExp(`${which}: (\\{[^}]*\\})`).exec(expression)?.[1]
  t.match(amounts('requests'), '"cpu": "100m", "memory": "128Mi"')
  t.equal(amounts('requests'), amounts('limits'))
  t.match(expression, 'restartPolicy: "Always"')
  t.match(expression, 'drop: ["ALL"]')
  t.match(expression, 'subPath: "virt-numa"')
  const args = JSON.parse(/args: (\[[^\]]*\])/.exec(expression)?.[1] ?? '[]')
  t.match(parseArguments(args), { name: 'serve', socket: '/var/run/kubevirt-plugin/virt-numa/domain.sock' })
  const balance = (open: string, close: string): number =>
    expression.split(open).length - expression.split(close).length
  t.same([balance('{', '}'), balance('[', ']'), balance('(', ')')], [0, 0, 0])
  t.end()
})

t.test('a sidecar listens where virt-launcher looks', (t) => {
  const [machine] = documents.sidecar
  const annotations = machine?.spec?.template?.metadata?.annotations
  const [hook] = JSON.parse(String(annotations?.['hooks.kubevirt.io/hookSidecars']))
  t.match(parseArguments(hook.args), { name: 'serve', socket: '/var/run/kubevirt-hooks' })
  t.equal(shell('$N serve --print-manifests 1.8', '.').status, 2)
  t.end()
})

/** @see kubevirt.io/api, plugin/v1alpha1, NodeHookPoint */
const HOOK_POINTS = [
  'PreVMStart',
  'PostVMStart',
  'PreVMStop',
  'PostVMStop',
  'PreMigrationSource',
  'PreMigrationTarget',
  'PostMigrationTarget',
]

t.test('only what is asked before a guest starts or arrives may refuse it', (t) => {
  for (const version of ['1.9', '1.10'] as const) {
    const hooks = ofKind(version, 'Plugin')?.spec?.nodeHooks as unknown as readonly Value[]
    const strategies = hooks.flatMap(({ permittedHooks, failureStrategy }) =>
      (permittedHooks as unknown as string[]).map((point) => [point, String(failureStrategy)]),
    )
    t.same(strategies, [
      ['PreVMStart', 'Fail'],
      ['PreMigrationTarget', 'Fail'],
      ['PostVMStart', 'Ignore'],
      ['PostMigrationTarget', 'Ignore'],
    ])
    t.ok(strategies.every(([point = '']) => HOOK_POINTS.includes(point)))
    for (const hook of hooks) t.match(String(hook.condition), /^has\(vmi\.metadata\.annotations\)/)
  }
  t.end()
})

t.test('the DaemonSet listens where its Plugin says, and writes nowhere else on the node', (t) => {
  const hooks = ofKind('1.10', 'Plugin')?.spec?.nodeHooks as unknown as readonly Value[]
  const pod = ofKind('1.10', 'DaemonSet')?.spec?.template?.spec
  const [container] = (pod?.containers ?? []) as unknown as readonly Value[]
  const socket = '/var/run/kubevirt/plugins/virt-numa/node.sock'
  t.same(
    hooks.map((hook) => String(hook.socket)),
    [socket, socket],
  )
  t.match(parseArguments(container?.args as unknown as string[]), {
    name: 'serve',
    node: true,
    host: '/host',
  })
  t.match(shell('$N serve --help', '.').stdout.replace(/\s+/g, ' '), socket, 'the default of the command')
  const mounts = container?.volumeMounts as unknown as readonly Value[]
  const writable = mounts.filter(({ readOnly }) => String(readOnly) !== 'true')
  t.same(
    writable.map(({ mountPath }) => String(mountPath)),
    ['/var/run/kubevirt/plugins/virt-numa'],
  )
  t.match(container?.securityContext, { capabilities: { drop: ['ALL'] }, allowPrivilegeEscalation: false })
  t.end()
})

t.test("OpenShift's constraints allow what the DaemonSet asks for, and its account", (t) => {
  const [scc] = documents.openshift
  const daemonSet = ofKind('1.9', 'DaemonSet')
  const pod = daemonSet?.spec?.template?.spec
  const [container] = (pod?.containers ?? []) as unknown as readonly Value[]
  t.same(scc?.allowedCapabilities, container?.securityContext?.capabilities?.add)
  const { namespace } = daemonSet?.metadata ?? {}
  t.same(scc?.users, [`system:serviceaccount:${namespace}:${pod?.serviceAccountName}`])
  t.equal(String(ofKind('1.9', 'ServiceAccount')?.metadata?.name), String(pod?.serviceAccountName))
  t.end()
})

t.test('--image takes the place of the placeholder everywhere', (t) => {
  const image = 'numa@sha256:0123456789abcdef'
  for (const which of ['1.9', '1.10', 'sidecar']) {
    const { stdout } = shell(`$N serve --print-manifests ${which} --image ${image}`, '.')
    t.match(stdout, image)
    t.notMatch(stdout, 'registry.example')
  }
  t.equal(shell(`$N serve --print-manifests 1.9 --image 'a", "b'`, '.').status, 2)
  t.end()
})
