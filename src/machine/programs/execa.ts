// The library that starts programs. Loaded only by the commands that start one: the hook never does.

export { execaSync } from 'execa'
