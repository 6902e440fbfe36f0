export { Piscina } from 'piscina'
