// What a diagnostic code means, whatever the facts of a single diagnostic: the type of an explanation.

/** `brief`: a line for a list of codes. `about`: the situation, and the rule behind it. `fix`: what to do. */
export interface Meaning {
  readonly brief: string
  readonly about: string
  readonly fix: string
}

/** A meaning for each code. */
export type Meanings<F> = { readonly [C in keyof F]: Meaning }

/** The meaning of one code. */
export const meaning = (brief: string, about: string, fix: string): Meaning => ({ brief, about, fix })
