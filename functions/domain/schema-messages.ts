import { en } from 'zod/locales'
import { config } from 'zod/mini'

/** zod/mini has no messages of its own. A file that shows messages of its schemas imports this one. */
config(en())
