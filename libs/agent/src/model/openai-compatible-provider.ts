import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { FloeError } from '@floe/iceberg'
import { APICallError, generateText } from 'ai'
import { z } from 'zod'
import { formatValue } from '../format-value.ts'
import type { Proposal, ProposalRequest, Provider } from '../provider.ts'
import type { SqlResult } from '../sql-runner.ts'
import { readModelReply } from './extract-sql.ts'
import { questionPrompt, schemaCharactersMaxDefault, schemaPrompt, systemPrompt } from './prompt.ts'

const settingsSchema = z.object({
  baseUrl: z.url({ protocol: /^https?$/ }),
  model: z.string().min(1),
  apiKey: z.string().min(1).optional(),
  attemptsMax: z.int().min(1).max(10).default(3),
  timeoutMs: z.int().min(1).default(60_000),
  outputTokensMax: z.int().min(1).default(2000),
  schemaCharactersMax: z.int().min(1).default(schemaCharactersMaxDefault),
})

/** An endpoint that speaks the chat completions protocol: Ollama, vLLM, LM Studio, or a hosted one. */
export type OpenAiCompatibleSettings = {
  /** Ends before `/chat/completions`. */
  readonly baseUrl: string
  readonly model: string
  readonly apiKey?: string | undefined
  /** Statements asked for in total: one and its repairs. Default 3. */
  readonly attemptsMax?: number | undefined
  /** For each reply. Default 60,000. */
  readonly timeoutMs?: number | undefined
  /** Default 2,000. */
  readonly outputTokensMax?: number | undefined
  /** Characters of the schema that the model sees. Default 60,000. */
  readonly schemaCharactersMax?: number | undefined
}

/**
 * A provider that lets a model write the SELECT from the schema alone; no row leaves the process.
 * @throws FloeError `invalid-input` for unusable settings; from `propose`: `unavailable`, `permission-denied`, `cancelled`
 */
export function createOpenAiCompatibleProvider(settings: OpenAiCompatibleSettings): Provider {
  const parsed = settingsSchema.safeParse(settings)
  if (!parsed.success) {
    throw new FloeError(
      'invalid-input',
      `the model provider's settings are not usable: ${z.prettifyError(parsed.error)}`,
      {
        hint: 'set a base URL that ends before /chat/completions, and a model name',
      },
    )
  }
  const { baseUrl, model, apiKey, ...limits } = parsed.data
  const endpoint = createOpenAICompatible({
    name: 'floe',
    baseURL: baseUrl,
    ...(apiKey === undefined ? {} : { apiKey }),
  })
  const name = `openai-compatible:${model}`
  const languageModel = endpoint(model)
  return {
    name,
    provenance: 'model',
    attemptsMax: limits.attemptsMax,
    async propose(request) {
      const reply = await generateReply(languageModel, request, limits)
      return toProposal(reply)
    },
  }
}

type Limits = Pick<z.output<typeof settingsSchema>, 'timeoutMs' | 'outputTokensMax' | 'schemaCharactersMax'>
type LanguageModel = Parameters<typeof generateText>[0]['model']

async function generateReply(
  model: LanguageModel,
  request: ProposalRequest,
  limits: Limits,
): Promise<string> {
  const timeout = AbortSignal.timeout(limits.timeoutMs)
  const { question, tables, clock, failures, signal } = request
  try {
    const { text } = await generateText({
      model,
      system: `${systemPrompt}\n\n${schemaPrompt(tables, limits.schemaCharactersMax)}`,
      prompt: questionPrompt(question, clock.now(), failures),
      temperature: 0,
      maxOutputTokens: limits.outputTokensMax,
      maxRetries: 1,
      abortSignal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    })
    return text
  } catch (error) {
    if (signal?.aborted === true)
      throw new FloeError('cancelled', 'the question was cancelled', { cause: error })
    if (timeout.aborted) throw timedOut(limits.timeoutMs, error)
    throw modelError(error)
  }
}

function timedOut(timeoutMs: number, cause: unknown): FloeError {
  return new FloeError('unavailable', `the model did not reply within ${timeoutMs} ms`, {
    hint: 'use a smaller model or raise timeoutMs',
    cause,
  })
}

function modelError(error: unknown): FloeError {
  const call = findApiError(error)
  const status = call?.statusCode
  if (status === 401 || status === 403) {
    return new FloeError('permission-denied', `the model endpoint refused the key (HTTP ${status})`, {
      hint: 'check the API key of the model provider',
      cause: error,
    })
  }
  const detail = status === undefined ? '' : ` (HTTP ${status})`
  return new FloeError('unavailable', `the model endpoint did not answer${detail}`, {
    hint: 'check the base URL and the model name; the rules provider needs no model',
    retryable: call?.isRetryable ?? true,
    cause: error,
  })
}

/** The SDK wraps the last error of its retries. */
function findApiError(error: unknown): APICallError | undefined {
  if (APICallError.isInstance(error)) return error
  const last: unknown =
    typeof error === 'object' && error !== null && 'lastError' in error ? error.lastError : undefined
  return APICallError.isInstance(last) ? last : undefined
}

function toProposal(reply: string): Proposal {
  const read = readModelReply(reply)
  switch (read.kind) {
    case 'sql':
      return { kind: 'sql', sql: read.sql, describe: describeModelResult }
    case 'clarification':
      return { kind: 'clarification', text: read.text, choices: read.choices }
    case 'cannot':
      return { kind: 'cannot', reason: 'unsupported', text: read.text, suggestions: [] }
    case 'nothing':
      return {
        kind: 'unusable',
        text: '',
        message: 'the reply held no SQL: reply with one SELECT in a ```sql block',
      }
  }
}

/** Written here and not by the model, which never sees a row. */
function describeModelResult({ columns, rows }: SqlResult): string {
  const [row] = rows
  if (row === undefined) return 'No rows match.'
  if (rows.length > 1) return `${rows.length} rows: ${columns.map(({ name }) => name).join(', ')}.`
  return `${columns.map(({ name }, index) => `${name.replaceAll('_', ' ')} is ${formatValue(row[index])}`).join(', ')}.`
}
