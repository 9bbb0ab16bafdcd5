/** Part of every link and bookmark: these never change. */
export const FLEET_UID = 'qs-fleet'
export const DEVICE_UID = 'qs-device'
export const CLOCK_DRIFT_UID = 'qs-clock-drift'
export const DATA_QUALITY_UID = 'qs-data-quality'
export const PIPELINE_HEALTH_UID = 'qs-pipeline-health'
export const COMPARE_UID = 'qs-compare'
export const BOARDS_UID = 'qs-boards'
