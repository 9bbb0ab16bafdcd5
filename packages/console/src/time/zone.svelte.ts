const KEY = 'qs-zone'

/** The display time zone: the browser's, UTC or, on the page of a device, that of the device. */
class Zone {
  readonly own = Intl.DateTimeFormat().resolvedOptions().timeZone
  name = $state(localStorage.getItem(KEY) ?? Intl.DateTimeFormat().resolvedOptions().timeZone)

  choose(name: string): void {
    this.name = name
    if (name === this.own) localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, name)
  }
}

export const zone = new Zone()
