const KEY = 'qs-theme'
const CHOICES = ['auto', 'light', 'dark'] as const
type Choice = (typeof CHOICES)[number]

const system = matchMedia('(prefers-color-scheme: dark)')

/** Dark or light: the system's setting or the user's choice. */
class Theme {
  choice = $state<Choice>(stored())
  #systemDark = $state(system.matches)

  constructor() {
    system.addEventListener('change', ({ matches }) => {
      this.#systemDark = matches
    })
    this.#show()
  }

  get isDark(): boolean {
    return this.choice === 'auto' ? this.#systemDark : this.choice === 'dark'
  }

  next(): void {
    this.choice = CHOICES[(CHOICES.indexOf(this.choice) + 1) % CHOICES.length] ?? 'auto'
    localStorage.setItem(KEY, this.choice)
    this.#show()
  }

  #show(): void {
    const { dataset } = document.documentElement
    if (this.choice === 'auto') delete dataset.theme
    else dataset.theme = this.choice
  }
}

function stored(): Choice {
  const text = localStorage.getItem(KEY)
  return CHOICES.find((each) => each === text) ?? 'auto'
}

export const theme = new Theme()
