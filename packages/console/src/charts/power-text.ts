/** From here on, numbers are written with a power of ten. */
export const LARGEST_PLAIN = 1e15

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** A very small or very large number with a power of ten: 1.23 × 10⁻⁷. */
export function powerText(value: number, significant: number): string {
  // A double has no more than 17 digits.
  const [digits = '', power = ''] = value.toExponential(Math.min(16, significant - 1)).split('e')
  const raised = power.replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)] ?? '')
  return `${Number(digits)} × 10${raised.replace('+', '').replace('-', '⁻')}`.replace('-', '−')
}
