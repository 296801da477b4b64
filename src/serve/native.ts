// `virt-numa serve` in the native command, which has no gRPC server.

import { refuse } from '../codes/codes.ts'
import type * as node from './serve.ts'

/** @see serve of serve.ts. @throws Refusal `serve-needs-node` */
export const serve: typeof node.serve = () => refuse('serve-needs-node', {})
