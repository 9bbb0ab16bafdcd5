import { ControlConnection } from '../accounts/control-connection.ts'
import { operatorLogin } from '../accounts/operator-login.ts'
import type { Config } from '../config/settings.ts'

/** Runs `work` with a control connection to the broker. @throws QsError */
export async function withOperator<T>(
  config: Config,
  work: (connection: ControlConnection) => Promise<T>,
): Promise<T> {
  const connection = await ControlConnection.open(operatorLogin(config))
  try {
    return await work(connection)
  } finally {
    await connection.close()
  }
}
