/** The API of the console: what the ingester answers and the pages read. docs/console.md describes it. */
export {
  AlertMuteSchema,
  type AlertRule,
  AlertRuleSchema,
  type Alerts,
  AlertsSchema,
  type AlertTest,
  AlertTestSchema,
} from './alerts.ts'
export { AUDIT_ACTIONS, type Audit, type AuditAction, AuditSchema } from './audit.ts'
export {
  type AddedDevices,
  AddedDevicesSchema,
  type ClockAdvice,
  ClockAdviceSchema,
  type Device,
  DeviceChangeSchema,
  type DeviceClock,
  DeviceClockSchema,
  DeviceCsvSchema,
  type DeviceGaps,
  DeviceGapsSchema,
  type DeviceList,
  DeviceListSchema,
  type DeviceLoginAnswer,
  DeviceLoginSchema,
  type DeviceRemoval,
  DeviceRemovalSchema,
  DeviceSchema,
  type DeviceSort,
  DeviceSortSchema,
  type DeviceStatus,
  DeviceStatusSchema,
  NewDeviceSchema,
  type Reading,
  type RoomList,
  RoomListSchema,
  type Sparklines,
  SparklinesSchema,
  type TypeList,
  TypeListSchema,
} from './devices.ts'
export { type EventPage, EventPageSchema, type StoredEvent, StoredEventSchema } from './events.ts'
export { type ExportProgress, ExportProgressSchema } from './exports.ts'
export {
  JudgementSchema,
  type Letter,
  type LetterChoice,
  LetterChoiceSchema,
  type LetterJudgement,
  type LetterList,
  LetterListSchema,
  type LetterRepair,
  LetterSchema,
  type LetterSummary,
  type PatchAnswer,
  PatchChoiceSchema,
  PatchSchema,
  PurgeSchema,
  RepairSchema,
  type ReplayAnswer,
  ReplayChoiceSchema,
  ReplaySchema,
} from './letters.ts'
export {
  type LiveBatch,
  type LiveElement,
  type LiveMessage,
  type UnhandledTopics,
  UnhandledTopicsSchema,
} from './live.ts'
export { Moment } from './moment.ts'
export { Nullable } from './nullable.ts'
export { type DeviceNote, type Overview, OverviewSchema } from './overview.ts'
export { type PinnedList, PinnedListSchema, type PinnedReading, PinSchema } from './pinned.ts'
export { type Problem, ProblemSchema } from './problem.ts'
export {
  type Drift,
  DriftSchema,
  type Line,
  type Series,
  SeriesSchema,
  type State,
  type States,
  StatesSchema,
  type TimeAxis,
  TimeAxisSchema,
} from './series.ts'
export { type Login, LoginSchema, type Role, type Session, SessionSchema } from './session.ts'
export {
  type ListedSetting,
  SettingChangeSchema,
  type Settings,
  SettingsSchema,
} from './settings.ts'
export { type Storage, StorageSchema } from './storage.ts'
export { SimulationSchema, type SimulationState, type System, SystemSchema } from './system.ts'
