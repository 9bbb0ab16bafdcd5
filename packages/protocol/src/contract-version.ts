/** The version of the contract that a device names in `schema`. */
export const CONTRACT_VERSION = 1
