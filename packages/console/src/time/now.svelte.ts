/** The current time, updated every second, for "… ago". */
class Now {
  ms = $state(Date.now())

  constructor() {
    setInterval(() => {
      if (document.visibilityState === 'visible') this.ms = Date.now()
    }, 1_000)
  }
}

export const now = new Now()
