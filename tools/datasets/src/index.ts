export { copyInto } from './copy-into.ts'
export { fillSocial } from './social.ts'
export { fillAirports, fillFlights, fillWeather } from './vega.ts'
