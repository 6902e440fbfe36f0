/** Whether everything shall run, also what has to be built for minutes first: `npm run test:interop:full`. */
export const isFullLane: boolean = process.env['FLOE_INTEROP'] === 'full'
