import { FloeError } from '@floe/iceberg'
