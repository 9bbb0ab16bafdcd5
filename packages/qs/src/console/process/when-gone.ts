import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Aborts when the response is sent or the client has left. The response of a pipelined request has no socket until the
 * previous one is sent, so it gets no event when the connection ends; the socket of the request does.
 */
export function whenGone({ socket }: IncomingMessage, response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  const end = () => {
    response.off('close', end)
    socket.off('close', end)
    gone.abort()
  }
  // All pipelined requests listen on the same socket.
  socket.setMaxListeners(0)
  socket.once('close', end)
  response.once('close', end)
  return gone.signal
}
