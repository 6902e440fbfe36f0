/** Milliseconds between two progress lines: redrawn in place on a terminal, plain lines elsewhere. */
const redrawMs = 100
const plainLineMs = 1000

export type ProgressLine = {
  /** Replaces the current line, as often as the terminal can use it. */
  update(text: string): void
  /** Prints a line that stays. */
  print(text: string): void
  end(): void
}

/** Progress on stderr, so that stdout holds results alone. */
export function openProgress(stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  const isTerminal = stream.isTTY
  let lastMs = 0
  let isDrawn = false
  const clear = (): void => {
    if (isDrawn) stream.write('\r\u001b[K')
    isDrawn = false
  }
  return {
    update(text) {
      const now = performance.now()
      if (now - lastMs < (isTerminal ? redrawMs : plainLineMs)) return
      lastMs = now
      if (!isTerminal) {
        stream.write(`${text}\n`)
        return
      }
      stream.write(`\r\u001b[K${text.slice(0, Math.max(20, stream.columns - 1))}`)
      isDrawn = true
    },
    print(text) {
      clear()
      stream.write(`${text}\n`)
    },
    end: clear,
  }
}

export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
