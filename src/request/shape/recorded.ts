// Where the shape of a guest is recorded, and whether that counts.

import type { DomainView } from '../../model/domain.ts'
import type { Request } from '../../model/request.ts'
import type { RecordedShape } from '../../model/shape.ts'
import type { Vmi } from '../vmi.ts'
import { readShape } from './text.ts'

/** What the metadata of a guest and the annotations of its VMI are called in messages. */
interface Sources {
  readonly metadata: string
  readonly annotations: string
}

/**
 * The recorded shape, which is read only where it counts; metadata is stronger than annotations.
 * @returns undefined if there is none; calling it throws Refusal `shape-malformed`
 */
export function recordOf(
  { recordedShape }: DomainView,
  vmi: Vmi | undefined,
  { metadata, annotations }: Sources,
): (() => RecordedShape) | undefined {
  if (recordedShape !== undefined) return () => readShape(recordedShape, metadata)
  const annotation = vmi?.recordedShape
  return annotation === undefined ? undefined : () => readShape(annotation, annotations)
}

/** The request with the shape that counts. A guest that moves or is checked keeps its cells in any case. */
export function withRecord(
  request: Request,
  record: (() => RecordedShape) | undefined,
  purpose: 'fit' | 'move' | 'check',
): Request {
  const counts = request.topology === 'lock' && purpose === 'fit'
  return record === undefined || !counts ? request : { ...request, recorded: record() }
}
