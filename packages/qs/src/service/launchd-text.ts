import { join } from 'node:path'
import { type ServicePlan, startCommand } from './service-plan.ts'

/** The property list of launchd, the service manager of macOS. */
export function launchdText(plan: ServicePlan): string {
  const log = string(join(plan.folder, 'qs.log'))
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>qs-telemetry</string>
  <key>ProgramArguments</key>
  <array>
${startCommand(plan)
  .map((each) => `    ${string(each)}`)
  .join('\n')}
  </array>
  <key>UserName</key>${string(plan.user)}
  <key>WorkingDirectory</key>${string(plan.folder)}
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><true/>
  <key>ExitTimeOut</key><integer>90</integer>
  <key>Umask</key><integer>63</integer>
  <key>StandardOutPath</key>${log}
  <key>StandardErrorPath</key>${log}
</dict>
</plist>
`
}

function string(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<string>${escaped}</string>`
}
