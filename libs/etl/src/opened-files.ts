import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import type { ObjectStore } from '@floe/storage'

/**
 * The files that the workers of one load have opened, as each says before it opens one. Progress would not do: a pool
 * drops it once a call is cancelled. What was sent to a port is there to read after its thread has died.
 */
export class OpenedFiles implements Disposable {
  readonly #ports: MessagePort[] = []

  /** The end of one worker, to be moved to it; it posts locations. */
  portForWorker(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#ports.push(port1)
    return port2
  }

  /**
   * Removes the files, finished or not. The workers must have ended. Best effort: the error that led here matters
   * more, and orphans are found by their absence from every snapshot.
   */
  async remove(store: ObjectStore): Promise<void> {
    const locations = this.#ports.flatMap(receiveAll)
    // In this order: what is discarded cannot be finished any more.
    await store.discardUploads(locations).catch(() => undefined)
    await store.delete(locations).catch(() => undefined)
  }

  [Symbol.dispose](): void {
    for (const port of this.#ports) port.close()
  }
}

function receiveAll(port: MessagePort): readonly string[] {
  const received: string[] = []
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    received.push((next as { message: string }).message)
  }
  return received
}
