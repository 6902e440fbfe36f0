import { describe, expect, it } from 'vitest'
import { errorFromData, errorReactions, errorToData, FloeError, toFloeError } from './error.ts'

describe('FloeError', () => {
  it('survives the structured clone between threads with code, hint and retryability', () => {
    const error = new FloeError('commit-conflict', 'main moved', {
      hint: 'reload the table',
      retryable: true,
      cause: new Error('x'),
    })
    const back = errorFromData(structuredClone(errorToData(error)))
    expect(back).toBeInstanceOf(FloeError)
    expect(back).toMatchObject({
      code: 'commit-conflict',
      message: 'main moved',
      hint: 'reload the table',
      retryable: true,
      stack: error.stack,
    })
  })

  it('keeps anything else thrown as the cause of an internal error', () => {
    const cause = new TypeError('undefined is not a function')
    expect(toFloeError(cause)).toMatchObject({
      code: 'internal',
      message: cause.message,
      cause,
      retryable: false,
    })
    expect(errorToData('text')).toMatchObject({ code: 'internal', message: 'text' })
    const known = new FloeError('not-found', 'no table')
    expect(toFloeError(known)).toBe(known)
  })

  it('is retryable by itself only when the service is unavailable, never when the commit state is unknown', () => {
    expect(new FloeError('unavailable', 'busy').retryable).toBe(true)
    expect(new FloeError('commit-state-unknown', 'timeout').retryable).toBe(false)
  })

  it('gives each code an HTTP status of an error and an exit code of its own', () => {
    const reactions = Object.values(errorReactions)
    expect(new Set(reactions.map(({ exitCode }) => exitCode)).size).toBe(reactions.length)
    for (const { httpStatus } of reactions) expect(httpStatus).toBeGreaterThanOrEqual(400)
  })
})
