// The library that starts programs. Loaded only by the commands that start one, never by the hook.

export { execaSync } from 'execa'
