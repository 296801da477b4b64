// What the job inside the four-node host reports to the test outside, a line of JSON each. Facts only, as the
// kernel and the programs put them: what is right is said by the test.

/** Of its own cgroup, by what a container sees: pod.sh. */
export type PodName = 'guaranteed' | 'burstable' | 'one-node'

/** A libvirtd: that of a pod, or the one that runs beside the pods and may use the whole host. */
export type Daemon = PodName | 'open'

/** A program's end. `status` absent: killed, for it took too long. */
export interface CommandReport {
  readonly is: 'command'
  readonly name: string
  readonly status?: number
  readonly stdout: string
  readonly stderr: string
  readonly tookS: number
}

/** A running guest, seen from outside of QEMU. */
export interface GuestReport {
  readonly is: 'guest'
  readonly name: string
  readonly daemon: Daemon
  /** `virsh dumpxml` */
  readonly xml: string
  /** The lines of /proc/<pid>/numa_maps that are bound to nodes or have huge pages. */
  readonly numaMaps: readonly string[]
  readonly threads: readonly ThreadReport[]
}

/** `policy`: the scheduler's, by its number. @see sched(7) */
interface ThreadReport {
  readonly name: string
  readonly cpus: string
  readonly policy: number
  readonly cgroup: string
}

/** The texts of a machine, by path, as they are seen from one place: the host, or a pod. */
export interface CaptureReport {
  readonly is: 'capture'
  readonly from: 'host' | PodName
  readonly texts: Readonly<Record<string, string>>
}

/** A line that the job prints, as JSON. */
export type Report =
  | CommandReport
  | GuestReport
  | CaptureReport
  | { readonly is: 'hook-log'; readonly daemon: Daemon; readonly text: string }
  | { readonly is: 'crash'; readonly reason: string }
  | { readonly is: 'end'; readonly upS: number }
