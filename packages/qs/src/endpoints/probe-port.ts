import { connect } from 'node:net'

const TIMEOUT_MS = 2_000

/** What a TCP port says to a connection: `silent` if nothing within two seconds, as behind a firewall. */
export function probePort(host: string, port: number): Promise<'open' | 'refused' | 'silent'> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: TIMEOUT_MS })
    const end = (answer: 'open' | 'refused' | 'silent') => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end('open'))
    socket.once('timeout', () => end('silent'))
    socket.once('error', () => end('refused'))
  })
}
