import { type ServicePlan, startCommand } from './service-plan.ts'

/** Folders that ProtectHome=yes empties. */
const HOMES = /^\/(home|root|run\/user)(\/|$)/

/**
 * The unit of systemd. Not among the restrictions: MemoryDenyWriteExecute, since V8 compiles to machine code, and
 * PrivateNetwork. /dev/shm stays writable, where PostgreSQL shares memory among its processes.
 */
export function unitText(plan: ServicePlan): string {
  const { program, user, folder, otherFolders, upOptions, memoryMax } = plan
  const isAtHome = [...program, folder, ...otherFolders].some((path) => HOMES.test(path))
  return `# Written by qs service install, which overwrites changes. Yours belong into a drop-in: systemctl edit qs
[Unit]
Description=qs-telemetry: broker, PostgreSQL, pipeline and console
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0
X-Program=${specifiersEscaped(program.at(-1) ?? '')}
X-Up-Options=${upOptions.join(' ')}

[Service]
Type=exec
User=${specifiersEscaped(user)}
WorkingDirectory=${specifiersEscaped(folder)}
EnvironmentFile=${specifiersEscaped(folder)}/.env
ExecStart=${startCommand(plan).map(quote).join(' ')}

# What is in flight is committed, then PostgreSQL stops: only the main process gets SIGTERM.
KillMode=mixed
TimeoutStopSec=90
Restart=always
RestartSec=5
# Wrong settings need a person.
RestartPreventExitStatus=2

MemoryMax=${memoryMax}
# 10,000 boards, and PostgreSQL.
LimitNOFILE=65536
UMask=0077

NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ReadWritePaths=${[folder, ...otherFolders].map((path) => quote(`-${path}`)).join(' ')}
ProtectHome=${isAtHome ? 'read-only' : 'yes'}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
# NETLINK: the addresses of this machine.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
}

/** systemd replaces % specifiers in every value. */
function specifiersEscaped(value: string): string {
  return value.replaceAll('%', '%%')
}

function quote(value: string): string {
  const escaped = specifiersEscaped(value).replace(/["\\]/g, '\\$&').replaceAll('$', '$$$$')
  return /^[\w./@%:=,+$-]+$/.test(value) ? escaped : `"${escaped}"`
}
