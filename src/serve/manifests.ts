// --print-manifests -> the manifests for a cluster, by the way in which KubeVirt calls the server.

import node from './manifests/node.yaml'
import openshift from './manifests/openshift.yaml'
import domainHooks from './manifests/plugin-1.9.yaml'
import launcherHooks from './manifests/plugin-1.10.yaml'
import policy from './manifests/policy.yaml'
import sidecar from './manifests/sidecar.yaml'

/** YAML documents by version of KubeVirt's plugins, or for hook sidecars, or for OpenShift besides. */
export const manifests: Readonly<Record<string, string>> = {
  '1.9': `${domainHooks}${policy}${node}`,
  '1.10': `${launcherHooks}${policy}${node}`,
  sidecar,
  openshift,
}

const PLACEHOLDER = 'registry.example/virt-numa:0.1.0'

/** The manifests with an image that a cluster can pull. */
export function manifestsFor(which: string, image: string | undefined): string {
  const text = manifests[which] ?? ''
  return image === undefined ? text : text.replaceAll(PLACEHOLDER, () => image)
}
