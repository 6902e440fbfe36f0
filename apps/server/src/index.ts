export { createServer, serverRoles, startServer } from './server.ts'
export type { RunningServer, ServerRole, ServerSettings } from './server.ts'
