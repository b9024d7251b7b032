// Expected trouble: a code from the one catalogue, where it is, and what to do about it (P9).

export type Remedy = 'retry' | 'fix' | 'ask' | 'sign_in' | 'update';

export interface Trouble {
  readonly code: string;
  readonly status?: number;
  readonly message?: string;
  readonly do?: Remedy;
  readonly op?: number;
  readonly field?: string;
  readonly reason?: string;
  readonly retryAfterMs?: number;
  readonly expected?: number;
}

export class Problem extends Error {
  readonly code: string;
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(trouble.message ?? trouble.reason ?? trouble.code);
    this.name = 'Problem';
    this.code = trouble.code;
    this.trouble = trouble;
  }
}
