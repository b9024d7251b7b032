// What a batch is refused with, in a file of its own: the phone's first screen folds, but judges nothing.

/** Of a payload. */
export const PAYLOAD_BYTES_MAX = 256 * 1024;

export type RefusedCode =
  | 'forbidden'
  | 'invalid'
  | 'sealed'
  | 'stale_approval'
  | 'bad_transition'
  | 'unknown_record';

/** A batch that is not admitted: which op, which field, why. */
export class Refused extends Error {
  readonly code: RefusedCode;
  readonly op: number;
  readonly field: string | undefined;
  readonly reason: string | undefined;

  constructor(code: RefusedCode, op = 0, field?: string, reason?: string) {
    super(`${code} op ${op} ${field ?? ''} ${reason ?? ''}`.trimEnd());
    this.name = 'Refused';
    this.code = code;
    this.op = op;
    this.field = field;
    this.reason = reason;
  }
}
